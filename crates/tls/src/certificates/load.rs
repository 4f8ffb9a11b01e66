//! Reading the certificates of a configuration.

use std::collections::{BTreeSet, HashMap};
use std::path::PathBuf;
use std::sync::Arc;

use config::dynamic::{GeneratedCertificate, TlsCertificate, TlsConfiguration, TlsStore};

use crate::certificate::{Digest, Pair};
use crate::hosts::canonical;
use crate::material::Material;
use crate::{Certificate, Problem, Subject};

use super::generated::Generated;
use super::index::Index;
use super::{Certificates, DefaultCertificate, Entry};

pub(super) fn load(
    config: &TlsConfiguration,
    previous: Option<&Arc<Certificates>>,
) -> (Arc<Certificates>, Vec<Problem>) {
    let mut loader = Loader::new(previous.map(Arc::as_ref));
    let mut entries = Vec::with_capacity(config.certificates.len());
    let mut positions = Vec::with_capacity(config.certificates.len());
    for (position, configured) in config.certificates.iter().enumerate() {
        let subject = Subject::Certificate(position);
        let stores = &configured.stores;
        let is_in = |store: &str| stores.iter().any(|name| name == store);
        let (is_served, is_challenge) =
            (stores.is_empty() || is_in("default"), is_in("acme-tls/1"));
        if !is_served && !is_challenge {
            let message = "its stores are never used, only the store \"default\" is";
            loader.problems.push(Problem::warning(subject.clone(), message));
        }
        let loaded = loader.load(&configured.cert_file, &configured.key_file, &subject);
        if let Some(certificate) = loaded {
            let cert_file = path_of(&configured.cert_file);
            entries.push(Entry { cert_file, certificate, is_served, is_challenge });
            positions.push(position);
        }
    }
    let default = loader.default(config.stores.get("default"), &entries);

    let files: Vec<PathBuf> = std::mem::take(&mut loader.files).into_iter().collect();
    let mut problems = loader.problems;
    let (served, duplicates) = index(&entries, |entry| entry.is_served);
    for entry in duplicates {
        let subject = Subject::Certificate(positions[entry]);
        let names = entries[entry].certificate.info().names.join(", ");
        let message = format!("another certificate has the same names and is used: {names}");
        problems.push(Problem::warning(subject, message));
    }
    if let Some(previous) = previous
        && previous.is_same(&entries, &default, &files)
    {
        return (Arc::clone(previous), problems);
    }
    let (challenges, _) = index(&entries, |entry| entry.is_challenge);
    (Arc::new(Certificates { entries, default, served, challenges, files }), problems)
}

/// Returns the index and the positions of entries that are not in it because of an earlier one.
fn index(entries: &[Entry], is_in: impl Fn(&Entry) -> bool) -> (Index, Vec<usize>) {
    let (positions, certificates): (Vec<usize>, Vec<&Arc<Certificate>>) = entries
        .iter()
        .enumerate()
        .filter(|(_, entry)| is_in(entry))
        .map(|(position, entry)| (position, &entry.certificate))
        .unzip();
    let (index, duplicates) = Index::new(&certificates);
    (index, duplicates.into_iter().map(|duplicate| positions[duplicate]).collect())
}

/// The path in a setting, empty for inline PEM.
fn path_of(setting: &str) -> Box<str> {
    Material::new(setting).path().map_or_else(Box::default, |_| setting.into())
}

struct Loader<'a> {
    /// Certificates of the previous configuration by their contents.
    known: HashMap<&'a Digest, &'a Arc<Certificate>>,
    /// And by their path.
    last_good: HashMap<&'a str, &'a Arc<Certificate>>,
    files: BTreeSet<PathBuf>,
    problems: Vec<Problem>,
}

impl<'a> Loader<'a> {
    fn new(previous: Option<&'a Certificates>) -> Self {
        let mut loader = Self {
            known: HashMap::new(),
            last_good: HashMap::new(),
            files: BTreeSet::new(),
            problems: Vec::new(),
        };
        let Some(previous) = previous else { return loader };
        if let DefaultCertificate::Configured { cert_file, certificate } = &previous.default {
            loader.remember(cert_file, certificate);
        }
        for entry in &previous.entries {
            loader.remember(&entry.cert_file, &entry.certificate);
        }
        loader
    }

    fn remember(&mut self, cert_file: &'a str, certificate: &'a Arc<Certificate>) {
        self.known.insert(certificate.digest(), certificate);
        if !cert_file.is_empty() {
            self.last_good.insert(cert_file, certificate);
        }
    }

    fn load(&mut self, cert: &str, key: &str, subject: &Subject) -> Option<Arc<Certificate>> {
        for setting in [cert, key] {
            let path = Material::new(setting).path().filter(|path| !path.as_os_str().is_empty());
            self.files.extend(path.map(PathBuf::from));
        }
        let loaded = Pair::read(cert, key).and_then(|pair| match self.known.get(&pair.digest()) {
            Some(known) => Ok(Arc::clone(known)),
            None => pair.parse().map(Arc::new),
        });
        match loaded {
            Ok(certificate) => Some(certificate),
            Err(error) => {
                let kept = self.last_good.get(&*path_of(cert)).map(|kept| Arc::clone(kept));
                let outcome = match kept {
                    Some(_) => "the previous certificate stays in use",
                    None => "it is skipped",
                };
                let message = format!("{error}; {outcome}");
                self.problems.push(Problem::error(subject.clone(), message));
                kept
            }
        }
    }

    fn default(&mut self, store: Option<&TlsStore>, entries: &[Entry]) -> DefaultCertificate {
        let configured = store.and_then(|store| match store {
            TlsStore { default_certificate: Some(pair), .. } => self.default_from_files(pair),
            TlsStore { default_generated_cert: Some(order), .. } => {
                self.default_from_entries(order, entries)
            }
            _ => None,
        });
        configured.unwrap_or_else(|| match Generated::shared() {
            Ok(generated) => DefaultCertificate::Generated(generated),
            Err(error) => {
                self.problems.push(Problem::error(Subject::DefaultStore, error));
                DefaultCertificate::None
            }
        })
    }

    fn default_from_files(&mut self, pair: &TlsCertificate) -> Option<DefaultCertificate> {
        let certificate = self.load(&pair.cert_file, &pair.key_file, &Subject::DefaultStore)?;
        Some(DefaultCertificate::Configured { cert_file: path_of(&pair.cert_file), certificate })
    }

    /// A certificate resolver delivers what it got as one of the certificates; it is known by its
    /// names. As in Traefik one with more names does, too.
    fn default_from_entries(
        &mut self,
        order: &GeneratedCertificate,
        entries: &[Entry],
    ) -> Option<DefaultCertificate> {
        let mut names: Vec<String> = order
            .domain
            .iter()
            .flat_map(|domain| std::iter::once(&domain.main).chain(&domain.sans))
            .map(|name| canonical(name).into_owned())
            .filter(|name| !name.is_empty())
            .collect();
        names.sort_unstable();
        names.dedup();
        let served = || entries.iter().filter(|entry| entry.is_served).map(|e| &e.certificate);
        let has_all = |has: &[String]| names.iter().all(|name| has.binary_search(name).is_ok());
        let found = served().find(|certificate| certificate.info().names == names).or_else(|| {
            served()
                .filter(|certificate| has_all(&certificate.info().names))
                .max_by(|a, b| a.info().names.cmp(&b.info().names))
        });
        match found {
            Some(certificate) if !names.is_empty() => Some(DefaultCertificate::Configured {
                cert_file: Box::default(),
                certificate: Arc::clone(certificate),
            }),
            _ => {
                let message = format!(
                    "defaultGeneratedCert: certificate resolver {:?} has not delivered a \
                     certificate for {} yet, a self-signed one is used",
                    order.resolver,
                    names.join(", ")
                );
                self.problems.push(Problem::warning(Subject::DefaultStore, message));
                None
            }
        }
    }
}

impl Certificates {
    fn is_same(&self, entries: &[Entry], default: &DefaultCertificate, files: &[PathBuf]) -> bool {
        let is_same_default = match (&self.default, default) {
            (
                DefaultCertificate::Configured { cert_file: a, certificate: first },
                DefaultCertificate::Configured { cert_file: b, certificate: second },
            ) => a == b && Arc::ptr_eq(first, second),
            // There is one per process.
            (DefaultCertificate::Generated(_), DefaultCertificate::Generated(_)) => true,
            _ => false,
        };
        is_same_default
            && self.files == files
            && self.entries.len() == entries.len()
            && self.entries.iter().zip(entries).all(|(a, b)| {
                a.cert_file == b.cert_file
                    && a.is_served == b.is_served
                    && a.is_challenge == b.is_challenge
                    && Arc::ptr_eq(&a.certificate, &b.certificate)
            })
    }
}
