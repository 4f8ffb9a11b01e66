//! hot path
//!
//! The client of one exchange, whatever protocol it speaks: what the exchange and forwarding must
//! know of whoever waits for the response.

use std::future::{Future, poll_fn};
use std::io;
use std::pin::pin;
use std::task::{Context, Poll};

use http::{HeaderMap, StatusCode, Version};

use crate::clock::Alarm;
use crate::http::client::Client;
use crate::http2;

/// The client that waits for a response. An enum, not a trait object: what HTTP/1.1 does with it
/// costs one compare, and nothing is allocated.
#[derive(Clone, Copy)]
pub(crate) enum ClientSide<'a> {
    Http1(&'a Client),
    Http2(&'a http2::Stream),
}

impl<'a> ClientSide<'a> {
    /// The deadline of whatever the exchange waits for.
    pub(crate) fn alarm(self) -> &'a Alarm {
        match self {
            Self::Http1(client) => &client.alarm,
            Self::Http2(stream) => &stream.alarm,
        }
    }

    /// Tells when the client has gone.
    pub(crate) fn poll_gone(self, context: &mut Context<'_>) -> Poll<()> {
        match self {
            Self::Http1(client) => client.poll_gone(context),
            Self::Http2(stream) => stream.poll_gone(context),
        }
    }

    /// Awaits something as long as the client is there; `None`: it left first.
    pub(crate) async fn unless_gone<T>(self, awaited: impl Future<Output = T>) -> Option<T> {
        let mut awaited = pin!(awaited);
        poll_fn(|context| match awaited.as_mut().poll(context) {
            Poll::Ready(value) => Poll::Ready(Some(value)),
            Poll::Pending => self.poll_gone(context).map(|()| None),
        })
        .await
    }

    /// Writes interim responses that are queued; ready when the client can take the next.
    pub(crate) fn poll_interim_sent(self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self {
            Self::Http1(client) if client.wire.borrow().is_drained() => Poll::Ready(Ok(())),
            Self::Http1(client) => client.poll_drain(context),
            Self::Http2(stream) => stream.poll_interim_sent(context).map(Ok),
        }
    }

    /// Tells whether the client waits for `100 Continue`.
    pub(crate) fn owes_continue(self) -> bool {
        match self {
            Self::Http1(client) => client.owes_continue(),
            Self::Http2(stream) => stream.owes_continue(),
        }
    }

    /// Queues an interim response: 100 to 199, but not 101.
    pub(crate) fn queue_interim(self, version: Version, status: StatusCode, headers: HeaderMap) {
        match self {
            Self::Http1(client) => client.queue_interim(version, status, &headers),
            Self::Http2(stream) => stream.queue_interim(status, headers),
        }
    }
}
