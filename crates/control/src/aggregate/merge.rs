//! All providers' objects in one configuration.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use config::Diagnostic;
use config::decode_dynamic::Kind;
use config::dynamic::{Configuration, Named, Router};

use super::frame::Models;
use super::objects::DEFAULT;
use super::{Frame, INTERNAL, Id, Previous, internal, models};
use crate::Update;

/// All objects, qualified, and where they come from.
#[derive(Default)]
pub(crate) struct Merged {
    /// Routers as they were written, before entry points' models.
    pub(crate) routers: Named<Arc<Router>>,
    /// Everything as it is compiled.
    pub(crate) configuration: Configuration,
    /// What was added to routers.
    pub(crate) models: Arc<Models>,
    /// Routers that entry points' models renamed, with the names they were given.
    pub(crate) renamed: HashMap<String, String>,
    /// Which provider a certificate comes from, and its position there.
    pub(crate) certificate_origins: Vec<(Arc<str>, usize)>,
    /// Objects that are there but unreadable, whose last good version is used.
    pub(crate) kept: HashSet<Id>,
    /// Objects that are there but unreadable, and never were otherwise.
    pub(crate) unreadable: HashSet<Id>,
    pub(crate) diagnostics: Vec<Diagnostic>,
}

/// Merges what all providers and the program itself say. What is unreadable now is taken from the
/// previous run.
pub(crate) fn merge(
    frame: &Frame<'_>,
    updates: &[&Update],
    previous: Option<&Previous<'_>>,
) -> Merged {
    let mut merged = Merged::default();
    let mut defaults = Defaults::default();
    let (own, diagnostics) = internal::configuration(frame);
    merged.diagnostics = diagnostics;
    merged.add(INTERNAL, &own, &mut defaults);
    for update in updates {
        merged.add(&update.provider, &update.configuration, &mut defaults);
        merged.keep_rejected(update, previous);
    }
    merged.settle_defaults(defaults);
    let default_entry_points = &frame.models.default_entry_points;
    for router in merged.configuration.tcp.routers.values_mut() {
        if router.entry_points.is_empty() {
            router.entry_points.clone_from(default_entry_points);
        }
    }
    merged.apply_models(frame, previous.map(|previous| previous.merged));
    merged
}

/// Which providers define the TLS objects that are shared by all.
#[derive(Default)]
struct Defaults {
    options: Vec<String>,
    stores: Vec<String>,
}

impl Merged {
    /// Makes the routers that are compiled from those that were written.
    pub(crate) fn apply_models(&mut self, frame: &Frame<'_>, previous: Option<&Self>) {
        let models = &frame.models;
        (self.configuration.http.routers, self.renamed) =
            models::apply(&self.routers, models, previous);
        self.models = Arc::clone(models);
    }

    /// The name under which a compiled router was written.
    pub(crate) fn written_name<'a>(&'a self, router: &'a str) -> &'a str {
        self.renamed.get(router).map_or(router, String::as_str)
    }

    fn add(&mut self, provider: &str, from: &Configuration, defaults: &mut Defaults) {
        let Configuration { http, tcp, udp, tls } = from;
        let into = &mut self.configuration;
        add_all(&mut self.routers, &http.routers, provider);
        add_all(&mut into.http.services, &http.services, provider);
        add_all(&mut into.http.middlewares, &http.middlewares, provider);
        add_all(&mut into.http.servers_transports, &http.servers_transports, provider);
        add_all(&mut into.tcp.routers, &tcp.routers, provider);
        add_all(&mut into.tcp.services, &tcp.services, provider);
        add_all(&mut into.tcp.middlewares, &tcp.middlewares, provider);
        add_all(&mut into.tcp.servers_transports, &tcp.servers_transports, provider);
        add_all(&mut into.udp.routers, &udp.routers, provider);
        add_all(&mut into.udp.services, &udp.services, provider);
        add_shared(&mut into.tls.options, &tls.options, provider, &mut defaults.options);
        add_shared(&mut into.tls.stores, &tls.stores, provider, &mut defaults.stores);
        let origin: Arc<str> = provider.into();
        for (position, certificate) in tls.certificates.iter().enumerate() {
            // The store of ACME's challenges is not for users.
            let is_challenge = certificate.stores.iter().any(|store| store == ACME_TLS);
            if is_challenge && provider != ACME_TLS_PROVIDER {
                continue;
            }
            into.tls.certificates.push(certificate.clone());
            self.certificate_origins.push((Arc::clone(&origin), position));
        }
    }

    /// Puts the last good version of what is unreadable now in its place.
    fn keep_rejected(&mut self, update: &Update, previous: Option<&Previous<'_>>) {
        for rejected in &update.rejected {
            if rejected.kind == Kind::Certificate {
                continue;
            }
            let id = Id::of_provider(rejected.kind, &rejected.name, &update.provider);
            match previous.filter(|previous| previous.has_good(&id)) {
                Some(previous) => {
                    self.take_over(previous.merged, &id);
                    self.kept.insert(id);
                }
                None => {
                    self.unreadable.insert(id);
                }
            }
        }
        // Which of the list is the unreadable one cannot be known, so all of them stay.
        if update.rejected.iter().any(|rejected| rejected.kind == Kind::Certificate)
            && let Some(previous) = previous
        {
            self.keep_certificates(&update.provider, previous.merged);
        }
    }

    fn keep_certificates(&mut self, provider: &Arc<str>, previous: &Self) {
        let before =
            previous.certificate_origins.iter().zip(&previous.configuration.tls.certificates);
        for ((origin, _), certificate) in before {
            let certificates = &mut self.configuration.tls.certificates;
            if origin == provider && !certificates.contains(certificate) {
                certificates.push(certificate.clone());
                self.certificate_origins.push((Arc::clone(provider), usize::MAX));
            }
        }
    }

    /// Options and stores that several providers call `default` are nobody's, as in Traefik.
    fn settle_defaults(&mut self, defaults: Defaults) {
        let Defaults { options, stores } = defaults;
        let conflict = |what: &str, kind: Kind, providers: &[String]| {
            let message = format!(
                "default TLS {what} are defined by several providers: {}",
                providers.join(", ")
            );
            let diagnostic = Diagnostic::error("conflicting-defaults", message);
            diagnostic
                .about(Id::new(kind, DEFAULT).to_string())
                .hint("none of them is used; let only one provider define them")
        };
        let tls = &mut self.configuration.tls;
        if options.len() > 1 {
            self.diagnostics.push(conflict("options", Kind::TlsOptions, &options));
            tls.options.remove(DEFAULT);
        } else {
            tls.options.entry(DEFAULT.to_owned()).or_default();
        }
        if stores.len() > 1 {
            self.diagnostics.push(conflict("stores", Kind::TlsStore, &stores));
            tls.stores.remove(DEFAULT);
        }
    }
}

/// Collecting and appending are linear where inserting one by one is not.
fn add_all<T: Clone>(into: &mut Named<T>, from: &Named<T>, provider: &str) {
    let qualified = from.iter().map(|(name, object)| {
        let mut qualified = String::with_capacity(name.len() + 1 + provider.len());
        qualified.extend([name.as_str(), "@", provider]);
        (qualified, object.clone())
    });
    into.append(&mut qualified.collect());
}

/// Like [`add_all`], for objects of which the one called `default` is shared.
fn add_shared<T: Clone>(
    into: &mut Named<T>,
    from: &Named<T>,
    provider: &str,
    defining: &mut Vec<String>,
) {
    for (name, object) in from {
        if name == DEFAULT {
            defining.push(provider.to_owned());
            into.insert(name.clone(), object.clone());
        } else {
            into.insert(format!("{name}@{provider}"), object.clone());
        }
    }
}

const ACME_TLS: &str = "acme-tls/1";
const ACME_TLS_PROVIDER: &str = "tlsalpn.acme";
