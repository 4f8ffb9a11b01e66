//! Versions, cipher suites and curves by their Go names, as rustls wants them.
//!
//! rustls has neither TLS 1.0 and 1.1 nor the CBC and RSA key exchange suites, for good. What a
//! user asks of these is left out with a warning; only if nothing remains it is an error.

use std::sync::{Arc, LazyLock};

use rustls::crypto::aws_lc_rs::{self, ALL_KX_GROUPS, cipher_suite, kx_group};
use rustls::crypto::{CryptoProvider, SupportedKxGroup};
use rustls::version::{TLS12, TLS13};
use rustls::{NamedGroup, SupportedCipherSuite, SupportedProtocolVersion};

use crate::Error;

/// The provider with everything rustls thinks safe. Never installed process-wide.
pub(crate) static PROVIDER: LazyLock<Arc<CryptoProvider>> =
    LazyLock::new(|| Arc::new(aws_lc_rs::default_provider()));

/// What a connection may negotiate.
pub(crate) struct Algorithms {
    pub(crate) provider: Arc<CryptoProvider>,
    /// Not empty.
    pub(crate) versions: Vec<&'static SupportedProtocolVersion>,
}

/// What a user wrote about it.
pub(crate) struct Wanted<'a> {
    pub(crate) min_version: &'a str,
    pub(crate) max_version: &'a str,
    pub(crate) cipher_suites: &'a [String],
    pub(crate) curves: &'a [String],
}

impl Wanted<'_> {
    /// Chooses what rustls can do of it; every value that has no effect becomes a warning.
    pub(crate) fn choose(&self, warnings: &mut Vec<String>) -> Result<Algorithms, Error> {
        let (min, max) = self.versions(warnings)?;
        let mut provider = CryptoProvider::clone(&PROVIDER);
        if !self.cipher_suites.is_empty() {
            provider.cipher_suites = self.suites(warnings)?;
        }
        if !self.curves.is_empty() {
            provider.kx_groups = self.groups(warnings)?;
        }
        let has_tls12_suite = provider.cipher_suites.iter().any(|suite| suite.tls13().is_none());
        let mut versions = Vec::with_capacity(2);
        if max >= 13 {
            versions.push(&TLS13);
        }
        if min <= 12 && has_tls12_suite {
            versions.push(&TLS12);
        } else if min <= 12 {
            warnings.push("cipherSuites: none is left for TLS 1.2, which is off".to_owned());
        }
        if versions.is_empty() {
            return Err(Error::NoCipherSuite);
        }
        Ok(Algorithms { provider: Arc::new(provider), versions })
    }

    fn versions(&self, warnings: &mut Vec<String>) -> Result<(u8, u8), Error> {
        let mut read = |key: &str, name: &str| match name {
            "" => None,
            "VersionTLS10" => Some(10),
            "VersionTLS11" => Some(11),
            "VersionTLS12" => Some(12),
            "VersionTLS13" => Some(13),
            // Traefik: ignored without a word.
            unknown => {
                warnings.push(format!("{key}: unknown version {unknown:?} is ignored"));
                None
            }
        };
        let min = read("minVersion", self.min_version).unwrap_or(12);
        let max = read("maxVersion", self.max_version).unwrap_or(13);
        if max < 12 {
            return Err(Error::MaxVersion(self.max_version.to_owned()));
        }
        if min > max {
            return Err(Error::VersionOrder);
        }
        if min < 12 {
            let name = self.min_version;
            warnings.push(format!("minVersion: {name} is not supported, VersionTLS12 is used"));
        }
        Ok((min.max(12), max))
    }

    /// The TLS 1.3 suites are always in, as in Go.
    fn suites(&self, warnings: &mut Vec<String>) -> Result<Vec<SupportedCipherSuite>, Error> {
        let mut chosen = Vec::new();
        for name in self.cipher_suites {
            match suite(name) {
                Some(Known::Supported(suite)) => chosen.push(suite),
                Some(Known::Unsupported) => {
                    warnings.push(format!("cipherSuites: {name} is not supported and left out"));
                }
                None => return Err(Error::CipherSuite(name.clone())),
            }
        }
        let all = &PROVIDER.cipher_suites;
        Ok(all
            .iter()
            .filter(|suite| suite.tls13().is_some() || chosen.contains(suite))
            .copied()
            .collect())
    }

    /// The order is rustls's: Go ignores the user's since 1.24.
    fn groups(
        &self,
        warnings: &mut Vec<String>,
    ) -> Result<Vec<&'static dyn SupportedKxGroup>, Error> {
        let mut chosen: Vec<NamedGroup> = Vec::new();
        for name in self.curves {
            match curve(name) {
                Some(Known::Supported(group)) => chosen.push(group.name()),
                Some(Known::Unsupported) => {
                    let message = format!("curvePreferences: {name} is not supported and left out");
                    warnings.push(message);
                }
                None => return Err(Error::Curve(name.clone())),
            }
        }
        let groups: Vec<_> =
            ALL_KX_GROUPS.iter().filter(|group| chosen.contains(&group.name())).copied().collect();
        if groups.is_empty() { Err(Error::NoCurve) } else { Ok(groups) }
    }
}

/// The IANA name of a suite, which is also Go's; rustls has its own for those of TLS 1.3.
pub(crate) fn suite_name(suite: SupportedCipherSuite) -> &'static str {
    match suite.suite() {
        rustls::CipherSuite::TLS13_AES_128_GCM_SHA256 => "TLS_AES_128_GCM_SHA256",
        rustls::CipherSuite::TLS13_AES_256_GCM_SHA384 => "TLS_AES_256_GCM_SHA384",
        rustls::CipherSuite::TLS13_CHACHA20_POLY1305_SHA256 => "TLS_CHACHA20_POLY1305_SHA256",
        other => other.as_str().unwrap_or("unknown"),
    }
}

enum Known<T> {
    Supported(T),
    Unsupported,
}

fn suite(name: &str) -> Option<Known<SupportedCipherSuite>> {
    use Known::{Supported, Unsupported};
    Some(match name {
        "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256" => {
            Supported(cipher_suite::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256)
        }
        "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384" => {
            Supported(cipher_suite::TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384)
        }
        "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305"
        | "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256" => {
            Supported(cipher_suite::TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256)
        }
        "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256" => {
            Supported(cipher_suite::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256)
        }
        "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384" => {
            Supported(cipher_suite::TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384)
        }
        "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305" | "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256" => {
            Supported(cipher_suite::TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256)
        }
        "TLS_AES_128_GCM_SHA256" => Supported(cipher_suite::TLS13_AES_128_GCM_SHA256),
        "TLS_AES_256_GCM_SHA384" => Supported(cipher_suite::TLS13_AES_256_GCM_SHA384),
        "TLS_CHACHA20_POLY1305_SHA256" => Supported(cipher_suite::TLS13_CHACHA20_POLY1305_SHA256),
        "TLS_RSA_WITH_RC4_128_SHA"
        | "TLS_RSA_WITH_3DES_EDE_CBC_SHA"
        | "TLS_RSA_WITH_AES_128_CBC_SHA"
        | "TLS_RSA_WITH_AES_256_CBC_SHA"
        | "TLS_RSA_WITH_AES_128_CBC_SHA256"
        | "TLS_RSA_WITH_AES_128_GCM_SHA256"
        | "TLS_RSA_WITH_AES_256_GCM_SHA384"
        | "TLS_ECDHE_ECDSA_WITH_RC4_128_SHA"
        | "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA"
        | "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA"
        | "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256"
        | "TLS_ECDHE_RSA_WITH_RC4_128_SHA"
        | "TLS_ECDHE_RSA_WITH_3DES_EDE_CBC_SHA"
        | "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA"
        | "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA"
        | "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256"
        | "TLS_FALLBACK_SCSV" => Unsupported,
        _ => return None,
    })
}

fn curve(name: &str) -> Option<Known<&'static dyn SupportedKxGroup>> {
    use Known::{Supported, Unsupported};
    Some(match name {
        "X25519" | "x25519" => Supported(kx_group::X25519),
        "CurveP256" | "secp256r1" => Supported(kx_group::SECP256R1),
        "CurveP384" | "secp384r1" => Supported(kx_group::SECP384R1),
        "X25519MLKEM768" => Supported(kx_group::X25519MLKEM768),
        "SecP256r1MLKEM768" => Supported(kx_group::SECP256R1MLKEM768),
        "CurveP521" | "secp521r1" | "SecP384r1MLKEM1024" => Unsupported,
        _ => return None,
    })
}
