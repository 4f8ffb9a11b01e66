//! What loading has to report without stopping for it.

use config::{Diagnostic, Severity};

/// Reports one finding about certificates or TLS options.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    pub severity: Severity,
    pub subject: Subject,
    /// Names the file, never shows PEM.
    pub message: String,
}

/// What a [`Problem`] is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Subject {
    /// Position in `tls.certificates`, from zero.
    Certificate(usize),
    /// `tls.stores.default`.
    DefaultStore,
    /// The options of that name.
    Options(String),
}

impl Problem {
    pub(crate) fn error(subject: Subject, message: impl ToString) -> Self {
        Self { severity: Severity::Error, subject, message: message.to_string() }
    }

    pub(crate) fn warning(subject: Subject, message: impl ToString) -> Self {
        Self { severity: Severity::Warning, subject, message: message.to_string() }
    }

    /// Makes the common form of it, without a place.
    pub fn into_diagnostic(self) -> Diagnostic {
        let (code, object) = match self.subject {
            Subject::Certificate(index) => {
                ("tls-certificate", format!("tls.certificates[{index}]"))
            }
            Subject::DefaultStore => ("tls-certificate", "TLS store \"default\"".to_owned()),
            Subject::Options(name) => ("tls-options", format!("TLS options {name:?}")),
        };
        match self.severity {
            Severity::Error => Diagnostic::error(code, self.message),
            Severity::Warning => Diagnostic::warning(code, self.message),
        }
        .about(object)
    }
}
