//! Multi-layer routing: which routers are whose children, and what is wrong with the tree.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::qualify;
use super::runtime::Runtime;

/// The tree of routers.
#[derive(Default)]
pub(crate) struct Tree {
    /// Children by parent, in the order of names.
    children: HashMap<String, Vec<String>>,
}

impl Tree {
    /// Finds the tree, and reports routers that do not fit into it.
    pub(crate) fn new(runtime: &mut Runtime) -> Self {
        let mut tree = Self::default();
        if runtime.routers.values().all(|info| info.router.parent_refs.is_empty()) {
            return tree;
        }
        let names: Vec<String> = runtime.routers.keys().cloned().collect();
        for name in &names {
            let router = Arc::clone(&runtime.routers[name].router);
            let mut missing = Vec::new();
            for parent in &router.parent_refs {
                let parent = qualify(parent, name);
                if runtime.routers.contains_key(&parent) {
                    let children = tree.children.entry(parent).or_default();
                    if !children.contains(name) {
                        children.push(name.clone());
                    }
                } else {
                    missing.push(parent);
                }
            }
            let Some(info) = runtime.routers.get_mut(name) else { continue };
            for parent in missing {
                info.disable(format!("parent router {parent:?} does not exist"));
            }
            if !router.parent_refs.is_empty() {
                if router.tls.is_some() {
                    info.disable("non-root router cannot have TLS configuration");
                }
                if router.observability.is_some() {
                    info.disable("non-root router cannot have Observability configuration");
                }
                if !router.entry_points.is_empty() {
                    info.disable("non-root router cannot have Entrypoints configuration");
                }
            }
        }
        tree.cut_circles_and_report_unreachable(runtime, &names);
        tree.check_services(runtime, &names)
    }

    /// The children of a router.
    pub(crate) fn children(&self, name: &str) -> &[String] {
        self.children.get(name).map_or(&[], Vec::as_slice)
    }

    fn cut_circles_and_report_unreachable(&mut self, runtime: &mut Runtime, names: &[String]) {
        let mut reached = HashSet::new();
        for name in names {
            if runtime.routers[name].router.parent_refs.is_empty() {
                self.walk(name, &mut Vec::new(), &mut reached, runtime);
            }
        }
        for name in names {
            if !reached.contains(name)
                && let Some(info) = runtime.routers.get_mut(name)
            {
                info.disable("router is not reachable");
            }
        }
    }

    fn walk(
        &mut self,
        name: &str,
        path: &mut Vec<String>,
        reached: &mut HashSet<String>,
        runtime: &mut Runtime,
    ) {
        reached.insert(name.to_owned());
        path.push(name.to_owned());
        for child in self.children(name).to_vec() {
            if let Some(start) = path.iter().position(|on_way| *on_way == child) {
                let circle = path[start..].join(" -> ");
                if let Some(info) = runtime.routers.get_mut(name) {
                    info.warn(format!(
                        "cyclic reference detected in router tree: {circle} -> {child}"
                    ));
                }
                if let Some(children) = self.children.get_mut(name) {
                    children.retain(|other| *other != child);
                }
            } else {
                self.walk(&child, path, reached, runtime);
            }
        }
        path.pop();
    }

    fn check_services(self, runtime: &mut Runtime, names: &[String]) -> Self {
        for name in names {
            let has_children = !self.children(name).is_empty();
            let Some(info) = runtime.routers.get_mut(name) else { continue };
            match (info.router.service.is_empty(), has_children) {
                (true, false) if !info.router.parent_refs.is_empty() => {
                    info.disable("router has no service and no child routers");
                }
                (false, true) => info.disable(
                    "router has both a service and is referenced as a parent by other routers",
                ),
                _ => {}
            }
        }
        self
    }
}
