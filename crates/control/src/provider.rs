//! What a provider is, and what it delivers.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use config::decode_dynamic::{DynamicDecoded, Kind, Rejected};
use config::dynamic::{Configuration, HttpConfiguration, Named};
use config::{Diagnostic, Place};
use tokio::sync::{mpsc, watch};

/// A future that may move between threads.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// What a provider says: always its whole configuration.
#[derive(Clone, Debug)]
pub struct Update {
    /// The provider's name, the part of qualified names after `@`.
    pub provider: Arc<str>,
    /// Names are those the user wrote, without provider.
    pub configuration: Configuration,
    /// Objects that are there but cannot be read: their last good version stays in service. A
    /// rejected certificate keeps all certificates that the list had before.
    pub rejected: Vec<Rejected>,
    pub places: Places,
    /// What the provider itself found wrong. Objects are named without provider.
    pub diagnostics: Vec<Diagnostic>,
}

impl Update {
    /// Makes an update without anything in it.
    pub fn new(provider: Arc<str>) -> Self {
        Self {
            provider,
            configuration: Configuration::default(),
            rejected: Vec::new(),
            places: Places::default(),
            diagnostics: Vec::new(),
        }
    }

    /// Tells whether `other` means the same; where things stand does not count.
    pub(crate) fn says_the_same(&self, other: &Self) -> bool {
        let Configuration { http, tcp, udp, tls } = &self.configuration;
        let others = &other.configuration;
        let HttpConfiguration { routers, services, middlewares, servers_transports } = http;
        self.rejected == other.rejected
            && are_same(routers, &others.http.routers)
            && are_same(services, &others.http.services)
            && are_same(middlewares, &others.http.middlewares)
            && *servers_transports == others.http.servers_transports
            && (tcp, udp, tls) == (&others.tcp, &others.udp, &others.tls)
    }
}

/// Compares objects, most of which are the same values in memory.
fn are_same<T: PartialEq>(one: &Named<Arc<T>>, other: &Named<Arc<T>>) -> bool {
    let is_same = |((name, one), (other_name, other)): ((&String, &Arc<T>), (_, &Arc<T>))| {
        name == other_name && (Arc::ptr_eq(one, other) || one == other)
    };
    one.len() == other.len() && one.iter().zip(other).all(is_same)
}

/// Where the objects of an update stand, to locate what is found wrong with them later.
#[derive(Clone, Debug, Default)]
pub struct Places {
    /// The texts that the update was made of; the first that has an object tells.
    pub sources: Vec<Arc<DynamicDecoded>>,
    /// In the order of `configuration.tls.certificates`.
    pub certificates: Vec<Option<Place>>,
}

impl Places {
    /// Finds where a value of an object stands, or, if it is not written, the object. `path` is
    /// such as `loadBalancer.servers[0].url`.
    pub fn find(&self, kind: Kind, name: &str, path: &str) -> Option<Place> {
        self.sources.iter().find_map(|source| source.place(kind, name, path))
    }
}

/// A source of dynamic configuration.
pub trait Provider: Send {
    /// The name that objects are qualified with, such as `file`.
    fn name(&self) -> Arc<str>;

    /// Sends an update at once, even if there is nothing to deliver, and then whenever something
    /// changed, until told to stop or nobody listens any more.
    fn run(
        self: Box<Self>,
        updates: mpsc::Sender<Update>,
        signals: Signals,
    ) -> BoxFuture<'static, ()>;

    /// Delivers what there is now, without watching. May block.
    fn read_once(&mut self) -> Update;
}

/// What a running provider is told.
#[derive(Clone, Debug)]
pub struct Signals {
    /// Becomes true when the program ends.
    pub shutdown: watch::Receiver<bool>,
    /// Changes when the user asks for everything to be read again.
    pub reload: watch::Receiver<u64>,
}

/// What a provider may be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    /// The program ends.
    Shutdown,
    /// Read everything again.
    Reload,
}

impl Signals {
    /// Waits for the next signal. Nothing is lost if the future is dropped.
    pub async fn next(&mut self) -> Signal {
        tokio::select! {
            biased;
            // A sender that is gone means the same.
            _ = self.shutdown.wait_for(|is_over| *is_over) => Signal::Shutdown,
            Ok(()) = self.reload.changed() => Signal::Reload,
        }
    }

    /// Waits until the provider shall stop.
    pub async fn stopped(&mut self) {
        let _ = self.shutdown.wait_for(|is_over| *is_over).await;
    }
}
