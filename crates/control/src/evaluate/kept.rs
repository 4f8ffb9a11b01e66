//! How objects are shown whose last good version is in service.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use config::decode_dynamic::Kind;
use routing::compile::{MiddlewareInfo, RouterInfo, Runtime, ServiceInfo, Status};

use super::last_good::is_mute;
use super::references::references;
use crate::Update;
use crate::aggregate::{Frame, Id, Merged, provider_of};

/// The last of the errors of an object whose last good version is in service.
pub(super) const NOTE: &str = "the last good version stays in service";

/// What was taken back to its last good version.
pub(super) struct Keeping {
    /// How everything fared as it was written, if that was not good.
    pub(super) as_written: Option<Arc<Runtime>>,
    /// What was taken back, and whether it was there at all.
    pub(super) replaced: BTreeMap<Id, bool>,
}

/// What the runtime shows that is said elsewhere: objects that could not be read, and what their
/// reader said.
#[derive(Default)]
pub(super) struct Shown {
    pub(super) unreadable: HashSet<Id>,
}

impl Keeping {
    /// Makes the runtime say what is wrong with objects whose last good version is in service, and
    /// lists objects that could not be read.
    pub(super) fn show(
        &self,
        runtime: &mut Arc<Runtime>,
        merged: &Merged,
        updates: &[&Update],
        frame: &Frame<'_>,
    ) -> Shown {
        if let Some(as_written) = &self.as_written {
            self.show_replaced(Arc::make_mut(runtime), as_written, merged, frame);
        }
        if merged.kept.is_empty() && merged.unreadable.is_empty() {
            return Shown::default();
        }
        let runtime = Arc::make_mut(runtime);
        show_kept(runtime, merged, updates);
        show_unreadable(runtime, merged, updates);
        Shown { unreadable: merged.kept.union(&merged.unreadable).cloned().collect() }
    }

    fn show_replaced(
        &self,
        runtime: &mut Runtime,
        as_written: &Runtime,
        merged: &Merged,
        frame: &Frame<'_>,
    ) {
        let context = (merged, frame);
        for (name, info) in &mut runtime.routers {
            let id = Id::new(Kind::Router, merged.written_name(name));
            let written = as_written.routers.get(name);
            let before = written.map(|written| (written.status, &*written.errors));
            if self.settle(&id, before, &mut info.status, &mut info.errors, context)
                && let Some(written) = written
            {
                info.router = written.router.clone();
            }
        }
        for (name, info) in &mut runtime.services {
            let id = Id::new(Kind::Service, name);
            let written = as_written.services.get(name);
            let before = written.map(|written| (written.status, &*written.errors));
            if self.settle(&id, before, &mut info.status, &mut info.errors, context)
                && let Some(written) = written
            {
                info.service = written.service.clone();
            }
        }
        for (name, info) in &mut runtime.middlewares {
            let id = Id::new(Kind::Middleware, name);
            let written = as_written.middlewares.get(name);
            let before = written.map(|written| (written.status, &*written.errors));
            if self.settle(&id, before, &mut info.status, &mut info.errors, context)
                && let Some(written) = written
            {
                info.middleware = written.middleware.clone();
            }
        }
    }

    /// Marks an object that is not in force as it was written, and tells whether it is one.
    fn settle(
        &self,
        id: &Id,
        written: Option<(Status, &[String])>,
        status: &mut Status,
        errors: &mut Vec<String>,
        (merged, frame): (&Merged, &Frame<'_>),
    ) -> bool {
        let was_there = self.replaced.get(id).copied();
        let is_mended = was_there.is_none()
            && written.is_some_and(|(before, _)| before == Status::Disabled)
            && *status != Status::Disabled
            && self.names_what_was_replaced(id, merged, frame);
        if was_there.is_none() && !is_mended {
            return false;
        }
        let written_errors = written.map(|(_, errors)| errors.to_vec());
        keep(status, errors, written_errors, was_there.unwrap_or(true));
        true
    }

    /// Tells whether an object works only because something it names was replaced that cannot say
    /// so itself.
    fn names_what_was_replaced(&self, id: &Id, merged: &Merged, frame: &Frame<'_>) -> bool {
        references(id, merged, frame).iter().any(|reference| {
            let was_there = self.replaced.get(reference);
            was_there.is_some_and(|was_there| !was_there || is_mute(reference))
        })
    }
}

/// Marks an object as one whose last good version is in service.
fn keep(
    status: &mut Status,
    errors: &mut Vec<String>,
    written: Option<Vec<String>>,
    is_there: bool,
) {
    // What could not be helped stays as it is.
    if *status == Status::Disabled {
        return;
    }
    *status = Status::Warning;
    *errors = written.unwrap_or_default();
    if !is_there {
        errors.push("was deleted, but is still referred to".to_owned());
    } else if errors.is_empty() {
        errors.push("refers to what does not exist or does not work".to_owned());
    }
    errors.push(NOTE.to_owned());
}

fn show_kept(runtime: &mut Runtime, merged: &Merged, updates: &[&Update]) {
    let messages = messages(merged.kept.iter(), updates);
    let errors = |id: &Id| messages.get(id).cloned();
    for (name, info) in &mut runtime.routers {
        let id = Id::new(Kind::Router, merged.written_name(name));
        if merged.kept.contains(&id) {
            keep(&mut info.status, &mut info.errors, errors(&id), true);
        }
    }
    for id in &merged.kept {
        match id.kind {
            Kind::Service => {
                if let Some(info) = runtime.services.get_mut(&id.name) {
                    keep(&mut info.status, &mut info.errors, errors(id), true);
                }
            }
            Kind::Middleware => {
                if let Some(info) = runtime.middlewares.get_mut(&id.name) {
                    keep(&mut info.status, &mut info.errors, errors(id), true);
                }
            }
            _ => {}
        }
    }
}

/// Lists objects that never could be read: without settings, but with what is wrong with them.
fn show_unreadable(runtime: &mut Runtime, merged: &Merged, updates: &[&Update]) {
    let mut messages = messages(merged.unreadable.iter(), updates);
    for id in &merged.unreadable {
        let errors = messages.remove(id).unwrap_or_default();
        let status = Status::Disabled;
        let name = id.name.clone();
        match id.kind {
            Kind::Router => {
                let info = RouterInfo { status, errors, ..RouterInfo::default() };
                runtime.routers.entry(name).or_insert(info);
            }
            Kind::Service => {
                let info = ServiceInfo { status, errors, ..ServiceInfo::default() };
                runtime.services.entry(name).or_insert(info);
            }
            Kind::Middleware => {
                let info = MiddlewareInfo { status, errors, ..MiddlewareInfo::default() };
                runtime.middlewares.entry(name).or_insert(info);
            }
            _ => {}
        }
    }
}

/// What their provider said of objects.
fn messages<'a>(
    ids: impl Iterator<Item = &'a Id>,
    updates: &[&Update],
) -> HashMap<&'a Id, Vec<String>> {
    // Providers name their objects without themselves.
    let mut named: HashMap<(&str, String), &Id> = HashMap::new();
    for id in ids {
        if let (name, Some(provider)) = provider_of(&id.name) {
            named.insert((provider, format!("{} {name:?}", id.kind)), id);
        }
    }
    let mut messages: HashMap<&Id, Vec<String>> = HashMap::new();
    for update in updates {
        for diagnostic in update.diagnostics.iter().filter(|found| found.is_error()) {
            let Some(object) = &diagnostic.object else { continue };
            if let Some(id) = named.get(&(&*update.provider, object.clone())) {
                messages.entry(id).or_default().push(diagnostic.message.clone());
            }
        }
    }
    messages
}
