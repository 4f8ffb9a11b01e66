//! Middlewares that ask who a client is.

use serde::{Deserialize, Serialize};

use crate::dynamic::is_false;

/// Asks for a user name and a password.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct BasicAuth {
    /// `name:hash` as htpasswd writes it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub users: Vec<String>,
    /// File of such lines.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub users_file: String,
    /// Default: traefik.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub realm: String,
    /// Takes Authorization off the request.
    #[serde(skip_serializing_if = "is_false")]
    pub remove_header: bool,
    /// Header that gets the user name.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub header_field: String,
}

/// Asks for a user name and a password by digest.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct DigestAuth {
    /// `name:realm:hash`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub users: Vec<String>,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub users_file: String,
    #[serde(skip_serializing_if = "is_false")]
    pub remove_header: bool,
    /// Default: traefik.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub realm: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub header_field: String,
}

/// Asks another server whether a request may pass.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ForwardAuth {
    /// URL of that server.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub address: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tls: Option<ClientTls>,
    /// Three-valued as in Traefik: absent, false, true.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trust_forward_header: Option<bool>,
    /// Headers to copy from the answer to the request.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub auth_response_headers: Vec<String>,
    /// Go regular expression for such headers.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub auth_response_headers_regex: String,
    /// Headers that server gets. Default: all.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub auth_request_headers: Vec<String>,
    /// Bytes. Default: no limit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_response_body_size: Option<i64>,
    /// Cookies to copy to the response.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub add_auth_cookies_to_response: Vec<String>,
    /// Header that holds the user name for the access log.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub header_field: String,
    #[serde(skip_serializing_if = "is_false")]
    pub forward_body: bool,
    /// Bytes; -1 (default): no limit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_body_size: Option<i64>,
    #[serde(skip_serializing_if = "is_false")]
    pub preserve_location_header: bool,
    #[serde(skip_serializing_if = "is_false")]
    pub preserve_request_method: bool,
    /// 401 becomes 302 to this URL.
    #[serde(rename = "authSigninURL", skip_serializing_if = "String::is_empty")]
    pub auth_signin_url: String,
}

impl Default for ForwardAuth {
    fn default() -> Self {
        Self {
            address: String::new(),
            tls: None,
            trust_forward_header: None,
            auth_response_headers: Vec::new(),
            auth_response_headers_regex: String::new(),
            auth_request_headers: Vec::new(),
            max_response_body_size: None,
            add_auth_cookies_to_response: Vec::new(),
            header_field: String::new(),
            forward_body: false,
            max_body_size: Some(-1),
            preserve_location_header: false,
            preserve_request_method: false,
            auth_signin_url: String::new(),
        }
    }
}

/// TLS towards an authentication server.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ClientTls {
    /// File or PEM.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub ca: String,
    /// File or PEM.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub cert: String,
    /// File or PEM.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub key: String,
    #[serde(skip_serializing_if = "is_false")]
    pub insecure_skip_verify: bool,
    /// Deprecated.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ca_optional: Option<bool>,
}
