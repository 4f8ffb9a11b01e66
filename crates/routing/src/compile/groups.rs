//! Services over services: weighted, highestRandomWeight, mirroring, failover.
//!
//! Health goes up the tree only where every service on the way says `healthCheck`; a parent that
//! wants to know and a child that does not tell are an error, as in Traefik.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use balance::{Rendezvous, RoundRobin, Sticky};
use config::dynamic::{
    Failover as FailoverSettings, Mirroring as MirroringSettings, Service as ServiceSettings,
    WeightedService,
};
use exchange::StatusRanges;

use super::load_balancers::first_pick;
use super::middlewares::Middlewares;
use super::qualify;
use super::services::Services;
use crate::{Failover, HighestRandomWeight, Mirror, Mirroring, Service, ServiceKind, Weighted};

impl<'a> Services<'a> {
    /// Builds the services that a service leads to, in the order of the settings.
    pub(super) fn children(
        &mut self,
        name: &str,
        settings: &ServiceSettings,
        middlewares: &mut Middlewares<'a>,
    ) -> Result<Vec<Arc<Service>>, String> {
        let mut built = Vec::new();
        if let Some(weighted) = &settings.weighted {
            for child in &weighted.services {
                let service = self.child(name, &child.name, middlewares);
                built.push(
                    service.map_err(|error| {
                        format!("building HTTP service {:?}: {error}", child.name)
                    })?,
                );
                if weighted.health_check.is_some() {
                    self.check_reports(name, &child.name)?;
                }
            }
        } else if let Some(hashed) = &settings.highest_random_weight {
            for child in &hashed.services {
                built.push(self.child(name, &child.name, middlewares)?);
                if hashed.health_check.is_some() {
                    self.check_reports(name, &child.name)?;
                }
            }
        } else if let Some(mirroring) = &settings.mirroring {
            built.push(self.child(name, &mirroring.service, middlewares)?);
            for mirror in &mirroring.mirrors {
                built.push(self.child(name, &mirror.name, middlewares)?);
            }
        } else if let Some(failover) = &settings.failover {
            built.push(self.child(name, &failover.service, middlewares)?);
            let falls_back_on_status =
                failover.errors.as_ref().is_some_and(|errors| !errors.status.is_empty());
            if !falls_back_on_status {
                self.check_reports(name, &failover.service)?;
            }
            statuses(name, failover)?;
            built.push(self.child(name, &failover.fallback, middlewares)?);
            if failover.health_check.is_some() {
                self.check_reports(name, &failover.fallback)?;
            }
        }
        Ok(built)
    }

    fn child(
        &mut self,
        name: &str,
        child: &str,
        middlewares: &mut Middlewares<'a>,
    ) -> Result<Arc<Service>, String> {
        self.service(&qualify(child, name), middlewares)
    }

    /// Refuses a child whose health the service `name` wants to know and cannot.
    fn check_reports(&self, name: &str, child: &str) -> Result<(), String> {
        match self.reports(&qualify(child, name)) {
            Reports::Yes => Ok(()),
            Reports::Never => {
                Err(format!("child service {child} of {name} not a healthcheck.StatusUpdater"))
            }
            Reports::No(why) => {
                Err(format!("cannot register {child} as updater for {name}: {why}"))
            }
        }
    }

    /// Finds out whether a service tells its health.
    fn reports(&self, name: &str) -> Reports {
        let Some(service) = self.input.configuration.http.services.get(name) else {
            return Reports::Never;
        };
        let (says_so, kind) = if let Some(balancer) = &service.load_balancer {
            // Traefik: passive checks alone are not enough, although they take servers out.
            let is_checked =
                balancer.health_check.is_some() || balancer.passive_health_check.is_some();
            (is_checked, strategy_word(&balancer.strategy))
        } else if let Some(weighted) = &service.weighted {
            (weighted.health_check.is_some(), "WRR")
        } else if let Some(hashed) = &service.highest_random_weight {
            (hashed.health_check.is_some(), "HRW")
        } else if let Some(failover) = &service.failover {
            (failover.health_check.is_some(), "failover")
        } else if let Some(mirroring) = &service.mirroring {
            (mirroring.health_check.is_some(), "mirroring")
        } else {
            return Reports::Never;
        };
        if !says_so {
            return Reports::No(format!(
                "healthCheck not enabled in config for this {kind} service"
            ));
        }
        // A mirroring's health is that of its main service.
        match &service.mirroring {
            None => Reports::Yes,
            Some(mirroring) => match self.reports(&qualify(&mirroring.service, name)) {
                Reports::No(why) => {
                    Reports::No(format!("cannot register service of mirroring as updater: {why}"))
                }
                Reports::Never => {
                    Reports::No("service of mirroring not a healthcheck.StatusUpdater".to_owned())
                }
                Reports::Yes => Reports::Yes,
            },
        }
    }
}

/// Whether a service tells its health to those above it.
enum Reports {
    Yes,
    No(String),
    /// Services of its kind do not.
    Never,
}

/// What Traefik calls a load balancer in this place.
fn strategy_word(strategy: &str) -> &'static str {
    match strategy {
        "p2c" => "P2C",
        "hrw" => "HRW",
        "leasttime" => "LeastTime",
        "leastconn" => "LeastConn",
        "source" => "source",
        _ => "WRR",
    }
}

/// Puts a service together from its children, which [`Services::children`] gave.
pub(super) fn compile(
    name: &str,
    settings: &ServiceSettings,
    children: Vec<Arc<Service>>,
) -> Result<ServiceKind, String> {
    if let Some(weighted) = &settings.weighted {
        let cookie = weighted.sticky.as_ref().and_then(|sticky| sticky.cookie.as_ref());
        let members = Members::new(&weighted.services, children);
        return Ok(ServiceKind::Weighted(Weighted {
            strategy: RoundRobin::new(&members.weights, first_pick(name, members.services.len())),
            sticky: cookie.map(|cookie| Sticky::new(cookie, name, &members.names)),
            services: members.services.into(),
            is_health_aware: weighted.health_check.is_some(),
        }));
    }
    if let Some(hashed) = &settings.highest_random_weight {
        let members = Members::new(&hashed.services, children);
        return Ok(ServiceKind::HighestRandomWeight(HighestRandomWeight {
            strategy: Rendezvous::like_traefik(&members.names, &members.weights),
            services: members.services.into(),
            is_health_aware: hashed.health_check.is_some(),
        }));
    }
    let mut children = children.into_iter();
    if let Some(mirroring) = &settings.mirroring
        && let Some(service) = children.next()
    {
        return compile_mirroring(mirroring, service, children).map(ServiceKind::Mirroring);
    }
    if let Some(failover) = &settings.failover
        && let (Some(service), Some(fallback)) = (children.next(), children.next())
    {
        return compile_failover(name, failover, service, fallback).map(ServiceKind::Failover);
    }
    Err(format!("the service {name:?} does not have any type defined"))
}

/// The children that take part.
struct Members<'a> {
    services: Vec<Arc<Service>>,
    /// As written.
    names: Vec<&'a str>,
    weights: Vec<i64>,
}

impl<'a> Members<'a> {
    fn new(settings: &'a [WeightedService], children: Vec<Arc<Service>>) -> Self {
        let mut members = Self { services: Vec::new(), names: Vec::new(), weights: Vec::new() };
        for (settings, service) in settings.iter().zip(children) {
            let weight = settings.weight.unwrap_or(1);
            if weight > 0 {
                members.services.push(service);
                members.names.push(&settings.name);
                members.weights.push(weight);
            }
        }
        members
    }
}

fn compile_mirroring(
    settings: &MirroringSettings,
    service: Arc<Service>,
    mirrors: impl Iterator<Item = Arc<Service>>,
) -> Result<Mirroring, String> {
    let mirrors = settings.mirrors.iter().zip(mirrors).map(|(settings, service)| {
        let percent = u8::try_from(settings.percent).ok().filter(|percent| *percent <= 100);
        let percent = percent.ok_or("percent must be between 0 and 100")?;
        Ok(Mirror { service, percent })
    });
    Ok(Mirroring {
        service,
        mirrors: mirrors.collect::<Result<_, String>>()?,
        mirrors_body: settings.mirror_body.unwrap_or(true),
        body_bytes_max: limit(settings.max_body_size),
        turns: AtomicU64::new(0),
    })
}

fn compile_failover(
    name: &str,
    settings: &FailoverSettings,
    service: Arc<Service>,
    fallback: Arc<Service>,
) -> Result<Failover, String> {
    let errors = settings.errors.as_ref();
    Ok(Failover {
        service,
        fallback,
        watches_fallback: settings.health_check.is_some(),
        statuses: statuses(name, settings)?,
        body_bytes_max: limit(errors.and_then(|errors| errors.max_request_body_bytes)),
    })
}

fn statuses(name: &str, settings: &FailoverSettings) -> Result<StatusRanges, String> {
    let statuses = settings.errors.as_ref().map_or(&[][..], |errors| &errors.status);
    StatusRanges::parse(statuses).map_err(|error| {
        format!("error creating failover service {name}: creating HTTP code ranges: {error}")
    })
}

/// A negative limit is none, and so is none.
fn limit(bytes: Option<i64>) -> u64 {
    bytes.and_then(|bytes| u64::try_from(bytes).ok()).unwrap_or(u64::MAX)
}
