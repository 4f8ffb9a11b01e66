//! Which page of the API a path means.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;

/// A page of the API. Names are decoded.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Route<'a> {
    RawData,
    Overview,
    Version,
    Diagnostics,
    EntryPoints,
    EntryPoint(Cow<'a, str>),
    Routers,
    Router(Cow<'a, str>),
    Services,
    Service(Cow<'a, str>),
    Middlewares,
    Middleware(Cow<'a, str>),
    /// A list of TCP or UDP objects or of certificates: there are none.
    Nothing,
    /// An object of a [`Route::Nothing`] list, by its kind.
    Unknown {
        kind: &'static str,
        name: Cow<'a, str>,
    },
}

impl<'a> Route<'a> {
    /// Finds the page for a path below the API's base path; `None` if there is none.
    pub(crate) fn find(path: &'a str) -> Option<Self> {
        let mut segments = path.strip_prefix("/api/")?.split('/');
        let route = match (segments.next()?, segments.next(), segments.next()) {
            ("rawdata", None, _) => Self::RawData,
            ("overview", None, _) => Self::Overview,
            ("version", None, _) => Self::Version,
            ("diagnostics", None, _) => Self::Diagnostics,
            ("entrypoints", None, _) => Self::EntryPoints,
            ("entrypoints", Some(name), None) => Self::EntryPoint(decode(name)?),
            ("http", Some("routers"), None) => Self::Routers,
            ("http", Some("routers"), Some(name)) => Self::Router(decode(name)?),
            ("http", Some("services"), None) => Self::Services,
            ("http", Some("services"), Some(name)) => Self::Service(decode(name)?),
            ("http", Some("middlewares"), None) => Self::Middlewares,
            ("http", Some("middlewares"), Some(name)) => Self::Middleware(decode(name)?),
            ("tcp", Some("routers" | "services" | "middlewares"), None)
            | ("udp", Some("routers" | "services"), None)
            | ("certificates", None, _) => Self::Nothing,
            ("tcp" | "udp", Some("routers"), Some(name)) => unknown("router", name)?,
            ("tcp" | "udp", Some("services"), Some(name)) => unknown("service", name)?,
            ("tcp", Some("middlewares"), Some(name)) => unknown("middleware", name)?,
            ("certificates", Some(name), None) => unknown("certificate", name)?,
            _ => return None,
        };
        segments.next().is_none().then_some(route)
    }
}

fn unknown<'a>(kind: &'static str, name: &'a str) -> Option<Route<'a>> {
    Some(Route::Unknown { kind, name: decode(name)? })
}

/// Decodes a name; an empty one is no name.
fn decode(name: &str) -> Option<Cow<'_, str>> {
    if name.is_empty() {
        return None;
    }
    percent_decode_str(name).decode_utf8().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(path: &str, expected: Option<Route<'_>>) {
        assert_eq!(Route::find(path), expected, "path {path}");
    }

    #[test]
    fn lists_and_single_objects() {
        check("/api/rawdata", Some(Route::RawData));
        check("/api/entrypoints", Some(Route::EntryPoints));
        check("/api/entrypoints/web", Some(Route::EntryPoint("web".into())));
        check("/api/http/routers", Some(Route::Routers));
        check("/api/http/routers/a%2Fb%40file", Some(Route::Router("a/b@file".into())));
        check("/api/tcp/middlewares", Some(Route::Nothing));
        let unknown = Route::Unknown { kind: "certificate", name: "x".into() };
        check("/api/certificates/x", Some(unknown));
    }

    #[test]
    fn other_paths_are_not_the_apis() {
        check("/api", None);
        check("/api/", None);
        check("/api/version/", None);
        check("/api/http/routers/", None);
        check("/api/http/routers/a/b", None);
        check("/api/udp/middlewares", None);
        check("/api/http/routers/%FF", None);
        check("/other", None);
    }
}
