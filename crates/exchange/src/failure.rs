//! Why the data plane could not forward, and the one place that turns it into a status.

use http::StatusCode;

/// Says whose fault a failure is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    Client,
    Upstream,
    Internal,
}

/// Describes a request that could not be forwarded or answered.
#[derive(Clone, Debug)]
pub struct Failure {
    pub kind: FailureKind,
    /// Whether any byte of the request reached the server. If none did, another try is safe.
    pub request_was_sent: bool,
    /// What the operating system or the TLS library said, for the log.
    pub detail: Option<Box<str>>,
}

/// Says what happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FailureKind {
    /// No server is healthy, or the service has none.
    NoServer,
    /// The server's name does not resolve.
    NameResolution,
    ConnectRefused,
    ConnectTimedOut,
    /// Any other error of connecting.
    ConnectFailed,
    /// No descriptor was left for a connection to the server.
    Exhausted,
    /// The TLS handshake broke for another reason than the certificate.
    TlsHandshake,
    /// The server's certificate was refused.
    TlsVerify,
    /// No response head within `responseHeaderTimeout`.
    ResponseHeaderTimedOut,
    /// The server closed the connection without a whole response head.
    UpstreamClosed,
    /// The server reset the connection before a whole response head.
    UpstreamReset,
    /// The server sent something that is not HTTP.
    UpstreamMalformed,
    /// The response head is larger than the limit.
    UpstreamHeadTooLarge,
    /// The client went away, or cut its body short.
    ClientGone,
    /// The client's body did not arrive in time.
    ClientTimedOut,
    /// The client's body is malformed.
    ClientMalformed,
    /// The server's URL has a scheme that is not supported.
    UnsupportedScheme,
    /// A bug or a limit of Ferrovia.
    Internal,
}

impl Failure {
    /// Makes a failure of which no byte reached a server.
    pub fn before_sending(kind: FailureKind) -> Self {
        Self { kind, request_was_sent: false, detail: None }
    }

    /// Makes a failure after at least one byte reached the server.
    pub fn after_sending(kind: FailureKind) -> Self {
        Self { kind, request_was_sent: true, detail: None }
    }

    /// Adds what the system said.
    #[must_use]
    pub fn detail(mut self, detail: impl ToString) -> Self {
        self.detail = Some(detail.to_string().into_boxed_str());
        self
    }

    /// Says whose fault it is.
    pub fn side(&self) -> Side {
        match self.kind {
            FailureKind::ClientGone
            | FailureKind::ClientTimedOut
            | FailureKind::ClientMalformed => Side::Client,
            FailureKind::Exhausted | FailureKind::UnsupportedScheme | FailureKind::Internal => {
                Side::Internal
            }
            _ => Side::Upstream,
        }
    }

    /// Turns the failure into the status clients see, as Traefik's `ComputeStatusCode` does:
    /// end of file 502, cancellation 499, timeouts 504, other network errors 502, the rest 500.
    pub fn status(&self) -> StatusCode {
        let code = match self.kind {
            FailureKind::NoServer => 503,
            FailureKind::NameResolution
            | FailureKind::ConnectRefused
            | FailureKind::ConnectFailed
            | FailureKind::Exhausted
            | FailureKind::TlsHandshake
            | FailureKind::UpstreamClosed
            | FailureKind::UpstreamReset => 502,
            FailureKind::ConnectTimedOut | FailureKind::ResponseHeaderTimedOut => 504,
            // Traefik: 499 or 504, as it falls. RFC 9110, 15.5.9: the client did not finish in
            // time; it neither went away nor was the server late.
            FailureKind::ClientTimedOut => 408,
            FailureKind::ClientGone => 499,
            FailureKind::ClientMalformed => 400,
            FailureKind::TlsVerify
            | FailureKind::UpstreamMalformed
            | FailureKind::UpstreamHeadTooLarge
            | FailureKind::UnsupportedScheme
            | FailureKind::Internal => 500,
        };
        StatusCode::from_u16(code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    /// Names the failure in one stable word for logs and metrics.
    pub fn reason(&self) -> &'static str {
        match self.kind {
            FailureKind::NoServer => "no_healthy_server",
            FailureKind::NameResolution => "dns_failed",
            FailureKind::ConnectRefused => "connect_refused",
            FailureKind::ConnectTimedOut => "connect_timeout",
            FailureKind::ConnectFailed => "connect_failed",
            FailureKind::Exhausted => "descriptors_exhausted",
            FailureKind::TlsHandshake => "tls_handshake_failed",
            FailureKind::TlsVerify => "tls_verify_failed",
            FailureKind::ResponseHeaderTimedOut => "response_header_timeout",
            FailureKind::UpstreamClosed => "upstream_closed_before_headers",
            FailureKind::UpstreamReset => "upstream_reset_before_headers",
            FailureKind::UpstreamMalformed => "upstream_malformed",
            FailureKind::UpstreamHeadTooLarge => "upstream_head_too_large",
            FailureKind::ClientGone => "client_gone",
            FailureKind::ClientTimedOut => "client_timeout",
            FailureKind::ClientMalformed => "client_malformed",
            FailureKind::UnsupportedScheme => "unsupported_scheme",
            FailureKind::Internal => "internal",
        }
    }
}
