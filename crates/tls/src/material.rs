//! PEM as users give it: a path or the text itself.

use std::borrow::Cow;
use std::fs;
use std::path::Path;

use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use crate::Error;

/// Where PEM comes from.
///
/// Traefik: whatever is not the path of an existing file is taken as PEM. Here PEM is what looks
/// like it, so that a missing file is called a missing file, and can be watched until it is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Material<'a> {
    File(&'a Path),
    Inline(&'a str),
}

impl<'a> Material<'a> {
    pub(crate) fn new(text: &'a str) -> Self {
        if text.contains("-----BEGIN") { Self::Inline(text) } else { Self::File(Path::new(text)) }
    }

    pub(crate) fn path(self) -> Option<&'a Path> {
        match self {
            Self::File(path) => Some(path),
            Self::Inline(_) => None,
        }
    }

    /// Names it for messages.
    pub(crate) fn label(self) -> String {
        match self {
            Self::File(path) => path.display().to_string(),
            Self::Inline(_) => "inline PEM".to_owned(),
        }
    }

    pub(crate) fn read(self) -> Result<Cow<'a, [u8]>, Error> {
        match self {
            Self::File(path) => match fs::read(path) {
                Ok(bytes) => Ok(Cow::Owned(bytes)),
                Err(source) => Err(Error::Read { what: self.label(), source }),
            },
            Self::Inline(text) => Ok(Cow::Borrowed(text.as_bytes())),
        }
    }

    /// Takes all certificates out of PEM that was read from here.
    pub(crate) fn certificates(self, bytes: &[u8]) -> Result<Vec<CertificateDer<'static>>, Error> {
        let chain = CertificateDer::pem_slice_iter(bytes)
            .collect::<Result<Vec<_>, _>>()
            .map_err(|error| self.pem_error(error))?;
        if chain.is_empty() {
            return Err(Error::NoCertificate(self.label()));
        }
        Ok(chain)
    }

    /// Takes the first private key out of PEM that was read from here.
    pub(crate) fn key(self, bytes: &[u8]) -> Result<PrivateKeyDer<'static>, Error> {
        PrivateKeyDer::from_pem_slice(bytes).map_err(|error| match error {
            pem::Error::NoItemsFound => Error::NoKey(self.label()),
            error => self.pem_error(error),
        })
    }

    /// Says what is wrong without quoting any of it, which the PEM reader's own texts do.
    fn pem_error(self, error: pem::Error) -> Error {
        let reason = match error {
            pem::Error::MissingSectionEnd { .. } => "a section has no end".to_owned(),
            pem::Error::IllegalSectionStart { .. } => "malformed section start".to_owned(),
            pem::Error::Base64Decode(_) => "broken base64".to_owned(),
            pem::Error::NoItemsFound => "nothing found".to_owned(),
            _ => "unreadable section".to_owned(),
        };
        Error::Pem { what: self.label(), reason }
    }
}
