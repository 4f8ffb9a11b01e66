//! Certificate resolvers.

use crate::Duration;

section! {
    /// A source of certificates: ACME or Tailscale, not both.
    pub struct CertificateResolver {
        /// Orders from an ACME server.
        pub acme: Option<Acme>,
        /// Asks the local Tailscale daemon.
        pub tailscale: Option<Tailscale>,
    }
}

section! {
    /// Asks the local Tailscale daemon; has no settings.
    pub struct Tailscale {}
}

section! {
    /// An account with an ACME server, and how domains are proven.
    pub struct Acme {
        /// Address of the account.
        pub email: String,
        /// Several addresses of the account.
        pub email_addresses: Vec<String>,
        /// Default: Let's Encrypt's production directory.
        pub ca_server: String = "https://acme-v02.api.letsencrypt.org/directory",
        /// Common name of the issuer to prefer among chains.
        pub preferred_chain: String,
        /// Certificate profile to ask for.
        pub profile: String,
        /// File of accounts and certificates. Default: `acme.json`.
        pub storage: String = "acme.json",
        /// `EC256`, `EC384`, `RSA2048`, `RSA4096` (default) or `RSA8192`.
        pub key_type: String = "RSA4096",
        /// Credentials of an existing account with the authority.
        pub eab: Option<ExternalAccountBinding>,
        /// Lifetime of the authority's certificates, hours. Default: 2160.
        pub certificates_duration: i64 = 2160,
        /// Time to wait for a certificate. Default: 30s.
        pub certificate_timeout: Duration = Duration::from_secs(30),
        /// Time of a whole request to the server. Default: 2m.
        pub client_timeout: Duration = Duration::from_secs(120),
        /// Time until the head of its response. Default: 30s.
        pub client_response_header_timeout: Duration = Duration::from_secs(30),
        /// Certificates to trust the server by: files or PEM.
        #[serde(rename = "caCertificates")]
        pub ca_certificates: Vec<String>,
        /// Trusts the system's too. Default: false.
        pub ca_system_cert_pool: bool,
        /// Name that the server's certificate must have.
        pub ca_server_name: String,
        /// Leaves the common name of requests empty. Default: false.
        pub disable_common_name: bool,
        /// Proves by a DNS record.
        pub dns_challenge: Option<DnsChallenge>,
        /// Proves by a path of port 80.
        pub http_challenge: Option<HttpChallenge>,
        /// Proves by a TLS handshake on port 443.
        pub tls_challenge: Option<TlsChallenge>,
    }
}

section! {
    /// Credentials of an existing account with the authority.
    pub struct ExternalAccountBinding {
        /// Key identifier.
        pub kid: String,
        /// Key, base64.
        pub hmac_encoded: String,
    }
}

section! {
    /// Proves by a DNS record.
    pub struct DnsChallenge {
        /// Name of the DNS provider.
        pub provider: String,
        /// Deprecated: `propagation.delayBeforeChecks`.
        pub delay_before_check: Duration,
        /// DNS servers to check the record with, `host:port`.
        pub resolvers: Vec<String>,
        /// Deprecated: `propagation.disableChecks`.
        pub disable_propagation_check: bool,
        /// How long the record may take to be seen.
        pub propagation: Option<DnsPropagation>,
    }
}

section! {
    /// How long a record may take to be seen.
    pub struct DnsPropagation {
        /// Checks nothing. Default: false.
        pub disable_checks: bool,
        /// Does not ask the authoritative servers. Default: false.
        #[serde(rename = "disableANSChecks")]
        pub disable_ans_checks: bool,
        /// Asks all recursive servers. Default: false.
        #[serde(rename = "requireAllRNS")]
        pub require_all_rns: bool,
        /// Time before the first check. Default: 0.
        pub delay_before_checks: Duration,
    }
}

section! {
    /// Proves by a path of port 80.
    pub struct HttpChallenge {
        /// Entry point that the authority reaches on port 80.
        pub entry_point: String,
        /// Time before the authority is asked to look. Default: 0.
        pub delay: Duration,
    }
}

section! {
    /// Proves by a TLS handshake on port 443.
    pub struct TlsChallenge {
        /// Time before the authority is asked to look. Default: 0.
        pub delay: Duration,
    }
}
