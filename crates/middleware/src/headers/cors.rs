//! CORS: answers preflight requests and tells browsers who may read a response.

use config::dynamic::Headers as Settings;
use config::go_regex::GoRegex;
use exchange::{Request, Response};
use http::header::{
    ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS,
    ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE,
    ACCESS_CONTROL_REQUEST_HEADERS, ACCESS_CONTROL_REQUEST_METHOD, HeaderMap, HeaderValue, ORIGIN,
    VARY,
};
use http::{Method, StatusCode};

use crate::header_names::read_value;

const TRUE: HeaderValue = HeaderValue::from_static("true");
const ANY: HeaderValue = HeaderValue::from_static("*");
const EMPTY: HeaderValue = HeaderValue::from_static("");

pub(super) struct Cors {
    allows_credentials: bool,
    headers: Allowed,
    methods: Allowed,
    exposed: Option<HeaderValue>,
    max_age: Option<HeaderValue>,
    origins: Vec<HeaderValue>,
    origin_expressions: Vec<GoRegex>,
    adds_vary: bool,
}

/// What a preflight answer allows.
enum Allowed {
    Nothing,
    /// The list, or `*`.
    These(HeaderValue),
    /// What was asked for: with credentials, browsers read `*` as a name.
    Asked,
}

impl Allowed {
    fn new(name: &str, list: &[String], allows_credentials: bool) -> Result<Self, String> {
        if allows_credentials && list.iter().any(|item| item == "*") {
            return Ok(Self::Asked);
        }
        let joined = list.join(",");
        if joined.is_empty() {
            return Ok(Self::Nothing);
        }
        Ok(Self::These(read_value(name, &joined)?))
    }

    fn value(&self, asked: Option<&HeaderValue>) -> Option<HeaderValue> {
        match self {
            Self::Nothing => None,
            Self::These(value) => Some(value.clone()),
            Self::Asked => asked.filter(|value| !value.is_empty()).cloned(),
        }
    }
}

impl Cors {
    /// Gives `None` when no setting of CORS is used.
    pub(super) fn new(settings: &Settings) -> Result<Option<Self>, String> {
        let is_used = settings.access_control_allow_credentials
            || !settings.access_control_allow_headers.is_empty()
            || !settings.access_control_allow_methods.is_empty()
            || !settings.access_control_allow_origin_list.is_empty()
            || !settings.access_control_allow_origin_list_regex.is_empty()
            || !settings.access_control_expose_headers.is_empty()
            || settings.access_control_max_age.is_some()
            || settings.add_vary_header;
        if !is_used {
            return Ok(None);
        }
        let allows_credentials = settings.access_control_allow_credentials;
        let exposed = match Allowed::new(
            "accessControlExposeHeaders",
            &settings.access_control_expose_headers,
            allows_credentials,
        )? {
            Allowed::These(value) => Some(value),
            Allowed::Nothing | Allowed::Asked => None,
        };
        let origins = settings.access_control_allow_origin_list.iter();
        let expressions = settings.access_control_allow_origin_list_regex.iter();
        Ok(Some(Self {
            allows_credentials,
            headers: Allowed::new(
                "accessControlAllowHeaders",
                &settings.access_control_allow_headers,
                allows_credentials,
            )?,
            methods: Allowed::new(
                "accessControlAllowMethods",
                &settings.access_control_allow_methods,
                allows_credentials,
            )?,
            exposed,
            max_age: settings.access_control_max_age.map(HeaderValue::from),
            origins: origins
                .map(|origin| read_value("accessControlAllowOriginList", origin))
                .collect::<Result<_, _>>()?,
            origin_expressions: expressions
                .map(|text| GoRegex::new(text))
                .collect::<Result<_, _>>()
                .map_err(|error| format!("error occurred during origin parsing: {error}"))?,
            adds_vary: settings.add_vary_header,
        }))
    }

    /// Answers a preflight request, also one of an origin that is not allowed.
    pub(super) fn preflight(&self, request: &Request) -> Option<Response> {
        if request.method != Method::OPTIONS {
            return None;
        }
        let present = |name| request.headers.get(name).filter(|value| !value.is_empty());
        let method = present(ACCESS_CONTROL_REQUEST_METHOD)?;
        let origin = present(ORIGIN)?;
        let mut response = Response::new(StatusCode::OK);
        let fields = [
            (ACCESS_CONTROL_ALLOW_CREDENTIALS, self.allows_credentials.then_some(TRUE)),
            (
                ACCESS_CONTROL_ALLOW_HEADERS,
                self.headers.value(request.headers.get(ACCESS_CONTROL_REQUEST_HEADERS)),
            ),
            (ACCESS_CONTROL_ALLOW_METHODS, self.methods.value(Some(method))),
            (ACCESS_CONTROL_ALLOW_ORIGIN, self.allowed_origin(origin)),
            (ACCESS_CONTROL_MAX_AGE, self.max_age.clone()),
            (ACCESS_CONTROL_EXPOSE_HEADERS, self.exposed.clone()),
        ];
        for (name, value) in fields {
            if let Some(value) = value {
                response.headers.insert(name, value);
            }
        }
        Some(response)
    }

    /// Adds to a response what the browser must know.
    pub(super) fn finish(&self, headers: &mut HeaderMap, request: &HeaderMap) {
        // Traefik: a request without an origin is treated as one of the empty origin, so that `*`
        // is always told.
        let none = EMPTY;
        let origin = request.get(ORIGIN).unwrap_or(&none);
        if let Some(origin) = self.allowed_origin(origin) {
            headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        }
        if self.allows_credentials {
            headers.insert(ACCESS_CONTROL_ALLOW_CREDENTIALS, TRUE);
        }
        if let Some(exposed) = &self.exposed {
            headers.insert(ACCESS_CONTROL_EXPOSE_HEADERS, exposed.clone());
        }
        if self.adds_vary {
            add_vary_origin(headers);
        }
    }

    fn allowed_origin(&self, origin: &HeaderValue) -> Option<HeaderValue> {
        for item in &self.origins {
            if item == origin {
                return Some(origin.clone());
            }
            if item == ANY {
                // Browsers refuse the wildcard together with credentials.
                return Some(if self.allows_credentials { origin.clone() } else { ANY });
            }
        }
        if self.origin_expressions.is_empty() {
            return None;
        }
        let text = std::str::from_utf8(origin.as_bytes()).ok()?;
        let matches = self.origin_expressions.iter().any(|expression| expression.is_match(text));
        matches.then(|| origin.clone())
    }
}

/// Makes one `Vary` of all, with the origin last. Traefik: drops all but the first field, which
/// would let caches mix up responses.
fn add_vary_origin(headers: &mut HeaderMap) {
    const ORIGIN_ONLY: HeaderValue = HeaderValue::from_static("Origin");
    let mut joined: Vec<u8> = Vec::new();
    for value in headers.get_all(VARY) {
        if value == ORIGIN_ONLY && joined.is_empty() {
            continue;
        }
        joined.extend_from_slice(value.as_bytes());
        joined.push(b',');
    }
    let value = if joined.is_empty() {
        ORIGIN_ONLY
    } else {
        joined.extend_from_slice(b"Origin");
        HeaderValue::from_bytes(&joined).unwrap_or(ORIGIN_ONLY)
    };
    headers.insert(VARY, value);
}
