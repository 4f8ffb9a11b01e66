//! Middlewares, built when a router's chain asks for them.

use std::collections::HashMap;
use std::sync::Arc;

use config::dynamic::Middleware;
use exchange::{ServiceHandle, Stage};
use middleware::{Built, Endpoint, Surroundings};

use super::services::Services;
use super::{Input, is_same, qualify, runtime::Runtime};

/// A middleware and what it was built from.
#[derive(Clone)]
pub(crate) struct Kept {
    settings: Arc<Middleware>,
    /// Services it calls: if one of them changed, so did this.
    parts: Vec<usize>,
    built: Parts,
}

/// A stage, or the names of a chain.
#[derive(Clone)]
enum Parts {
    Stage(Stage),
    Chain(Vec<String>),
}

/// Builds middlewares.
pub(crate) struct Middlewares<'a> {
    input: &'a Input<'a>,
    previous: &'a HashMap<String, Kept>,
    built: HashMap<String, Result<Kept, String>>,
    /// Names on the way down a chain, to find circles.
    path: Vec<String>,
    /// Chains whose members failed, and with what.
    failed: Vec<(String, String)>,
}

impl<'a> Middlewares<'a> {
    pub(crate) fn new(input: &'a Input<'a>, previous: &'a HashMap<String, Kept>) -> Self {
        Self { input, previous, built: HashMap::new(), path: Vec::new(), failed: Vec::new() }
    }

    /// Gives the stages of a list of names, chains expanded. `owner` is who names them.
    pub(crate) fn stages(
        &mut self,
        names: &[String],
        owner: &str,
        services: &mut Services<'a>,
    ) -> Result<Vec<Stage>, String> {
        // Last to first, as Traefik builds: of several faults the last is told.
        let mut groups = Vec::new();
        for name in names.iter().rev() {
            let mut group = Vec::new();
            self.collect(&qualify(name, owner), services, &mut group)?;
            groups.push(group);
        }
        Ok(groups.into_iter().rev().flatten().collect())
    }

    fn collect(
        &mut self,
        name: &str,
        services: &mut Services<'a>,
        stages: &mut Vec<Stage>,
    ) -> Result<(), String> {
        if let Some(start) = self.path.iter().position(|on_way| on_way == name) {
            let circle = self.path[start..].join("->middleware:");
            return Err(format!(
                "could not instantiate middleware {name}: recursion detected in \
                 middleware:{circle}->middleware:{name}"
            ));
        }
        self.path.push(name.to_owned());
        let collected = match self.build(name, services) {
            Err(error) => Err(error),
            Ok(Parts::Stage(stage)) => {
                stages.push(stage);
                Ok(())
            }
            Ok(Parts::Chain(names)) => names
                .iter()
                .try_for_each(|inner| self.collect(&qualify(inner, name), services, stages)),
        };
        self.path.pop();
        if let Err(error) = &collected {
            self.failed.push((name.to_owned(), error.clone()));
        }
        collected
    }

    fn build(&mut self, name: &str, services: &mut Services<'a>) -> Result<Parts, String> {
        if let Some(built) = self.built.get(name) {
            return built.as_ref().map(|kept| kept.built.clone()).map_err(Clone::clone);
        }
        let built = self.build_new(name, services);
        self.built.insert(name.to_owned(), built.clone());
        built.map(|kept| kept.built)
    }

    fn build_new(&mut self, name: &str, services: &mut Services<'a>) -> Result<Kept, String> {
        let configuration = self.input.configuration;
        let settings = configuration
            .http
            .middlewares
            .get(name)
            .ok_or_else(|| format!("middleware {name:?} does not exist"))?;
        let before = self.previous.get(name).filter(|kept| is_same(&kept.settings, settings));
        // What calls no service cannot have changed with one.
        if let Some(kept) = before
            && kept.parts.is_empty()
        {
            return Ok(kept.clone());
        }
        let mut nearby = Nearby { owner: name, services, middlewares: self, parts: Vec::new() };
        let built = middleware::build(&Arc::from(name), settings, &mut nearby)?;
        let parts = nearby.parts;
        if let Some(kept) = before.filter(|kept| kept.parts == parts) {
            return Ok(kept.clone());
        }
        let built = match built {
            Built::Stage(stage) => Parts::Stage(stage),
            Built::Chain(names) => Parts::Chain(names),
        };
        Ok(Kept { settings: Arc::clone(settings), parts, built })
    }

    /// Tells the runtime what became of the middlewares.
    pub(crate) fn finish(self, runtime: &mut Runtime) -> HashMap<String, Kept> {
        let mut kept_middlewares = HashMap::new();
        for (name, error) in self.failed {
            if let Some(info) = runtime.middlewares.get_mut(&name) {
                info.disable(error);
            }
        }
        for (name, built) in self.built {
            if let Some(info) = runtime.middlewares.get_mut(&name)
                && info.middleware.chain.is_some()
                && let Some(chain) = &mut Arc::make_mut(&mut info.middleware).chain
            {
                for inner in &mut chain.middlewares {
                    *inner = qualify(inner, &name);
                }
            }
            match built {
                Ok(kept) => {
                    kept_middlewares.insert(name, kept);
                }
                Err(error) => {
                    if let Some(info) = runtime.middlewares.get_mut(&name) {
                        info.disable(error);
                    }
                }
            }
        }
        kept_middlewares
    }
}

/// What a middleware finds around it.
struct Nearby<'b, 'a> {
    owner: &'b str,
    services: &'b mut Services<'a>,
    middlewares: &'b mut Middlewares<'a>,
    parts: Vec<usize>,
}

impl Surroundings for Nearby<'_, '_> {
    fn service(&mut self, name: &str) -> Result<ServiceHandle, String> {
        let service = self.services.service(&qualify(name, self.owner), self.middlewares)?;
        self.parts.push(Arc::as_ptr(&service) as usize);
        Ok(ServiceHandle(service))
    }

    fn endpoint(&mut self, endpoint: &Endpoint) -> Result<ServiceHandle, String> {
        let service = self.services.endpoint(endpoint)?;
        self.parts.push(Arc::as_ptr(&service) as usize);
        Ok(ServiceHandle(service))
    }
}

/// Where a stage's middleware lives: tells whether two stages are the same.
pub(crate) fn address(stage: &Stage) -> usize {
    match stage {
        Stage::Sync { middleware, .. } => Arc::as_ptr(middleware).cast::<()>() as usize,
        Stage::Async { middleware, .. } => Arc::as_ptr(middleware).cast::<()>() as usize,
    }
}
