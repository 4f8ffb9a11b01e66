//! One question to one server.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use bytes::Bytes;
use http::header::{CONNECTION, HOST, HeaderName, HeaderValue, LOCATION, USER_AGENT};
use http::{Method, Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use routing::{HealthCheck, Server, Transport};
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use super::http2;
use super::reference::{Url, is_relative};

/// What one question needs.
pub(super) struct Check<'a> {
    pub(super) check: &'a HealthCheck,
    pub(super) transport: &'a Transport,
    pub(super) server: &'a Server,
}

impl Check<'_> {
    /// Asks; the error says why the server is not well.
    pub(super) async fn run(&self) -> Result<(), String> {
        if self.check.settings.mode == GRPC {
            return self.run_grpc().await;
        }
        let mut method = self.method()?;
        let mut url = self.url()?;
        let mut body = Bytes::copy_from_slice(self.check.settings.body.as_bytes());
        for _ in 0..REDIRECTS_MAX {
            let (response, received) = self.send(&method, &url, &body).await?;
            let status = response.status().as_u16();
            let Some(location) = self.redirect(&response) else {
                return self.check.judge(status, &received);
            };
            url = url.join(&location).map_err(|error| format!("HTTP request failed: {error}"))?;
            // As Go's client does; 307 and 308 keep the method.
            if !matches!(status, 307 | 308) && method != Method::HEAD {
                method = Method::GET;
                body = Bytes::new();
            }
        }
        Err(format!("HTTP request failed: stopped after {REDIRECTS_MAX} redirects"))
    }

    /// Asks by the gRPC health protocol. Traefik never speaks TLS here; an `https` server would be
    /// down for ever.
    async fn run_grpc(&self) -> Result<(), String> {
        let settings = &self.check.settings;
        let mut url = Url::parse(&self.server.url)?;
        if !settings.scheme.is_empty() {
            url.scheme.clone_from(&settings.scheme);
        }
        if settings.port != 0 {
            url.port = Some(settings.port);
        }
        let authority = match settings.hostname.as_str() {
            "" => url.authority(),
            hostname => hostname.to_owned(),
        };
        let scheme = if url.scheme == "https" { "https" } else { "http" };
        let (request, message) = http2::grpc_request(scheme, &authority)?;
        let stream = self.connect(&url, Protocol::Http2).await;
        let stream =
            stream.map_err(|error| format!("fail to connect to {}: {error}", url.authority()))?;
        let answer = http2::send(stream, request, message, BODY_BYTES_MAX)
            .await
            .map_err(|error| format!("gRPC health check failed: {error}"))?;
        http2::judge_grpc(&answer)
    }

    fn method(&self) -> Result<Method, String> {
        match self.check.settings.method.as_str() {
            "" => Ok(Method::GET),
            method => Method::from_bytes(method.as_bytes())
                .map_err(|_| format!("create HTTP request: net/http: invalid method {method:?}")),
        }
    }

    fn url(&self) -> Result<Url, String> {
        let path = &self.check.settings.path;
        let failed = |error: String| format!("create HTTP request: {error}");
        if !is_relative(path) {
            return Err(failed(format!("health check path must be a relative URL, got: {path:?}")));
        }
        let mut url =
            Url::parse(&self.server.url).and_then(|url| url.join(path)).map_err(failed)?;
        if !self.check.settings.scheme.is_empty() {
            url.scheme.clone_from(&self.check.settings.scheme);
        }
        if self.check.settings.port != 0 {
            url.port = Some(self.check.settings.port);
        }
        Ok(url)
    }

    fn request(
        &self,
        method: &Method,
        url: &Url,
        body: &Bytes,
    ) -> Result<Request<Full<Bytes>>, String> {
        let failed = |error: http::Error| format!("create HTTP request: {error}");
        let mut request = Request::builder()
            .method(method)
            .uri(&url.path_and_query)
            .body(Full::new(body.clone()))
            .map_err(failed)?;
        let headers = request.headers_mut();
        headers.insert(USER_AGENT, HeaderValue::from_static("Ferrovia-health-check"));
        headers.insert(CONNECTION, HeaderValue::from_static("close"));
        for (name, value) in &self.check.settings.headers {
            let name: HeaderName =
                name.parse().map_err(|error| failed(http::Error::from(error)))?;
            // Go's client takes the host from elsewhere.
            if name != HOST {
                let value = value.parse().map_err(|error| failed(http::Error::from(error)))?;
                headers.insert(name, value);
            }
        }
        let host = match self.check.settings.hostname.as_str() {
            "" => url.authority(),
            hostname => hostname.to_owned(),
        };
        let host = HeaderValue::from_str(&host).map_err(|error| failed(error.into()))?;
        headers.insert(HOST, host);
        Ok(request)
    }

    /// Sends a request; gives the response's head, and the beginning of its body if that matters.
    async fn send(
        &self,
        method: &Method,
        url: &Url,
        body: &Bytes,
    ) -> Result<(Response<()>, Vec<u8>), String> {
        let request = self.request(method, url, body)?;
        let failed = |error: String| format!("HTTP request failed: {error}");
        if url.scheme == "h2c" {
            let stream = self.connect(url, Protocol::Http2).await.map_err(failed)?;
            let request = over_http2(request, url).map_err(failed)?;
            let bytes_max = if self.check.wants_body() { BODY_BYTES_MAX } else { 0 };
            let answer = http2::send(stream, request, body.clone(), bytes_max).await;
            return answer.map(|answer| (answer.head, answer.body)).map_err(failed);
        }
        let stream = self.connect(url, Protocol::Http1).await.map_err(failed)?;
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream))
            .await
            .map_err(|error| failed(error.to_string()))?;
        let answer = async {
            let (head, body) = sender.send_request(request).await?.into_parts();
            let received =
                if self.check.wants_body() { beginning(body).await? } else { Vec::new() };
            Ok((Response::from_parts(head, ()), received))
        };
        tokio::pin!(answer, connection);
        // The connection has to be driven until the answer is there.
        let answer = tokio::select! {
            biased;
            answer = &mut answer => answer,
            // It may have ended after it handed the answer over.
            _ = &mut connection => answer.await,
        };
        answer.map_err(|error: hyper::Error| failed(error.to_string()))
    }

    async fn connect(&self, url: &Url, protocol: Protocol) -> Result<Box<dyn Stream>, String> {
        let stream = self.dial(url).await?;
        let _ = stream.set_nodelay(true);
        match url.scheme.as_str() {
            "http" | "h2c" => Ok(Box::new(stream)),
            "https" => {
                let name = self.transport.server_name.as_deref().unwrap_or(&url.host).to_owned();
                let name = ServerName::try_from(name).map_err(|error| error.to_string())?;
                let config = match protocol {
                    Protocol::Http1 => Arc::clone(&self.transport.http1_tls),
                    Protocol::Http2 => tls::offering(&self.transport.tls, &["h2"]),
                };
                let connector = TlsConnector::from(config);
                let stream = connector.connect(name, stream).await;
                Ok(Box::new(stream.map_err(|error| format!("TLS: {error}"))?))
            }
            other => Err(format!("unsupported protocol scheme {other:?}")),
        }
    }

    async fn dial(&self, url: &Url) -> Result<TcpStream, String> {
        let port = url.effective_port();
        let mut addresses: Vec<SocketAddr> = match url.host.parse::<IpAddr>() {
            Ok(ip) => vec![SocketAddr::new(ip, port)],
            Err(_) if *url.host == *self.server.host => {
                let known = self.server.addresses.load();
                known.iter().map(|address| SocketAddr::new(address.ip(), port)).collect()
            }
            Err(_) => Vec::new(),
        };
        if addresses.is_empty() {
            let found = tokio::net::lookup_host((url.host.as_str(), port)).await;
            addresses = found.map_err(|error| format!("lookup {}: {error}", url.host))?.collect();
        }
        TcpStream::connect(&*addresses)
            .await
            .map_err(|error| format!("dial tcp {}: {error}", url.authority()))
    }

    /// Where the response sends us, if we follow.
    fn redirect(&self, response: &Response<()>) -> Option<String> {
        let follows = self.check.settings.follow_redirects.unwrap_or(true);
        let is_redirect = matches!(response.status().as_u16(), 301 | 302 | 303 | 307 | 308);
        if !follows || !is_redirect {
            return None;
        }
        Some(response.headers().get(LOCATION)?.to_str().ok()?.to_owned())
    }
}

/// What is spoken on a connection.
#[derive(Clone, Copy)]
enum Protocol {
    Http1,
    Http2,
}

/// The same request as HTTP/2 has it.
fn over_http2(request: Request<Full<Bytes>>, url: &Url) -> Result<Request<()>, String> {
    let (mut head, _) = request.into_parts();
    head.headers.remove(CONNECTION);
    let host = head.headers.remove(HOST);
    let host = host.as_ref().map(HeaderValue::as_bytes).unwrap_or_default();
    head.uri = http::Uri::builder()
        .scheme("http")
        .authority(host)
        .path_and_query(&*url.path_and_query)
        .build()
        .map_err(|error| error.to_string())?;
    head.version = http::Version::HTTP_2;
    Ok(Request::from_parts(head, ()))
}

/// Reads as much of a body as is looked at.
async fn beginning(mut body: Incoming) -> Result<Vec<u8>, hyper::Error> {
    let mut read = Vec::new();
    while let Some(frame) = body.frame().await {
        if let Some(data) = frame?.data_ref() {
            read.extend_from_slice(data);
        }
        if read.len() >= BODY_BYTES_MAX {
            read.truncate(BODY_BYTES_MAX);
            break;
        }
    }
    Ok(read)
}

trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// The mode that asks by the gRPC health protocol.
const GRPC: &str = "grpc";
/// As Go's client.
const REDIRECTS_MAX: usize = 10;
/// Bytes of a body that are looked at.
const BODY_BYTES_MAX: usize = 64 * 1024;
