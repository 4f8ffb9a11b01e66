//! The registry: one arm per kind of middleware.

use std::sync::Arc;

use config::dynamic::Middleware;

use crate::{
    Built, Surroundings, add_prefix, async_stage, basic_auth, buffering, circuit_breaker, compress,
    content_type, digest_auth, encoded_characters, errors, forward_auth, grpc_web, headers,
    in_flight_req, ip_allow_list, pass_tls_client_cert, per_owner, rate_limit, redirect_regex,
    redirect_scheme, replace_path, replace_path_regex, retry, strip_prefix, strip_prefix_regex,
    sync_stage,
};

/// Builds the middleware `name` (as `name@provider`) from its settings.
///
/// # Errors
/// Traefik's texts: for no kind, more than one kind, and whatever the kind itself refuses.
pub fn build(
    name: &Arc<str>,
    settings: &Middleware,
    surroundings: &mut dyn Surroundings,
) -> Result<Built, String> {
    // Destructured in full, so that a kind that `config` gains does not compile without its arm.
    let Middleware {
        add_prefix,
        strip_prefix,
        strip_prefix_regex,
        replace_path,
        replace_path_regex,
        chain,
        ip_white_list,
        ip_allow_list,
        headers,
        encoded_characters,
        errors,
        rate_limit,
        redirect_regex,
        redirect_scheme,
        basic_auth,
        digest_auth,
        forward_auth,
        in_flight_req,
        buffering,
        circuit_breaker,
        compress,
        pass_tls_client_cert,
        retry,
        content_type,
        grpc_web,
        plugin,
    } = settings;

    let mut kinds = Kinds { chosen: None };
    kinds.offer(add_prefix, Kind::AddPrefix)?;
    kinds.offer(strip_prefix, Kind::StripPrefix)?;
    kinds.offer(strip_prefix_regex, Kind::StripPrefixRegex)?;
    kinds.offer(replace_path, Kind::ReplacePath)?;
    kinds.offer(replace_path_regex, Kind::ReplacePathRegex)?;
    kinds.offer(chain, Kind::Chain)?;
    kinds.offer(ip_white_list, Kind::IpWhiteList)?;
    kinds.offer(ip_allow_list, Kind::IpAllowList)?;
    kinds.offer(headers, Kind::Headers)?;
    kinds.offer(encoded_characters, Kind::EncodedCharacters)?;
    kinds.offer(errors, Kind::Errors)?;
    kinds.offer(rate_limit, Kind::RateLimit)?;
    kinds.offer(redirect_regex, Kind::RedirectRegex)?;
    kinds.offer(redirect_scheme, Kind::RedirectScheme)?;
    kinds.offer(basic_auth, Kind::BasicAuth)?;
    kinds.offer(digest_auth, Kind::DigestAuth)?;
    kinds.offer(forward_auth, Kind::ForwardAuth)?;
    kinds.offer(in_flight_req, Kind::InFlightReq)?;
    kinds.offer(buffering, Kind::Buffering)?;
    kinds.offer(circuit_breaker, Kind::CircuitBreaker)?;
    kinds.offer(compress, Kind::Compress)?;
    kinds.offer(pass_tls_client_cert, Kind::PassTlsClientCert)?;
    kinds.offer(retry, Kind::Retry)?;
    kinds.offer(content_type, Kind::ContentType)?;
    kinds.offer(grpc_web, Kind::GrpcWeb)?;
    let plugins = (!plugin.is_empty()).then_some(plugin);
    kinds.offer(&plugins, |_| Kind::Unsupported("plugin"))?;

    let stage = match kinds.chosen {
        None => {
            return Err(format!(
                "invalid middleware {name:?} configuration: invalid middleware type or middleware \
                 does not exist"
            ));
        }
        Some(Kind::Chain(settings)) => return Ok(Built::Chain(settings.middlewares.clone())),
        Some(Kind::Unsupported(kind)) => {
            return Err(format!("middleware kind {kind} is not supported yet"));
        }
        Some(Kind::RateLimit(settings)) => {
            let limit = rate_limit::RateLimit::new(name, settings)?;
            return Ok(per_owner(name, limit, |name, limit| {
                async_stage(name, rate_limit::Buckets::new(Arc::clone(limit)))
            }));
        }
        Some(Kind::InFlightReq(settings)) => {
            let limit = in_flight_req::InFlightReq::new(name, settings)?;
            return Ok(per_owner(name, limit, |name, limit| {
                sync_stage(name, in_flight_req::Places::new(Arc::clone(limit)))
            }));
        }
        Some(Kind::AddPrefix(settings)) => sync_stage(name, add_prefix::AddPrefix::new(settings)?),
        Some(Kind::StripPrefix(settings)) => {
            sync_stage(name, strip_prefix::StripPrefix::new(name, settings)?)
        }
        Some(Kind::StripPrefixRegex(settings)) => {
            sync_stage(name, strip_prefix_regex::StripPrefixRegex::new(settings)?)
        }
        Some(Kind::ReplacePath(settings)) => {
            sync_stage(name, replace_path::ReplacePath::new(settings))
        }
        Some(Kind::ReplacePathRegex(settings)) => {
            sync_stage(name, replace_path_regex::ReplacePathRegex::new(settings)?)
        }
        Some(Kind::IpWhiteList(settings)) => {
            tracing::warn!(
                middleware = &**name,
                "ipWhiteList is deprecated, please use ipAllowList instead"
            );
            sync_stage(name, ip_allow_list::IpAllowList::white_list(settings)?)
        }
        Some(Kind::IpAllowList(settings)) => {
            sync_stage(name, ip_allow_list::IpAllowList::new(settings)?)
        }
        Some(Kind::Headers(settings)) => sync_stage(name, headers::Headers::new(settings)?),
        Some(Kind::EncodedCharacters(settings)) => {
            sync_stage(name, encoded_characters::EncodedCharacters::new(settings))
        }
        Some(Kind::Errors(settings)) => {
            async_stage(name, errors::Errors::new(settings, surroundings)?)
        }
        Some(Kind::RedirectRegex(settings)) => {
            sync_stage(name, redirect_regex::RedirectRegex::new(settings)?)
        }
        Some(Kind::RedirectScheme(settings)) => {
            sync_stage(name, redirect_scheme::RedirectScheme::new(settings)?)
        }
        Some(Kind::BasicAuth(settings)) => async_stage(name, basic_auth::BasicAuth::new(settings)?),
        Some(Kind::ForwardAuth(settings)) => {
            async_stage(name, forward_auth::ForwardAuth::new(name, settings, surroundings)?)
        }
        Some(Kind::Compress(settings)) => sync_stage(name, compress::Compress::new(settings)?),
        Some(Kind::CircuitBreaker(settings)) => {
            let breaker = circuit_breaker::CircuitBreaker::new(settings)?;
            return Ok(per_owner(name, breaker, |name, breaker| {
                sync_stage(name, circuit_breaker::Circuit::new(name, Arc::clone(breaker)))
            }));
        }
        Some(Kind::DigestAuth(settings)) => {
            sync_stage(name, digest_auth::DigestAuth::new(settings)?)
        }
        Some(Kind::PassTlsClientCert(settings)) => {
            sync_stage(name, pass_tls_client_cert::PassTlsClientCert::new(settings))
        }
        Some(Kind::Buffering(settings)) => async_stage(name, buffering::Buffering::new(settings)?),
        Some(Kind::GrpcWeb(settings)) => sync_stage(name, grpc_web::GrpcWeb::new(settings)),
        Some(Kind::ContentType(settings)) => {
            async_stage(name, content_type::ContentType::new(name, settings))
        }
        Some(Kind::Retry(settings)) => async_stage(name, retry::Retry::new(settings)?),
    };
    Ok(Built::Stage(stage))
}

/// The kind a user chose, with its settings.
enum Kind<'a> {
    AddPrefix(&'a config::dynamic::AddPrefix),
    StripPrefix(&'a config::dynamic::StripPrefix),
    StripPrefixRegex(&'a config::dynamic::StripPrefixRegex),
    ReplacePath(&'a config::dynamic::ReplacePath),
    ReplacePathRegex(&'a config::dynamic::ReplacePathRegex),
    Chain(&'a config::dynamic::Chain),
    IpWhiteList(&'a config::dynamic::IpAllowList),
    IpAllowList(&'a config::dynamic::IpAllowList),
    Headers(&'a config::dynamic::Headers),
    EncodedCharacters(&'a config::dynamic::EncodedCharacters),
    Errors(&'a config::dynamic::ErrorPage),
    RedirectRegex(&'a config::dynamic::RedirectRegex),
    RedirectScheme(&'a config::dynamic::RedirectScheme),
    BasicAuth(&'a config::dynamic::BasicAuth),
    ForwardAuth(&'a config::dynamic::ForwardAuth),
    Compress(&'a config::dynamic::Compress),
    Retry(&'a config::dynamic::Retry),
    RateLimit(&'a config::dynamic::RateLimit),
    InFlightReq(&'a config::dynamic::InFlightReq),
    CircuitBreaker(&'a config::dynamic::CircuitBreaker),
    DigestAuth(&'a config::dynamic::DigestAuth),
    PassTlsClientCert(&'a config::dynamic::PassTlsClientCert),
    Buffering(&'a config::dynamic::Buffering),
    GrpcWeb(&'a config::dynamic::GrpcWeb),
    ContentType(&'a config::dynamic::ContentType),
    /// Known by its name, without code.
    Unsupported(&'static str),
}

struct Kinds<'a> {
    chosen: Option<Kind<'a>>,
}

impl<'a> Kinds<'a> {
    fn offer<T>(
        &mut self,
        settings: &'a Option<T>,
        kind: impl FnOnce(&'a T) -> Kind<'a>,
    ) -> Result<(), String> {
        let Some(settings) = settings else { return Ok(()) };
        if self.chosen.is_some() {
            return Err(
                "cannot create middleware: multi-types middleware not supported, consider \
                        declaring two different pieces of middleware instead"
                    .to_owned(),
            );
        }
        self.chosen = Some(kind(settings));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::FakeSurroundings;

    fn check(settings: &Middleware, expected: Result<&str, &str>) {
        let name: Arc<str> = "m@file".into();
        let built = build(&name, settings, &mut FakeSurroundings::default());
        let told = match &built {
            Ok(Built::Stage(stage)) => Ok(format!("stage {}", stage.name())),
            Ok(Built::PerOwner(maker)) => Ok(format!("own stage {}", maker().name())),
            Ok(Built::Chain(names)) => Ok(format!("chain {}", names.join(","))),
            Err(text) => Err(text.as_str()),
        };
        assert_eq!(told.as_deref().map_err(|text| *text), expected);
    }

    #[test]
    fn one_kind_builds_a_stage_with_the_middlewares_name() {
        let settings = Middleware {
            add_prefix: Some(config::dynamic::AddPrefix { prefix: "/a".to_owned() }),
            ..Middleware::default()
        };
        check(&settings, Ok("stage m@file"));
    }

    #[test]
    fn chains_are_given_back_as_written() {
        let chain = config::dynamic::Chain { middlewares: vec!["a".into(), "b@docker".into()] };
        check(&Middleware { chain: Some(chain), ..Middleware::default() }, Ok("chain a,b@docker"));
    }

    #[test]
    fn no_kind_and_two_kinds_are_refused_with_traefiks_words() {
        check(
            &Middleware::default(),
            Err("invalid middleware \"m@file\" configuration: invalid middleware type or \
                 middleware does not exist"),
        );
        let two = Middleware {
            add_prefix: Some(config::dynamic::AddPrefix::default()),
            rate_limit: Some(config::dynamic::RateLimit::default()),
            ..Middleware::default()
        };
        check(
            &two,
            Err("cannot create middleware: multi-types middleware not supported, consider \
                 declaring two different pieces of middleware instead"),
        );
    }

    #[test]
    fn kinds_with_state_are_built_for_every_chain() {
        let settings = Middleware {
            rate_limit: Some(config::dynamic::RateLimit::default()),
            ..Middleware::default()
        };
        check(&settings, Ok("own stage m@file"));
    }

    #[test]
    fn kinds_without_code_say_so() {
        let settings = Middleware {
            plugin: [("demo".to_owned(), Default::default())].into_iter().collect(),
            ..Middleware::default()
        };
        check(&settings, Err("middleware kind plugin is not supported yet"));
    }
}
