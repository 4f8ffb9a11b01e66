//! One request over HTTP/2, and the gRPC health protocol upon it.

use std::future::Future;
use std::pin::pin;

use bytes::Bytes;
use h2::client::Builder;
use http::header::{CONTENT_TYPE, TE, USER_AGENT};
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode};
use tokio::io::{AsyncRead, AsyncWrite};

/// A whole answer.
pub(super) struct Answer {
    pub(super) head: Response<()>,
    /// The body's beginning.
    pub(super) body: Vec<u8>,
    trailers: HeaderMap,
}

/// Sends a request on a connection of its own; reads at most so many bytes of the answer's body.
pub(super) async fn send(
    stream: impl AsyncRead + AsyncWrite + Unpin,
    request: Request<()>,
    body: Bytes,
    body_bytes_max: usize,
) -> Result<Answer, String> {
    let mut builder = Builder::new();
    builder.enable_push(false);
    let (sender, connection) = builder.handshake::<_, Bytes>(stream).await.map_err(text)?;
    let mut answer = pin!(async move {
        let mut sender = sender.ready().await?;
        let (response, mut stream) = sender.send_request(request, body.is_empty())?;
        if !body.is_empty() {
            stream.send_data(body, true)?;
        }
        let (head, mut stream) = response.await?.into_parts();
        let mut body = Vec::new();
        while body.len() < body_bytes_max
            && let Some(data) = stream.data().await
        {
            let data = data?;
            stream.flow_control().release_capacity(data.len())?;
            body.extend_from_slice(&data);
        }
        let trailers = match body.len() < body_bytes_max {
            true => stream.trailers().await?.unwrap_or_default(),
            false => HeaderMap::new(),
        };
        body.truncate(body_bytes_max);
        Ok(Answer { head: Response::from_parts(head, ()), body, trailers })
    });
    let mut connection = pin!(connection);
    // The connection has to be driven until the answer is there.
    let ended = std::future::poll_fn(|context| {
        if let std::task::Poll::Ready(answer) = answer.as_mut().poll(context) {
            return std::task::Poll::Ready(Some(answer));
        }
        connection.as_mut().poll(context).map(|_| None)
    })
    .await;
    match ended {
        Some(answer) => answer.map_err(text),
        // It may have ended after it handed the answer over.
        None => answer.await.map_err(text),
    }
}

/// A request for a server's overall health: an empty `grpc.health.v1.HealthCheckRequest`, with its
/// five bytes of length before it.
pub(super) fn grpc_request(scheme: &str, authority: &str) -> Result<(Request<()>, Bytes), String> {
    let uri = http::Uri::builder()
        .scheme(scheme)
        .authority(authority)
        .path_and_query("/grpc.health.v1.Health/Check")
        .build()
        .map_err(|error| format!("create gRPC request: {error}"))?;
    let mut request = Request::new(());
    *request.method_mut() = Method::POST;
    *request.uri_mut() = uri;
    *request.version_mut() = http::Version::HTTP_2;
    let headers = request.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/grpc"));
    headers.insert(TE, HeaderValue::from_static("trailers"));
    headers.insert(USER_AGENT, HeaderValue::from_static("Ferrovia-health-check"));
    Ok((request, Bytes::from_static(&[0; 5])))
}

/// Judges the answer to a request for health. The error says why the server is not well.
pub(super) fn judge_grpc(answer: &Answer) -> Result<(), String> {
    let Answer { head, body, trailers } = answer;
    // Where an answer has no message, its status stands in the head.
    let field = |name| trailers.get(name).or_else(|| head.headers().get(name));
    match field("grpc-status").map(HeaderValue::as_bytes) {
        Some(b"0") => {}
        Some(code) => {
            let message = field("grpc-message").map(HeaderValue::as_bytes).unwrap_or_default();
            let message = String::from_utf8_lossy(message);
            let code = String::from_utf8_lossy(code);
            return Err(match &*code {
                "12" => format!("gRPC server does not implement the health protocol: {message}"),
                "4" => format!("gRPC health check timeout: {message}"),
                code => format!("gRPC health check failed: code = {code} desc = {message}"),
            });
        }
        None if head.status() != StatusCode::OK => {
            return Err(format!("gRPC health check failed: HTTP status {}", head.status()));
        }
        None => return Err("gRPC health check failed: the answer has no gRPC status".to_owned()),
    }
    match serving_status(body) {
        Some(SERVING) => Ok(()),
        Some(status) => {
            let names = ["UNKNOWN", "SERVING", "NOT_SERVING", "SERVICE_UNKNOWN"];
            let name = usize::try_from(status).ok().and_then(|status| names.get(status));
            Err(match name {
                Some(name) => format!("received gRPC status code: {name}"),
                None => format!("received gRPC status code: {status}"),
            })
        }
        None => Err("gRPC health check failed: the answer cannot be read".to_owned()),
    }
}

/// Reads `status`, field 1 of a `grpc.health.v1.HealthCheckResponse`; 0 where it is left out.
fn serving_status(body: &[u8]) -> Option<u64> {
    let (head, message) = body.split_at_checked(5)?;
    let [compressed, length @ ..] = head else { return None };
    let length = u32::from_be_bytes(length.try_into().ok()?);
    if *compressed != 0 || message.len() != usize::try_from(length).ok()? {
        return None;
    }
    let mut rest = message;
    let mut status = 0;
    while !rest.is_empty() {
        let key = varint(&mut rest)?;
        match (key >> 3, key & 7) {
            (1, 0) => status = varint(&mut rest)?,
            // Fields of later versions of the protocol.
            (_, 0) => {
                varint(&mut rest)?;
            }
            (_, 1) => rest = rest.get(8..)?,
            (_, 2) => {
                let length = usize::try_from(varint(&mut rest)?).ok()?;
                rest = rest.get(length..)?;
            }
            (_, 5) => rest = rest.get(4..)?,
            _ => return None,
        }
    }
    Some(status)
}

/// Reads a number as protobuf writes them.
fn varint(bytes: &mut &[u8]) -> Option<u64> {
    let mut number = 0;
    for shift in (0..64).step_by(7) {
        let (&byte, rest) = bytes.split_first()?;
        *bytes = rest;
        number |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}

fn text(error: h2::Error) -> String {
    error.to_string()
}

const SERVING: u64 = 1;

#[cfg(test)]
mod tests {
    use super::*;

    fn check(body: &[u8], expected: Option<u64>) {
        assert_eq!(serving_status(body), expected, "{body:?}");
    }

    #[test]
    fn messages_are_read_and_unknown_fields_passed_over() {
        check(&[0, 0, 0, 0, 2, 8, 1], Some(1));
        check(&[0, 0, 0, 0, 2, 8, 2], Some(2));
        check(&[0, 0, 0, 0, 0], Some(0));
        check(&[0, 0, 0, 0, 8, 0x12, 2, b'x', b'y', 0x18, 0x80, 1, 8], None);
        check(&[0, 0, 0, 0, 9, 0x12, 2, b'x', b'y', 0x18, 0x80, 1, 8, 1], Some(1));
    }

    #[test]
    fn what_is_no_message_is_not_read() {
        check(b"", None);
        check(&[0, 0, 0, 0, 3, 8, 1], None);
        check(&[1, 0, 0, 0, 2, 8, 1], None);
        check(&[0, 0, 0, 0, 2, 8, 0x80], None);
        check(&[0, 0, 0, 0, 2, 0x0b, 1], None);
        check(&[0, 0xff, 0xff, 0xff, 0xff, 8, 1], None);
    }
}
