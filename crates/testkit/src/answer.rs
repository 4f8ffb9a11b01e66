//! What came of one request: the part of a scenario that is recorded.

use std::collections::BTreeMap;
use std::io::Read;

use aws_lc_rs::digest;
use flate2::read::MultiGzDecoder;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// One recorded answer. Empty parts are left out of the file.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Answer {
    /// What was asked, to find one's way in the file.
    pub request: String,
    /// Protocol version, ALPN and certificate of the handshake.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tls: Option<String>,
    /// Heads of interim answers: status line, then fields.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub interim: Vec<Vec<String>>,
    /// The status line.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    /// Field lines sorted by name; lines of the same name stay in order.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub headers: Vec<String>,
    /// The body, unless empty.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub body: Option<String>,
    /// The body as JSON, in place of `body`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub json: Option<Value>,
    /// Trailer field lines.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub trailers: Vec<String>,
    /// What came through the tunnel after 101.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tunnel: Option<String>,
    /// What became of the connection, unless it stays open.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub connection: Option<String>,
    /// For repeated requests: how often which answer came.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub counts: BTreeMap<String, usize>,
    /// The runtime configuration the API shows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rawdata: Option<Value>,
    /// What reached the upstreams: request line, fields sorted by name, empty line, body.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub upstream: Vec<Vec<String>>,
}

impl Answer {
    /// The answer without some of its parts.
    pub fn without(&self, parts: &[String]) -> serde_json::Result<Self> {
        let mut value = serde_json::to_value(self)?;
        for part in parts {
            if let Some(members) = value.as_object_mut() {
                members.remove(part);
            }
        }
        serde_json::from_value(value)
    }
}

/// Field lines in a fixed order: by name, lines of the same name as they came.
pub fn sorted_lines(fields: &[(String, String)]) -> Vec<String> {
    let mut fields: Vec<_> = fields.iter().collect();
    fields.sort_by_cached_key(|(name, _)| name.to_ascii_lowercase());
    fields.into_iter().map(|(name, value)| format!("{name}: {value}")).collect()
}

/// A body as text; a long or binary one as its size and hash.
pub fn body_text(bytes: &[u8]) -> Option<String> {
    match std::str::from_utf8(bytes) {
        _ if bytes.is_empty() => None,
        Ok(text) if bytes.len() <= BODY_SHOWN_BYTES_LIMIT => Some(text.to_owned()),
        _ => {
            let digest = digest::digest(&digest::SHA256, bytes);
            let hash: String = digest.as_ref()[..6].iter().map(|b| format!("{b:02x}")).collect();
            Some(format!("({} bytes, sha256 {hash})", bytes.len()))
        }
    }
}

/// The content behind a content coding, if it is one we know and the bytes are sound.
pub fn decoded(coding: &str, bytes: &[u8]) -> Option<Vec<u8>> {
    let mut content = Vec::new();
    match coding {
        "gzip" => MultiGzDecoder::new(bytes).read_to_end(&mut content).ok()?,
        "br" => brotli::Decompressor::new(bytes, 4096).read_to_end(&mut content).ok()?,
        "zstd" => {
            content = zstd::stream::decode_all(bytes).ok()?;
            content.len()
        }
        _ => return None,
    };
    Some(content)
}

const BODY_SHOWN_BYTES_LIMIT: usize = 600;
