//! hot path: what the fields of a head say about framing and about the connection.

use crate::authority::is_valid_authority;
use crate::error::HeadError;
use crate::names::spells;
use crate::token::trim_whitespace;

/// Whether a field stands among the others after its head was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Keep {
    Yes,
    /// The head says it otherwise: framing, and a Connection that only says whether it goes on.
    No,
    /// It is the request's Host, which has a place of its own.
    AsHost,
}

/// Collected while the fields of one head are read.
#[derive(Debug, Default)]
pub(crate) struct Facts {
    pub(crate) content_length: Option<u64>,
    pub(crate) is_chunked: bool,
    pub(crate) connection_close: bool,
    pub(crate) connection_keep_alive: bool,
    pub(crate) connection_upgrade: bool,
    pub(crate) has_upgrade: bool,
    pub(crate) has_hop_fields: bool,
    pub(crate) has_host: bool,
    pub(crate) expects_continue: bool,
    pub(crate) expects_other: bool,
}

impl Facts {
    /// Takes note of a field of a request.
    #[inline]
    pub(crate) fn note_request(&mut self, name: &[u8], value: &[u8]) -> Result<Keep, HeadError> {
        match name.len() {
            4 if spells(name, b"host") => {
                self.note_host(value)?;
                Ok(Keep::AsHost)
            }
            6 if spells(name, b"expect") => {
                self.note_expect(value);
                Ok(Keep::Yes)
            }
            14 if spells(name, b"content-length") => {
                self.note_content_length(value)?;
                Ok(Keep::No)
            }
            _ => self.note_shared(name, value),
        }
    }

    /// Takes note of a field of a response.
    #[inline]
    pub(crate) fn note_response(&mut self, name: &[u8], value: &[u8]) -> Result<Keep, HeadError> {
        if spells(name, b"content-length") {
            // Kept, because answers to HEAD and 304 carry the length of what they leave out.
            self.note_content_length(value)?;
            return Ok(Keep::Yes);
        }
        self.note_shared(name, value)
    }

    /// Takes note of the fields that requests share with responses. The lengths keep most names
    /// from being compared with anything.
    #[inline]
    fn note_shared(&mut self, name: &[u8], value: &[u8]) -> Result<Keep, HeadError> {
        match name.len() {
            2 if spells(name, b"te") => self.has_hop_fields = true,
            7 if spells(name, b"upgrade") => {
                self.has_upgrade = true;
                self.has_hop_fields = true;
            }
            7 if spells(name, b"trailer") => self.has_hop_fields = true,
            10 if spells(name, b"connection") => {
                return Ok(self.note_connection(value));
            }
            10 if spells(name, b"keep-alive") => self.has_hop_fields = true,
            16 if spells(name, b"proxy-connection") => self.has_hop_fields = true,
            17 if spells(name, b"transfer-encoding") => {
                if self.is_chunked || !value.eq_ignore_ascii_case(b"chunked") {
                    return Err(HeadError::InvalidTransferEncoding);
                }
                self.is_chunked = true;
                return Ok(Keep::No);
            }
            18 if spells(name, b"proxy-authenticate") => self.has_hop_fields = true,
            19 if spells(name, b"proxy-authorization") => self.has_hop_fields = true,
            _ => {}
        }
        Ok(Keep::Yes)
    }

    fn note_content_length(&mut self, value: &[u8]) -> Result<(), HeadError> {
        // RFC 9112, 6.3 allows to fold equal ones into one. Traefik does; a chain in which one
        // reader takes the first and another the last has one reading here.
        if self.content_length.is_some() {
            return Err(HeadError::RepeatedContentLength);
        }
        self.content_length = Some(parse_content_length(value)?);
        Ok(())
    }

    /// Refuses what no message may combine (RFC 9112, 6.1 and 6.3).
    #[inline]
    pub(crate) fn check_framing(&self, version: http::Version) -> Result<(), HeadError> {
        if self.is_chunked && self.content_length.is_some() {
            return Err(HeadError::ContentLengthWithTransferEncoding);
        }
        if self.is_chunked && version == http::Version::HTTP_10 {
            return Err(HeadError::TransferEncodingInHttp10);
        }
        Ok(())
    }

    /// Says whether the connection outlives the message as far as its head is concerned
    /// (RFC 9112, 9.3).
    #[inline]
    pub(crate) fn keeps_alive(&self, version: http::Version) -> bool {
        !self.connection_close && (version == http::Version::HTTP_11 || self.connection_keep_alive)
    }

    fn note_host(&mut self, value: &[u8]) -> Result<(), HeadError> {
        if self.has_host {
            return Err(HeadError::RepeatedHost);
        }
        // An empty Host is what a client sends whose URI has no authority (RFC 9110, 7.2).
        if !value.is_empty() && !is_valid_authority(value) {
            return Err(HeadError::InvalidHost);
        }
        self.has_host = true;
        Ok(())
    }

    fn note_expect(&mut self, value: &[u8]) {
        for member in members(value) {
            if member.eq_ignore_ascii_case(b"100-continue") {
                self.expects_continue = true;
            } else {
                self.expects_other = true;
            }
        }
    }

    fn note_connection(&mut self, value: &[u8]) -> Keep {
        // What nearly everybody sends, before it is read as a list.
        match value {
            b"close" => self.connection_close = true,
            b"keep-alive" => self.connection_keep_alive = true,
            _ => return self.note_connection_options(value),
        }
        Keep::No
    }

    fn note_connection_options(&mut self, value: &[u8]) -> Keep {
        let mut keep = Keep::No;
        for option in members(value) {
            match option.len() {
                5 if option.eq_ignore_ascii_case(b"close") => self.connection_close = true,
                10 if option.eq_ignore_ascii_case(b"keep-alive") => {
                    self.connection_keep_alive = true;
                }
                // Any other option names fields that go no further than this connection.
                length => {
                    keep = Keep::Yes;
                    self.has_hop_fields = true;
                    self.connection_upgrade |=
                        length == 7 && option.eq_ignore_ascii_case(b"upgrade");
                }
            }
        }
        keep
    }
}

/// Members of a comma-separated list, empty ones left out (RFC 9110, 5.6.1).
fn members(value: &[u8]) -> impl Iterator<Item = &[u8]> {
    value.split(|&byte| byte == b',').map(trim_whitespace).filter(|member| !member.is_empty())
}

/// Reads a number of decimal digits below 2^63, because peers with signed integers refuse more.
fn parse_content_length(value: &[u8]) -> Result<u64, HeadError> {
    if value.is_empty() {
        return Err(HeadError::InvalidContentLength);
    }
    let mut length = 0_u64;
    for &byte in value {
        if !byte.is_ascii_digit() {
            return Err(HeadError::InvalidContentLength);
        }
        length = length
            .checked_mul(10)
            .and_then(|length| length.checked_add(u64::from(byte - b'0')))
            .filter(|&length| length <= i64::MAX as u64)
            .ok_or(HeadError::InvalidContentLength)?;
    }
    Ok(length)
}
