//! TLS options as rustls configurations.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use config::dynamic::TlsOptions;
use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs::Ticketer;
use rustls::pki_types::CertificateDer;
use rustls::server::NoServerSessionStorage;

use crate::algorithms::Wanted;
use crate::{Certificates, Error, Problem, Subject, authorities};

use super::client_auth;
use super::resolver::Resolver;

/// Every TLS options object of one configuration, ready to accept with. Immutable.
pub struct ServerConfigs {
    /// `None` for broken ones. `default` is always there.
    by_name: BTreeMap<Arc<str>, Option<Arc<Options>>>,
    files: Vec<PathBuf>,
}

/// One of them.
pub(super) struct Options {
    pub(super) name: Arc<str>,
    pub(super) config: Arc<ServerConfig>,
    pub(super) certificates: Arc<Certificates>,
    /// What it was made of, to see whether it changed.
    ingredients: Ingredients,
    warnings: Vec<String>,
}

#[derive(Clone, PartialEq)]
struct Ingredients {
    settings: TlsOptions,
    /// The contents of `caFiles`.
    authorities: Vec<CertificateDer<'static>>,
    /// The protocols the caller speaks.
    alpn: Vec<String>,
}

impl ServerConfigs {
    /// Makes configurations of options by their names. A missing `default` is added.
    ///
    /// `alpn` are the protocols the caller speaks. Unchanged options keep what makes sessions
    /// resume from `previous`, and if the certificates did not change either, the very same
    /// configuration. Changed ones start anew, so that no session outlives the rules it was made
    /// under. Broken ones stay broken, rather than letting clients in by older rules; only when
    /// nothing but reading `caFiles` fails, the previous authorities stay.
    pub fn build(
        options: &BTreeMap<String, TlsOptions>,
        certificates: &Arc<Certificates>,
        alpn: &[&str],
        previous: Option<&Self>,
    ) -> (Self, Vec<Problem>) {
        let mut problems = Vec::new();
        let mut by_name = BTreeMap::new();
        let mut files = Vec::new();
        let built_in = TlsOptions::default();
        let missing = (!options.contains_key(DEFAULT)).then_some((DEFAULT, &built_in));
        let given = options.iter().map(|(name, settings)| (name.as_str(), settings));
        for (name, settings) in given.chain(missing) {
            files.extend(authorities::files(&settings.client_auth.ca_files));
            let previous = previous.and_then(|previous| previous.find(name));
            let subject = || Subject::Options(name.to_owned());
            let built = match Options::build(name, settings, certificates, alpn, previous) {
                Ok((options, kept_for)) => {
                    if let Some(error) = kept_for {
                        let message = format!("{error}; the previous authorities stay in force");
                        problems.push(Problem::error(subject(), message));
                    }
                    let warnings = options.warnings.iter();
                    problems.extend(warnings.map(|text| Problem::warning(subject(), text)));
                    Some(Arc::new(options))
                }
                Err(error) => {
                    let message = format!("{error}; its hosts are refused");
                    problems.push(Problem::error(subject(), message));
                    None
                }
            };
            by_name.insert(Arc::from(name), built);
        }
        files.sort_unstable();
        files.dedup();
        (Self { by_name, files }, problems)
    }

    /// Tells whether options of that name exist and work.
    pub fn is_usable(&self, name: &str) -> bool {
        self.find(name).is_some()
    }

    /// The files to watch: client certificate authorities, readable or not.
    pub fn files(&self) -> &[PathBuf] {
        &self.files
    }

    /// `None` for broken and for unknown ones.
    pub(super) fn find(&self, name: &str) -> Option<&Arc<Options>> {
        self.by_name.get(name)?.as_ref()
    }
}

/// Makes the rustls configuration of TLS options, and a warning for every value without effect.
///
/// Of `alpnProtocols` those are offered that the caller says it speaks. Where `sniStrict` leaves a
/// client without a certificate rustls alerts `access_denied`; [`super::ServerSettings::select`]
/// notices before, so that the alert can be `unrecognized_name`.
pub fn server_config(
    options: &TlsOptions,
    certificates: Arc<Certificates>,
    alpn: &[&str],
) -> Result<(Arc<ServerConfig>, Vec<String>), Error> {
    let authorities = authorities::read(&options.client_auth.ca_files)?;
    let (config, warnings) = new_config(options, &authorities, certificates, alpn)?;
    Ok((Arc::new(config), warnings))
}

impl Options {
    /// The error is why the previous authorities had to stay.
    fn build(
        name: &str,
        settings: &TlsOptions,
        certificates: &Arc<Certificates>,
        alpn: &[&str],
        previous: Option<&Arc<Self>>,
    ) -> Result<(Self, Option<Error>), Error> {
        let mut ingredients = Ingredients {
            settings: settings.clone(),
            authorities: Vec::new(),
            alpn: alpn.iter().map(|&protocol| protocol.to_owned()).collect(),
        };
        let kept_for = match authorities::read(&settings.client_auth.ca_files) {
            Ok(authorities) => {
                ingredients.authorities = authorities;
                None
            }
            Err(error) => match previous {
                Some(previous) if previous.ingredients.settings == *settings => {
                    ingredients.authorities.clone_from(&previous.ingredients.authorities);
                    Some(error)
                }
                _ => return Err(error),
            },
        };
        if let Some(previous) = previous
            && previous.ingredients == ingredients
        {
            return Ok((previous.with(certificates), kept_for));
        }
        let (config, warnings) =
            new_config(settings, &ingredients.authorities, Arc::clone(certificates), alpn)?;
        let options = Self {
            name: name.into(),
            config: Arc::new(config),
            certificates: Arc::clone(certificates),
            ingredients,
            warnings,
        };
        Ok((options, kept_for))
    }

    /// The same options with other certificates. The ticketer is the same: sessions resume.
    fn with(&self, certificates: &Arc<Certificates>) -> Self {
        let config = if Arc::ptr_eq(certificates, &self.certificates) {
            Arc::clone(&self.config)
        } else {
            let mut config = ServerConfig::clone(&self.config);
            config.cert_resolver = Arc::new(Resolver {
                certificates: Arc::clone(certificates),
                is_strict: self.is_strict(),
                for_address: None,
            });
            Arc::new(config)
        };
        Self {
            name: Arc::clone(&self.name),
            config,
            certificates: Arc::clone(certificates),
            ingredients: self.ingredients.clone(),
            warnings: self.warnings.clone(),
        }
    }

    pub(super) fn is_strict(&self) -> bool {
        self.ingredients.settings.sni_strict
    }
}

fn new_config(
    options: &TlsOptions,
    authorities: &[CertificateDer<'static>],
    certificates: Arc<Certificates>,
    alpn: &[&str],
) -> Result<(ServerConfig, Vec<String>), Error> {
    let mut warnings = Vec::new();
    let wanted = Wanted {
        min_version: &options.min_version,
        max_version: &options.max_version,
        cipher_suites: &options.cipher_suites,
        curves: &options.curve_preferences,
    };
    let algorithms = wanted.choose(&mut warnings)?;
    let verifier = client_auth::verifier(&options.client_auth, authorities, &mut warnings)?;
    let resolver = Resolver { certificates, is_strict: options.sni_strict, for_address: None };
    let mut config = ServerConfig::builder_with_provider(algorithms.provider)
        .with_protocol_versions(&algorithms.versions)?
        .with_client_cert_verifier(verifier)
        .with_cert_resolver(Arc::new(resolver));
    config.alpn_protocols = options
        .alpn_protocols
        .iter()
        .filter(|protocol| alpn.contains(&protocol.as_str()))
        .map(|protocol| protocol.as_bytes().to_vec())
        .collect();
    // Sessions resume by tickets only, as in Go: a cache would be a lock shared by all workers.
    config.session_storage = Arc::new(NoServerSessionStorage {});
    if options.disable_session_tickets {
        config.send_tls13_tickets = 0;
    } else {
        // Its own keys: a session made under other options must not resume under these.
        config.ticketer = Ticketer::new()?;
    }
    Ok((config, warnings))
}

const DEFAULT: &str = "default";
