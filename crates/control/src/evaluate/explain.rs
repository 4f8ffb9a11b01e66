//! What an error of compile is about: its code, and the value at fault.
//!
//! The texts are Traefik's, which users know and the API shows, and so they are what is read here.

use config::decode_dynamic::Kind;

use crate::aggregate::{Id, qualify};

/// What an error is about.
pub(super) struct Cause {
    pub(super) code: &'static str,
    /// Path of the value in the object; empty: the object as a whole.
    pub(super) field: String,
    pub(super) missing: Option<Missing>,
}

/// A name that nothing has.
pub(super) struct Missing {
    pub(super) what: What,
    /// Qualified, where such names are.
    pub(super) name: String,
}

/// What can be named.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum What {
    EntryPoint,
    Object(Kind),
}

/// Explains an error of the object `id`; `values` gives the values of one of its lists.
pub(super) fn explain(error: &str, id: &Id, values: impl Fn(&str) -> Vec<String>) -> Cause {
    // The element of a list that is this object.
    let element = |list: &str, name: &str| {
        let found = values(list).iter().position(|value| qualify(value, &id.name) == name)?;
        Some(format!("{list}[{found}]"))
    };
    let missing =
        |kind: Kind, name: &str| Some(Missing { what: What::Object(kind), name: name.to_owned() });
    if let Some(name) = between(error, "entryPoint \"", "\" doesn't exist") {
        let found = values("entryPoints").iter().position(|value| value == name);
        return Cause {
            code: "unknown-entry-point",
            field: found.map_or("entryPoints".to_owned(), |index| format!("entryPoints[{index}]")),
            missing: Some(Missing { what: What::EntryPoint, name: name.to_owned() }),
        };
    }
    if let Some(name) = between(error, "the service \"", "\" does not exist") {
        let own = |field: &str| {
            let is_own = values(field).iter().any(|value| qualify(value, &id.name) == name);
            is_own.then(|| field.to_owned())
        };
        let child = || {
            let index = values("children").iter().position(|c| qualify(c, &id.name) == name)?;
            Some(format!("weighted.services[{index}].name"))
        };
        let field =
            own("service").or_else(|| own("errors.service")).or_else(child).unwrap_or_default();
        return Cause { code: "unknown-service", field, missing: missing(Kind::Service, name) };
    }
    if let Some(name) = between(error, "middleware \"", "\" does not exist") {
        return Cause {
            code: "unknown-middleware",
            field: element("middlewares", name)
                .or_else(|| element("chain.middlewares", name))
                .unwrap_or_default(),
            missing: missing(Kind::Middleware, name),
        };
    }
    if let Some(name) = between(error, "parent router \"", "\" does not exist") {
        return Cause {
            code: "unknown-parent-router",
            field: element("parentRefs", name).unwrap_or_default(),
            missing: missing(Kind::Router, name),
        };
    }
    if let Some((_, name)) = error.split_once("unknown TLS options: ") {
        return Cause {
            code: "unknown-tls-options",
            field: "tls.options".to_owned(),
            missing: missing(Kind::TlsOptions, name),
        };
    }
    if let Some((_, name)) = error.split_once("servers transport not found ") {
        return Cause {
            code: "unknown-servers-transport",
            field: "loadBalancer.serversTransport".to_owned(),
            missing: missing(Kind::ServersTransport, name),
        };
    }
    let server_url = || {
        let urls = values("servers");
        let is_named = |url: &String| !url.is_empty() && error.contains(url.as_str());
        let index =
            urls.iter().position(is_named).or_else(|| urls.iter().position(String::is_empty));
        index.map(|index| format!("loadBalancer.servers[{index}].url")).unwrap_or_default()
    };
    let (code, field) = match error {
        _ if error.contains("parsing server URL") || error.starts_with("server URL ") => {
            ("invalid-server-url", server_url())
        }
        _ if error.contains("not supported yet") => ("not-supported-yet", String::new()),
        _ if error.starts_with("error while parsing rule") => ("invalid-rule", "rule".to_owned()),
        _ if error.starts_with("the router priority") => {
            ("invalid-priority", "priority".to_owned())
        }
        _ if error.starts_with("no valid entryPoint") => {
            ("no-entry-point", "entryPoints".to_owned())
        }
        _ if error.contains("recursion detected") || error.contains("cyclic reference") => {
            ("circular-reference", String::new())
        }
        _ if error.contains("multi-types") => ("several-kinds", String::new()),
        _ if error.contains("does not have any type defined") => ("no-kind", String::new()),
        _ if error.contains("different TLS options") || error.contains("TLSOptions") => {
            ("conflicting-tls-options", "tls.options".to_owned())
        }
        _ if error.starts_with("non-root router") => ("invalid-child-router", String::new()),
        _ if error.starts_with("was deleted") => ("deleted-but-referred-to", String::new()),
        _ => {
            let code = match id.kind {
                Kind::Router => "invalid-router",
                Kind::Service => "invalid-service",
                _ => "invalid-middleware",
            };
            (code, String::new())
        }
    };
    Cause { code, field, missing: None }
}

/// The text between two others.
fn between<'a>(text: &'a str, start: &str, end: &str) -> Option<&'a str> {
    let (_, rest) = text.split_once(start)?;
    rest.split_once(end).map(|(found, _)| found)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Expects this code and field for an error of a router with two middlewares.
    fn check(error: &str, code: &str, field: &str) {
        let id = Id::new(Kind::Router, "web@file");
        let cause = explain(error, &id, |list| match list {
            "service" => vec!["app".to_owned()],
            "middlewares" => vec!["a".to_owned(), "b@docker".to_owned()],
            "entryPoints" => vec!["web".to_owned(), "nope".to_owned()],
            _ => Vec::new(),
        });
        assert_eq!((cause.code, cause.field.as_str()), (code, field), "{error}");
    }

    #[test]
    fn the_value_at_fault_is_found() {
        check("the service \"app@file\" does not exist", "unknown-service", "service");
        check("the service \"other@file\" does not exist", "unknown-service", "");
        check("middleware \"a@file\" does not exist", "unknown-middleware", "middlewares[0]");
        check("middleware \"b@docker\" does not exist", "unknown-middleware", "middlewares[1]");
        check("entryPoint \"nope\" doesn't exist", "unknown-entry-point", "entryPoints[1]");
        check(
            "building router handler: unknown TLS options: x@file",
            "unknown-tls-options",
            "tls.options",
        );
        check("error while parsing rule Foo: x", "invalid-rule", "rule");
        check("something new", "invalid-router", "");
    }
}
