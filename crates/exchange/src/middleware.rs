//! The two-phase middleware contract.
//!
//! A middleware sees the request on its way in and the response on its way out; there is no
//! `next`. The data plane's exchange loop calls the request phases in order, forwards, and calls
//! the response phases of those stages that let the request pass, in reverse.

use std::any::Any;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use crate::{Exchange, Response};

/// A future that stays on its worker.
pub type LocalFuture<'a, T> = Pin<Box<dyn Future<Output = T> + 'a>>;

/// Wraps a value that is there already.
pub fn ready<'a, T: 'a>(value: T) -> LocalFuture<'a, T> {
    Box::pin(std::future::ready(value))
}

/// What one stage keeps of one exchange between its two phases.
pub type Memo = Option<Box<dyn Any>>;

/// Says how the exchange goes on after a phase.
pub enum Flow {
    Continue,
    /// Request phase: answers now; later stages and the service do not see the request, the
    /// response phases of earlier stages do see the response. Response phase: replaces the
    /// response for the stages before this one.
    Respond(Box<Response>),
    /// Response phase only: drops the response and sends the request again through the stages
    /// after this one. The middleware has put `exchange.request` back as it shall be sent.
    Retry {
        after: Duration,
    },
}

impl Flow {
    /// Answers with `response`.
    pub fn respond(response: Response) -> Self {
        Self::Respond(Box::new(response))
    }
}

/// Says in which phases a stage has work, so that the loop skips the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phases {
    Request,
    Response,
    Both,
}

/// A middleware that never waits.
pub trait Middleware: Send + Sync {
    fn on_request(&self, exchange: &mut Exchange, memo: &mut Memo) -> Flow {
        let _ = (exchange, memo);
        Flow::Continue
    }

    fn on_response(&self, exchange: &mut Exchange, memo: &mut Memo) -> Flow {
        let _ = (exchange, memo);
        Flow::Continue
    }

    fn phases(&self) -> Phases {
        Phases::Both
    }
}

/// A middleware that asks others or reads bodies.
pub trait AsyncMiddleware: Send + Sync {
    fn on_request<'a>(
        &'a self,
        exchange: &'a mut Exchange,
        memo: &'a mut Memo,
    ) -> LocalFuture<'a, Flow> {
        let _ = (exchange, memo);
        ready(Flow::Continue)
    }

    fn on_response<'a>(
        &'a self,
        exchange: &'a mut Exchange,
        memo: &'a mut Memo,
    ) -> LocalFuture<'a, Flow> {
        let _ = (exchange, memo);
        ready(Flow::Continue)
    }

    fn phases(&self) -> Phases {
        Phases::Both
    }
}

/// One middleware in a router's chain.
#[derive(Clone)]
pub enum Stage {
    Sync { name: Arc<str>, middleware: Arc<dyn Middleware> },
    Async { name: Arc<str>, middleware: Arc<dyn AsyncMiddleware> },
}

impl Stage {
    /// The middleware's name, as `name@provider`.
    pub fn name(&self) -> &Arc<str> {
        match self {
            Self::Sync { name, .. } | Self::Async { name, .. } => name,
        }
    }
}
