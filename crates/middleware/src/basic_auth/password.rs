//! Password hashes: bcrypt, MD5 crypt and SHA-1.

use aws_lc_rs::{constant_time, digest};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::md5_crypt::md5_crypt;

/// One user's hash.
pub(super) enum PasswordHash {
    /// `$2a$`, `$2b$`, `$2x$`, `$2y$`: tens of milliseconds by design.
    Bcrypt(String),
    /// `{SHA}` and the base64 of a SHA-1.
    Sha1(String),
    /// `$1$` and `$apr1$`: a thousand rounds.
    Md5Crypt { magic: String, salt: String, whole: String },
    /// Plain text, SHA-256 crypt and the like: no password is right.
    Unknown,
}

impl PasswordHash {
    pub(super) fn new(text: &str) -> Self {
        if let Some(encoded) = text.strip_prefix("{SHA}") {
            return Self::Sha1(encoded.to_owned());
        }
        if ["$2a$", "$2b$", "$2x$", "$2y$"].iter().any(|prefix| text.starts_with(prefix)) {
            return Self::Bcrypt(text.to_owned());
        }
        let mut parts = text.splitn(4, '$');
        match (parts.next(), parts.next(), parts.next(), parts.next()) {
            (Some(""), Some(kind @ ("1" | "apr1")), Some(salt), Some(_)) => Self::Md5Crypt {
                magic: format!("${kind}$"),
                salt: salt.to_owned(),
                whole: text.to_owned(),
            },
            _ => Self::Unknown,
        }
    }

    /// Tells whether comparing takes long enough to leave the request's thread.
    pub(super) fn is_slow(&self) -> bool {
        matches!(self, Self::Bcrypt(_) | Self::Md5Crypt { .. })
    }

    /// Tells whether a password is the right one; how long it takes does not depend on that.
    pub(super) fn matches(&self, password: &[u8]) -> bool {
        match self {
            // A hash that is malformed fits no password.
            Self::Bcrypt(hash) => bcrypt::verify(password, hash).unwrap_or(false),
            Self::Sha1(expected) => {
                let digest = digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, password);
                is_equal(expected, &STANDARD.encode(digest))
            }
            Self::Md5Crypt { magic, salt, whole } => {
                is_equal(whole, &md5_crypt(password, salt, magic))
            }
            Self::Unknown => false,
        }
    }
}

fn is_equal(expected: &str, computed: &str) -> bool {
    constant_time::verify_slices_are_equal(expected.as_bytes(), computed.as_bytes()).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(hash: &str, password: &str, expected: bool) {
        let hash = PasswordHash::new(hash);
        assert_eq!(hash.matches(password.as_bytes()), expected);
    }

    #[test]
    fn every_supported_hash_tells_right_from_wrong() {
        for hash in [
            "{SHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g=",
            "$1$x7xoFP3p$2Bgs5y3YZsNNQ7xEO0mTW0",
            "$apr1$H6uskkkW$IgXLP6ewTrSuBkTrqE8wj/",
            "$2y$05$e3TBCuPDiYdQJ1RRPqjbfOLwIlFh0zHaHXaMLMVTHx6zkLb1xSvBO",
        ] {
            check(hash, "certainly wrong", false);
        }
        check("{SHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g=", "password", true);
        let bcrypt = bcrypt::hash("password", 4).expect("a hash");
        check(&bcrypt, "password", true);
        check(&bcrypt.replacen("$2b$", "$2y$", 1), "password", true);
    }

    #[test]
    fn other_hashes_and_plain_text_fit_nothing() {
        check("password", "password", false);
        check("$5$salt$hash", "password", false);
        check("$2y$nonsense", "password", false);
        check("", "", false);
    }
}
