//! Middlewares, built when a router's chain asks for them.

use std::collections::HashMap;
use std::sync::Arc;

use config::dynamic::Middleware;
use exchange::{ServiceHandle, Stage};
use middleware::{Built, Endpoint, StageMaker, Surroundings};

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

/// A stage, what makes one for every owner, or the names of a chain.
#[derive(Clone)]
enum Parts {
    Stage(Stage),
    PerOwner(StageMaker),
    Chain(Vec<String>),
}

/// What the next run needs of this one.
#[derive(Default)]
pub(crate) struct Memory {
    by_name: HashMap<String, Kept>,
    instances: Instances,
}

/// Stages with state of their own, and what made them. An owner may name a middleware many times.
type Instances = HashMap<Place, (StageMaker, Stage)>;

/// Who has a middleware in its chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Owner<'n> {
    Router(&'n str),
    Service(&'n str),
}

/// Where an instance of a middleware stands.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Place {
    owner_is_router: bool,
    owner: String,
    name: String,
    /// How many of that name stand before it.
    nth: usize,
}

impl Owner<'_> {
    fn name(&self) -> &str {
        match self {
            Self::Router(name) | Self::Service(name) => name,
        }
    }

    fn place(&self, name: &str, nth: usize) -> Place {
        let owner_is_router = matches!(self, Self::Router(_));
        Place { owner_is_router, owner: self.name().to_owned(), name: name.to_owned(), nth }
    }
}

/// Builds middlewares.
pub(crate) struct Middlewares<'a> {
    input: &'a Input<'a>,
    previous: &'a Memory,
    built: HashMap<String, Result<Kept, String>>,
    instances: Instances,
    /// Names on the way down a chain, to find circles.
    path: Vec<String>,
    /// Chains whose members failed, and with what.
    failed: Vec<(String, String)>,
}

impl<'a> Middlewares<'a> {
    pub(crate) fn new(input: &'a Input<'a>, previous: &'a Memory) -> Self {
        Self {
            input,
            previous,
            built: HashMap::new(),
            instances: HashMap::new(),
            path: Vec::new(),
            failed: Vec::new(),
        }
    }

    /// Gives the stages of a list of names, chains expanded. `owner` is who names them.
    pub(crate) fn stages(
        &mut self,
        names: &[String],
        owner: Owner<'_>,
        services: &mut Services<'a>,
    ) -> Result<Vec<Stage>, String> {
        // Last to first, as Traefik builds: of several faults the last is told.
        let mut groups = Vec::new();
        for name in names.iter().rev() {
            let mut group = Vec::new();
            self.collect(&qualify(name, owner.name()), services, &mut group)?;
            groups.push(group);
        }
        let mut seen: HashMap<String, usize> = HashMap::new();
        let parts = groups.into_iter().rev().flatten();
        Ok(parts
            .map(|(name, parts)| match parts {
                Made::Stage(stage) => stage,
                Made::PerOwner(maker) => {
                    let nth = seen.entry(name.clone()).or_default();
                    *nth += 1;
                    self.instance(owner.place(&name, *nth), maker)
                }
            })
            .collect())
    }

    /// Gives the stage of one place: that of the last run while its settings are the same.
    fn instance(&mut self, place: Place, maker: StageMaker) -> Stage {
        let same = |instances: &Instances| {
            let (made_by, stage) = instances.get(&place)?;
            Arc::ptr_eq(made_by, &maker).then(|| stage.clone())
        };
        // A router is asked for once per entry point.
        let kept = same(&self.instances).or_else(|| same(&self.previous.instances));
        let stage = kept.unwrap_or_else(|| maker());
        self.instances.insert(place, (maker, stage.clone()));
        stage
    }

    fn collect(
        &mut self,
        name: &str,
        services: &mut Services<'a>,
        stages: &mut Vec<(String, Made)>,
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
                stages.push((name.to_owned(), Made::Stage(stage)));
                Ok(())
            }
            Ok(Parts::PerOwner(maker)) => {
                stages.push((name.to_owned(), Made::PerOwner(maker)));
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
        let before =
            self.previous.by_name.get(name).filter(|kept| is_same(&kept.settings, settings));
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
            Built::PerOwner(maker) => Parts::PerOwner(maker),
            Built::Chain(names) => Parts::Chain(names),
        };
        Ok(Kept { settings: Arc::clone(settings), parts, built })
    }

    /// Tells the runtime what became of the middlewares.
    pub(crate) fn finish(self, runtime: &mut Runtime) -> Memory {
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
        Memory { by_name: kept_middlewares, instances: self.instances }
    }
}

/// One link of an expanded chain.
enum Made {
    Stage(Stage),
    PerOwner(StageMaker),
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
