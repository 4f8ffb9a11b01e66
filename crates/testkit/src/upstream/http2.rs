//! One connection of HTTP/2 to an upstream. The protocol is the `h2` crate's: what the scenarios
//! are about is what a proxy says with it.

use std::io;
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use bytes::Bytes;
use h2::server::{SendResponse, handshake};
use h2::{Reason, RecvStream};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode};

use super::connection::Shared;
use super::{Action, BodyFraming, Received, Reply};

/// Serves a connection until either side closes it.
pub(super) fn serve(stream: TcpStream, shared: &Arc<Shared>) -> io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    stream.set_nonblocking(true)?;
    let shared = Arc::clone(shared);
    runtime.block_on(async move {
        let stream = tokio::net::TcpStream::from_std(stream)?;
        let mut connection = handshake(stream).await.map_err(io::Error::other)?;
        let closing = Arc::new(tokio::sync::Notify::new());
        loop {
            let accepted = tokio::select! {
                accepted = connection.accept() => accepted,
                () = closing.notified() => return Ok(()),
            };
            let Some(accepted) = accepted else { return Ok(()) };
            let (request, respond) = accepted.map_err(io::Error::other)?;
            let (shared, closing) = (Arc::clone(&shared), Arc::clone(&closing));
            tokio::spawn(async move {
                let closes = exchange(request, respond, &shared).await.unwrap_or(false);
                if closes {
                    closing.notify_one();
                }
            });
        }
    })
}

/// Answers a request; tells whether the connection shall end with it.
async fn exchange(
    request: Request<RecvStream>,
    mut respond: SendResponse<Bytes>,
    shared: &Shared,
) -> Result<bool, h2::Error> {
    let number = shared.served.fetch_add(1, Ordering::AcqRel);
    let method = request.method().clone();
    let reply = shared.spec.reply_to(number, request.uri().path());
    if request.headers().contains_key("expect") {
        let mut interim = Response::new(());
        *interim.status_mut() = StatusCode::CONTINUE;
        respond.send_informational(interim)?;
    }
    let received = receive(request, shared).await;
    if !reply.quiet {
        shared.log.push(received);
    }
    tokio::time::sleep(Duration::from_millis(reply.delay_ms)).await;
    match reply.action {
        None => answer(reply, &shared.spec.name, &method, &mut respond)?,
        Some(Action::Close) => return Ok(true),
        Some(Action::Reset | Action::Upgrade) => respond.send_reset(Reason::CANCEL),
        Some(Action::Stall) => std::future::pending().await,
    }
    Ok(false)
}

async fn receive(request: Request<RecvStream>, shared: &Shared) -> Received {
    let (head, mut stream) = request.into_parts();
    let path = head.uri.path_and_query().map_or("", |path| path.as_str());
    let mut received = Received {
        upstream: shared.spec.name.clone(),
        first_line: format!("{} {path} HTTP/2.0", head.method),
        complete: true,
        ..Received::default()
    };
    let pseudo = [
        (":scheme", head.uri.scheme_str()),
        (":authority", head.uri.authority().map(|authority| authority.as_str())),
    ];
    for (name, value) in pseudo {
        if let Some(value) = value {
            received.fields.push((name.to_owned(), value.to_owned()));
        }
    }
    received.fields.extend(lines(&head.headers));
    while let Some(data) = stream.data().await {
        let Ok(data) = data else {
            received.complete = false;
            return received;
        };
        let _ = stream.flow_control().release_capacity(data.len());
        received.body.extend_from_slice(&data);
    }
    match stream.trailers().await {
        Ok(trailers) => received.trailers = trailers.iter().flat_map(lines).collect(),
        Err(_) => received.complete = false,
    }
    received
}

fn lines(fields: &HeaderMap) -> impl Iterator<Item = (String, String)> {
    fields.iter().map(|(name, value)| {
        (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned())
    })
}

fn answer(
    reply: &Reply,
    name: &str,
    method: &Method,
    respond: &mut SendResponse<Bytes>,
) -> Result<(), h2::Error> {
    for interim in &reply.interim {
        let mut lines = interim.lines();
        let status = lines.next().and_then(|line| line.get(..3)).and_then(|s| s.parse().ok());
        let mut response = Response::new(());
        *response.status_mut() = status.unwrap_or(StatusCode::EARLY_HINTS);
        *response.headers_mut() = fields(lines);
        respond.send_informational(response)?;
    }
    let body = reply.content(name);
    let mut response = Response::new(());
    *response.status_mut() =
        StatusCode::from_u16(reply.status.unwrap_or(200)).unwrap_or(StatusCode::OK);
    *response.headers_mut() = fields(reply.headers.iter().map(String::as_str));
    if reply.framing == BodyFraming::Length {
        response.headers_mut().insert("content-length", HeaderValue::from(body.len()));
    }
    let has_body = method != Method::HEAD && reply.framing != BodyFraming::Absent;
    let is_all = !has_body && reply.trailers.is_empty();
    let mut stream = respond.send_response(response, is_all)?;
    if has_body {
        stream.send_data(body.into(), reply.trailers.is_empty())?;
    }
    if !reply.trailers.is_empty() {
        stream.send_trailers(fields(reply.trailers.iter().map(String::as_str)))?;
    }
    Ok(())
}

fn fields<'a>(lines: impl Iterator<Item = &'a str>) -> HeaderMap {
    lines
        .filter_map(|line| {
            let (name, value) = line.split_once(':')?;
            let name: HeaderName = name.trim().parse().ok()?;
            Some((name, value.trim().parse().ok()?))
        })
        .collect()
}
