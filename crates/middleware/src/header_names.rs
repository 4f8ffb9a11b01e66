//! Names of header fields: those that Traefik manages, and reading names and values of users.

use http::header::{HeaderName, HeaderValue};

pub(crate) const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
pub(crate) const X_FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");
pub(crate) const X_FORWARDED_METHOD: HeaderName = HeaderName::from_static("x-forwarded-method");
pub(crate) const X_FORWARDED_PORT: HeaderName = HeaderName::from_static("x-forwarded-port");
pub(crate) const X_FORWARDED_PREFIX: HeaderName = HeaderName::from_static("x-forwarded-prefix");
pub(crate) const X_FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
pub(crate) const X_FORWARDED_URI: HeaderName = HeaderName::from_static("x-forwarded-uri");
pub(crate) const X_REPLACED_PATH: HeaderName = HeaderName::from_static("x-replaced-path");

/// The headers that say where a request came from. Only trusted peers may send them.
pub(crate) const MANAGED: [HeaderName; 13] = [
    X_FORWARDED_FOR,
    X_FORWARDED_HOST,
    X_FORWARDED_METHOD,
    X_FORWARDED_PORT,
    X_FORWARDED_PREFIX,
    X_FORWARDED_PROTO,
    HeaderName::from_static("x-forwarded-scheme"),
    HeaderName::from_static("x-forwarded-server"),
    HeaderName::from_static("x-forwarded-tls-client-cert"),
    HeaderName::from_static("x-forwarded-tls-client-cert-info"),
    X_FORWARDED_URI,
    HeaderName::from_static("x-real-ip"),
    HeaderName::from_static("x-scheme"),
];

/// Tells whether a header is one of [`MANAGED`], also when written with underscores.
pub(crate) fn is_managed(name: &HeaderName) -> bool {
    let name = name.as_str();
    name.starts_with('x')
        && MANAGED.iter().any(|managed| {
            let managed = managed.as_str();
            managed.len() == name.len()
                && managed
                    .bytes()
                    .zip(name.bytes())
                    .all(|(m, n)| m == n || (m == b'-' && n == b'_'))
        })
}

/// Writes a name as Go does: `X-Auth-User`.
pub(crate) fn canonical(name: &HeaderName) -> String {
    let mut starts_word = true;
    name.as_str()
        .chars()
        .map(|character| {
            let written = if starts_word { character.to_ascii_uppercase() } else { character };
            starts_word = character == '-';
            written
        })
        .collect()
}

/// Reads a name that will be set.
///
/// # Errors
/// When no header can have that name.
pub(crate) fn read_name(text: &str) -> Result<HeaderName, String> {
    HeaderName::from_bytes(text.as_bytes()).map_err(|_| format!("invalid header name {text:?}"))
}

/// Reads a value that will be set.
///
/// # Errors
/// When no header can have that value; the text names `name`.
pub(crate) fn read_value(name: &str, text: &str) -> Result<HeaderValue, String> {
    HeaderValue::from_bytes(text.as_bytes())
        .map_err(|_| format!("invalid value {text:?} of header {name:?}"))
}

/// Reads names that will be looked for. One that no header can have never matches.
pub(crate) fn read_list(texts: &[String]) -> Vec<HeaderName> {
    texts.iter().filter_map(|text| HeaderName::from_bytes(text.as_bytes()).ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check_managed(name: &str, expected: bool) {
        assert_eq!(is_managed(&read_name(name).expect("valid name")), expected, "{name}");
    }

    #[test]
    fn managed_headers_are_known_in_both_spellings() {
        check_managed("X-Forwarded-For", true);
        check_managed("X_Forwarded_Proto", true);
        check_managed("X-Real-Ip", true);
        check_managed("X-Forwarded", false);
        check_managed("Forwarded", false);
    }

    #[test]
    fn canonical_names_begin_every_word_with_a_capital() {
        assert_eq!(canonical(&HeaderName::from_static("x-auth-user")), "X-Auth-User");
        assert_eq!(canonical(&HeaderName::from_static("te")), "Te");
    }
}
