//! What an `Authorization: Digest …` says.

/// The parameters; those that are missing are empty.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Credentials {
    pub(super) user: String,
    pub(super) nonce: String,
    /// The nonce count as written.
    pub(super) count: String,
    pub(super) client_nonce: String,
    pub(super) uri: String,
    pub(super) response: String,
    pub(super) opaque: String,
    pub(super) algorithm: Option<String>,
    pub(super) quality: String,
}

impl Credentials {
    /// Reads a header; `None` if it is not of the scheme.
    pub(super) fn read(value: &[u8]) -> Option<Self> {
        let text = String::from_utf8_lossy(value.strip_prefix(b"Digest ")?).into_owned();
        let mut credentials = Self::default();
        for parameter in split(text.trim()) {
            let (name, value) = parameter.split_once('=').unwrap_or((&parameter, ""));
            let value = value
                .strip_prefix('"')
                .and_then(|value| value.strip_suffix('"'))
                .unwrap_or(value)
                .to_owned();
            match name {
                "username" => credentials.user = value,
                "nonce" => credentials.nonce = value,
                "nc" => credentials.count = value,
                "cnonce" => credentials.client_nonce = value,
                "uri" => credentials.uri = value,
                "response" => credentials.response = value,
                "opaque" => credentials.opaque = value,
                "algorithm" => credentials.algorithm = Some(value),
                "qop" => credentials.quality = value,
                _ => {}
            }
        }
        Some(credentials)
    }
}

/// Splits at commas outside of quotes, in which a backslash escapes what follows it.
fn split(text: &str) -> Vec<String> {
    let mut parameters = Vec::new();
    let mut current = String::new();
    let mut is_quoted = false;
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        match character {
            '\\' if is_quoted => current.extend(characters.next()),
            ',' if !is_quoted => {
                parameters.push(current.trim().to_owned());
                current.clear();
            }
            _ => {
                is_quoted ^= character == '"';
                current.push(character);
            }
        }
    }
    parameters.push(current.trim().to_owned());
    parameters
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, user: &str, uri: &str, algorithm: Option<&str>) {
        let read = Credentials::read(text.as_bytes()).expect("the scheme");
        assert_eq!((read.user.as_str(), read.uri.as_str()), (user, uri), "{text}");
        assert_eq!(read.algorithm.as_deref(), algorithm, "{text}");
    }

    #[test]
    fn parameters_are_quoted_or_not() {
        check("Digest username=\"me\", uri=\"/a,b\",algorithm=MD5", "me", "/a,b", Some("MD5"));
        check("Digest  username=me,uri=/a", "me", "/a", None);
        check(r#"Digest username="a\"b\\c", uri="/""#, "a\"b\\c", "/", None);
        check("Digest username=\"me", "\"me", "", None);
        check("Digest username=\", uri", "\", uri", "", None);
        check("Digest username=", "", "", None);
        check("Digest ", "", "", None);
        check("Digest username=a, username=b, algorithm", "b", "", Some(""));
    }

    #[test]
    fn other_schemes_are_none() {
        for text in ["", "Digest", "digest username=me", "Basic eDp5"] {
            assert_eq!(Credentials::read(text.as_bytes()), None, "{text}");
        }
    }
}
