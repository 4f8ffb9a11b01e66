//! `digestAuth`: asks for a user name and a password by digest (RFC 7616, MD5 only, as Traefik).

mod credentials;
mod nonces;

use std::collections::HashMap;

use aws_lc_rs::constant_time;
use exchange::{Exchange, Flow, Memo, Middleware, Phases, Request, Response};
use http::StatusCode;
use http::header::{AUTHORIZATION, CONTENT_TYPE, HeaderName, HeaderValue, WWW_AUTHENTICATE};

use self::credentials::Credentials;
use self::nonces::{Nonces, Use};
use crate::header_names::{read_name, read_value};
use crate::url::Url;
use crate::{url_path, users};

pub(crate) struct DigestAuth {
    realm: String,
    /// Hexadecimal MD5 of user, realm and password, by user and realm.
    users: HashMap<String, String>,
    opaque: String,
    nonces: Nonces,
    header_field: Option<HeaderName>,
    removes_header: bool,
}

/// What became of a request's credentials.
enum Verdict {
    Right(String),
    /// Right, but of a count that is past: the client is to try again by itself.
    Stale,
    Wrong,
}

impl DigestAuth {
    pub(crate) fn new(settings: &config::dynamic::DigestAuth) -> Result<Self, String> {
        let mut users = HashMap::new();
        for line in users::load(&settings.users_file, &settings.users)? {
            let parts: Vec<&str> = line.split(':').collect();
            let [user, realm, hash] = parts[..] else {
                return Err(format!("error parsing DigestUser: {line}"));
            };
            users.insert(format!("{user}:{realm}"), hash.to_owned());
        }
        let realm = if settings.realm.is_empty() { "traefik" } else { &settings.realm };
        read_value("WWW-Authenticate", realm)?;
        let nonces = Nonces::new()?;
        Ok(Self {
            realm: realm.to_owned(),
            users,
            opaque: nonces.opaque()?,
            nonces,
            header_field: match settings.header_field.as_str() {
                "" => None,
                name => Some(read_name(name)?),
            },
            removes_header: settings.remove_header,
        })
    }

    fn judge(&self, credentials: &Credentials, request: &Request) -> Verdict {
        let Credentials { user, nonce, count, uri, .. } = credentials;
        let is_ours = credentials.opaque == self.opaque
            && credentials.algorithm.as_deref().unwrap_or("MD5") == "MD5"
            && credentials.quality == "auth";
        if !is_ours || !is_of(uri, request) {
            return Verdict::Wrong;
        }
        // Not an empty hash: anybody could compute the right response to that.
        let Some(hash) = self.users.get(&format!("{user}:{}", self.realm)) else {
            return Verdict::Wrong;
        };
        let request_hash = md5_hex(&format!("{}:{uri}", request.method));
        let client_nonce = &credentials.client_nonce;
        let expected = md5_hex(&format!(
            "{hash}:{nonce}:{count}:{client_nonce}:{}:{request_hash}",
            credentials.quality
        ));
        let response = credentials.response.as_bytes();
        if constant_time::verify_slices_are_equal(expected.as_bytes(), response).is_err() {
            return Verdict::Wrong;
        }
        let is_hexadecimal = !count.is_empty() && count.bytes().all(|b| b.is_ascii_hexdigit());
        match u64::from_str_radix(count, 16) {
            Ok(count) if is_hexadecimal => match self.nonces.take(nonce, count) {
                Use::Fresh => Verdict::Right(user.clone()),
                Use::Past => Verdict::Stale,
                Use::Replayed | Use::Unknown => Verdict::Wrong,
            },
            _ => Verdict::Wrong,
        }
    }

    fn refusal(&self, is_stale: bool) -> Response {
        let Ok(nonce) = self.nonces.issue() else {
            tracing::error!("digestAuth: no randomness for a nonce");
            return Response::status_only(StatusCode::INTERNAL_SERVER_ERROR);
        };
        let stale = if is_stale { "stale=\"true\", " } else { "" };
        let challenge = format!(
            "Digest realm=\"{}\", nonce=\"{nonce}\", opaque=\"{}\", {stale}algorithm=\"MD5\", \
             qop=\"auth\"",
            self.realm, self.opaque
        );
        let mut response = Response::bare(StatusCode::UNAUTHORIZED, "401 Unauthorized\n");
        response.headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/plain"));
        if let Ok(challenge) = HeaderValue::from_bytes(challenge.as_bytes()) {
            response.headers.insert(WWW_AUTHENTICATE, challenge);
        }
        response
    }
}

impl Middleware for DigestAuth {
    fn on_request(&self, exchange: &mut Exchange, _memo: &mut Memo) -> Flow {
        let value = exchange.request.headers.get(AUTHORIZATION);
        let credentials = value.and_then(|value| Credentials::read(value.as_bytes()));
        let verdict = credentials
            .as_ref()
            .map_or(Verdict::Wrong, |credentials| self.judge(credentials, &exchange.request));
        let user = match verdict {
            Verdict::Right(user) => user,
            Verdict::Stale | Verdict::Wrong => {
                // The access log tells the name also of a user who was not let in.
                exchange.record.user = credentials.map(|credentials| credentials.user);
                let is_stale = matches!(verdict, Verdict::Stale);
                return Flow::respond(self.refusal(is_stale));
            }
        };
        let headers = &mut exchange.request.headers;
        if let Some(name) = &self.header_field {
            headers.remove(name);
            if let Ok(value) = HeaderValue::from_bytes(user.as_bytes()) {
                headers.insert(name.clone(), value);
            }
        }
        if self.removes_header {
            headers.remove(AUTHORIZATION);
        }
        exchange.record.user = Some(user);
        Flow::Continue
    }

    fn phases(&self) -> Phases {
        Phases::Request
    }
}

/// Tells whether a URI is the request's, or names a path that the request's begins with, as Traefik
/// takes it.
fn is_of(uri: &str, request: &Request) -> bool {
    if request.target.as_str() == uri {
        return true;
    }
    let Ok(path) = Url::parse(uri).and_then(|url| url_path::decode(&url.path)) else {
        return false;
    };
    url_path::decode(request.path()).is_ok_and(|of_request| of_request.starts_with(&path))
}

fn md5_hex(text: &str) -> String {
    format!("{:x}", md5::compute(text.as_bytes()))
}

#[cfg(test)]
mod tests;
