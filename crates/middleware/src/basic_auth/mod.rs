//! `basicAuth`: asks for a user name and a password.
//!
//! Slow hashes are computed on tokio's blocking threads, so that a login does not hold up the
//! other exchanges of its worker, and only a few at a time. What was proven once is remembered.

mod md5_crypt;
mod password;
mod proven;

use std::collections::HashMap;
use std::sync::{Arc, LazyLock};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use exchange::{AsyncMiddleware, Exchange, Flow, LocalFuture, Memo, Phases, Response, ready};
use http::StatusCode;
use http::header::{
    AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, WWW_AUTHENTICATE,
};
use tokio::sync::Semaphore;

use self::password::PasswordHash;
use self::proven::Proven;
use crate::header_names::{read_name, read_value};
use crate::users;

pub(crate) struct BasicAuth {
    users: HashMap<String, Arc<PasswordHash>>,
    /// Is computed for users that do not exist, so that they cannot be told apart by time.
    decoy: Arc<PasswordHash>,
    proven: Proven,
    challenge: HeaderValue,
    header_field: Option<HeaderName>,
    removes_header: bool,
}

/// Bounds the hashes computed at once by all instances together: more than half of the cores
/// would starve the workers.
static COMPUTATIONS: LazyLock<Semaphore> = LazyLock::new(|| {
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    Semaphore::new((cores / 2).max(1))
});

impl BasicAuth {
    pub(crate) fn new(settings: &config::dynamic::BasicAuth) -> Result<Self, String> {
        let mut users = HashMap::new();
        for line in users::load(&settings.users_file, &settings.users)? {
            let (user, hash) = users::split_basic(&line)?;
            users.insert(user.to_owned(), Arc::new(PasswordHash::new(hash)));
        }
        let Some(decoy) = users.values().next().cloned() else {
            return Err(format!("no users found in {}", settings.users_file));
        };
        let realm = if settings.realm.is_empty() { "traefik" } else { &settings.realm };
        Ok(Self {
            users,
            decoy,
            proven: Proven::new()?,
            challenge: read_value("WWW-Authenticate", &format!("Basic realm=\"{realm}\""))?,
            header_field: match settings.header_field.as_str() {
                "" => None,
                name => Some(read_name(name)?),
            },
            removes_header: settings.remove_header,
        })
    }

    /// Tells at once whether the password is right, or `None` when a slow hash must be computed.
    fn decide(&self, credentials: &Credentials) -> Option<bool> {
        let Some(hash) = self.users.get(&credentials.user) else {
            if self.decoy.is_slow() {
                return None;
            }
            // The result does not matter, the time does.
            let _ = self.decoy.matches(&credentials.password);
            return Some(false);
        };
        if !hash.is_slow() {
            return Some(hash.matches(&credentials.password));
        }
        self.proven.contains(credentials).then_some(true)
    }

    async fn compute(&self, credentials: Credentials) -> bool {
        let Ok(permit) = COMPUTATIONS.acquire().await else { return false };
        // While this one waited, another request may have proven the same.
        if let Some(decision) = self.decide(&credentials) {
            return decision;
        }
        let user = self.users.get(&credentials.user);
        let is_known = user.is_some();
        let hash = Arc::clone(user.unwrap_or(&self.decoy));
        let password = credentials.password.clone();
        // The permit goes along: a client that leaves does not stop the computation.
        let computed = tokio::task::spawn_blocking(move || {
            let _permit = permit;
            hash.matches(&password)
        });
        let is_right = computed.await.unwrap_or(false) && is_known;
        if is_right {
            self.proven.insert(&credentials);
        }
        is_right
    }

    fn finish(&self, exchange: &mut Exchange, user: Option<String>, is_right: bool) -> Flow {
        let request = &mut exchange.request;
        if !is_right {
            // Traefik: the access log tells the name also of a user who was not let in.
            exchange.record.user = user;
            return Flow::respond(self.refusal());
        }
        if let Some(name) = &self.header_field {
            request.headers.remove(name);
            let value = user.as_deref().map(|user| HeaderValue::from_bytes(user.as_bytes()));
            if let Some(Ok(value)) = value {
                request.headers.insert(name.clone(), value);
            }
        }
        if self.removes_header {
            request.headers.remove(AUTHORIZATION);
        }
        exchange.record.user = user;
        Flow::Continue
    }

    fn refusal(&self) -> Response {
        let mut response = Response::bare(StatusCode::UNAUTHORIZED, "401 Unauthorized\n");
        response.headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/plain"));
        response.headers.insert(WWW_AUTHENTICATE, self.challenge.clone());
        response
    }
}

impl AsyncMiddleware for BasicAuth {
    fn on_request<'a>(
        &'a self,
        exchange: &'a mut Exchange,
        _memo: &'a mut Memo,
    ) -> LocalFuture<'a, Flow> {
        let Some(credentials) = Credentials::read(&exchange.request.headers) else {
            return ready(self.finish(exchange, None, false));
        };
        let user = Some(credentials.user.clone());
        match self.decide(&credentials) {
            Some(is_right) => ready(self.finish(exchange, user, is_right)),
            None => Box::pin(async move {
                let is_right = self.compute(credentials).await;
                self.finish(exchange, user, is_right)
            }),
        }
    }

    fn phases(&self) -> Phases {
        Phases::Request
    }
}

/// What a client says of itself.
pub(super) struct Credentials {
    user: String,
    password: Vec<u8>,
}

impl Credentials {
    /// RFC 7617; the scheme's name in any case.
    fn read(headers: &HeaderMap) -> Option<Self> {
        let value = headers.get(AUTHORIZATION)?.as_bytes();
        let (scheme, encoded) = value.split_at_checked(b"Basic ".len())?;
        if !scheme.eq_ignore_ascii_case(b"Basic ") {
            return None;
        }
        let mut decoded = STANDARD.decode(encoded).ok()?;
        let colon = decoded.iter().position(|byte| *byte == b':')?;
        let password = decoded.split_off(colon + 1);
        decoded.pop();
        // A name that is no text is no user's; it is still compared, for the time it takes.
        let user = String::from_utf8_lossy(&decoded).into_owned();
        Some(Self { user, password })
    }
}

#[cfg(test)]
mod tests;
