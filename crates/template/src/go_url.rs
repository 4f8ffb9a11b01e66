//! URLs as Go's `net/url` parses and writes them, which differs from RFC 3986 and WHATWG alike.

use std::fmt;

/// The parts of a URL, unescaped where Go unescapes them.
#[derive(Debug, Default, Clone)]
pub(crate) struct Url {
    pub(crate) scheme: String,
    pub(crate) opaque: String,
    pub(crate) userinfo: Option<(String, Option<String>)>,
    pub(crate) host: String,
    pub(crate) path: String,
    /// The path as it was written, when that is not how it would be escaped.
    pub(crate) raw_path: String,
    pub(crate) query: String,
    pub(crate) has_empty_query: bool,
    pub(crate) fragment: String,
}

/// The part of a URL that a text is escaped for.
#[derive(Clone, Copy, PartialEq)]
enum Part {
    Userinfo,
    Host,
    Path,
    Fragment,
}

impl Url {
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let fail = |message: &str| format!("parse {text:?}: {message}");
        if text.bytes().any(|byte| byte < b' ' || byte == 0x7f) {
            return Err(fail("net/url: invalid control character in URL"));
        }
        let (before, fragment) = text.split_once('#').unwrap_or((text, ""));
        let fragment = unescape(fragment, Part::Fragment).map_err(|message| fail(&message))?;
        let mut url = Self { fragment, ..Self::default() };
        url.parse_before_fragment(before).map_err(|message| fail(&message))?;
        Ok(url)
    }

    fn parse_before_fragment(&mut self, text: &str) -> Result<(), String> {
        if text == "*" {
            self.path = "*".to_owned();
            return Ok(());
        }
        let (scheme, rest) = split_scheme(text)?;
        self.scheme = scheme.to_ascii_lowercase();
        let rest = match rest.split_once('?') {
            Some((rest, "")) => {
                self.has_empty_query = true;
                rest
            }
            Some((rest, query)) => {
                self.query = query.to_owned();
                rest
            }
            None => rest,
        };
        if !rest.starts_with('/') {
            if !self.scheme.is_empty() {
                self.opaque = rest.to_owned();
                return Ok(());
            }
            if rest.split('/').next().is_some_and(|segment| segment.contains(':')) {
                return Err("first path segment in URL cannot contain colon".to_owned());
            }
        }
        let path = match rest.strip_prefix("//") {
            Some(after) if !self.scheme.is_empty() || !rest.starts_with("///") => {
                let (authority, path) = after.split_at(after.find('/').unwrap_or(after.len()));
                self.parse_authority(authority)?;
                path
            }
            _ => rest,
        };
        self.path = unescape(path, Part::Path)?;
        if escape(&self.path, Part::Path) != path {
            self.raw_path = path.to_owned();
        }
        Ok(())
    }

    fn parse_authority(&mut self, authority: &str) -> Result<(), String> {
        let host = match authority.rsplit_once('@') {
            None => authority,
            Some((userinfo, host)) => {
                let is_valid = |symbol: char| {
                    symbol.is_ascii_alphanumeric() || "-._:~!$&'()*+,;=%@".contains(symbol)
                };
                if !userinfo.chars().all(is_valid) {
                    return Err("net/url: invalid userinfo".to_owned());
                }
                self.userinfo = Some(match userinfo.split_once(':') {
                    Some((name, password)) => {
                        (unescape(name, Part::Userinfo)?, Some(unescape(password, Part::Userinfo)?))
                    }
                    None => (unescape(userinfo, Part::Userinfo)?, None),
                });
                host
            }
        };
        let port = if host.starts_with('[') {
            let close = host.rfind(']').ok_or("missing ']' in host")?;
            &host[close + 1..]
        } else {
            host.find(':').map_or("", |colon| &host[colon..])
        };
        let is_port = port.is_empty()
            || port.starts_with(':') && port[1..].bytes().all(|digit| digit.is_ascii_digit());
        if !is_port {
            return Err(format!("invalid port {port:?} after host"));
        }
        self.host = unescape(host, Part::Host)?;
        Ok(())
    }

    /// The host without its port and brackets.
    pub(crate) fn hostname(&self) -> &str {
        if let Some(rest) = self.host.strip_prefix('[') {
            return rest.rfind(']').map_or(rest, |close| &rest[..close]);
        }
        match self.host.rsplit_once(':') {
            Some((name, port)) if port.bytes().all(|digit| digit.is_ascii_digit()) => name,
            _ => &self.host,
        }
    }

    /// The user and password in their escaped form, empty without any.
    pub(crate) fn userinfo_text(&self) -> String {
        match &self.userinfo {
            None => String::new(),
            Some((name, None)) => escape(name, Part::Userinfo),
            Some((name, Some(password))) => {
                format!("{}:{}", escape(name, Part::Userinfo), escape(password, Part::Userinfo))
            }
        }
    }

    fn escaped_path(&self) -> String {
        let is_original = !self.raw_path.is_empty()
            && unescape(&self.raw_path, Part::Path).is_ok_and(|path| path == self.path);
        if is_original {
            return self.raw_path.clone();
        }
        if self.path == "*" { self.path.clone() } else { escape(&self.path, Part::Path) }
    }
}

impl fmt::Display for Url {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.scheme.is_empty() {
            write!(formatter, "{}:", self.scheme)?;
        }
        if !self.opaque.is_empty() {
            formatter.write_str(&self.opaque)?;
        } else {
            let path = self.escaped_path();
            let has_authority = !self.host.is_empty() || self.userinfo.is_some();
            if has_authority || !self.scheme.is_empty() && path.starts_with("//") {
                formatter.write_str("//")?;
                if self.userinfo.is_some() {
                    write!(formatter, "{}@", self.userinfo_text())?;
                }
                formatter.write_str(&escape(&self.host, Part::Host))?;
                if !path.is_empty() && !path.starts_with('/') && !self.host.is_empty() {
                    formatter.write_str("/")?;
                }
            } else if self.scheme.is_empty()
                && path.split('/').next().is_some_and(|segment| segment.contains(':'))
            {
                formatter.write_str("./")?;
            }
            formatter.write_str(&path)?;
        }
        if self.has_empty_query || !self.query.is_empty() {
            write!(formatter, "?{}", self.query)?;
        }
        if !self.fragment.is_empty() {
            write!(formatter, "#{}", escape(&self.fragment, Part::Fragment))?;
        }
        Ok(())
    }
}

fn split_scheme(text: &str) -> Result<(&str, &str), String> {
    for (index, symbol) in text.char_indices() {
        match symbol {
            'a'..='z' | 'A'..='Z' => {}
            '0'..='9' | '+' | '-' | '.' if index > 0 => {}
            ':' if index == 0 => return Err("missing protocol scheme".to_owned()),
            ':' => return Ok((&text[..index], &text[index + 1..])),
            _ => break,
        }
    }
    Ok(("", text))
}

fn stays(symbol: u8, part: Part) -> bool {
    match symbol {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => true,
        b'!' | b'\'' | b'(' | b')' | b'*' => matches!(part, Part::Host | Part::Fragment),
        b'[' | b']' | b'<' | b'>' | b'"' => part == Part::Host,
        b'$' | b'&' | b'+' | b',' | b';' | b'=' => true,
        b':' => part != Part::Userinfo,
        b'@' => matches!(part, Part::Path | Part::Fragment),
        b'/' | b'?' => part == Part::Fragment || part == Part::Path && symbol == b'/',
        _ => false,
    }
}

fn escape(text: &str, part: Part) -> String {
    let mut escaped = String::with_capacity(text.len());
    for byte in text.bytes() {
        if stays(byte, part) {
            escaped.push(char::from(byte));
        } else {
            escaped.push_str(&format!("%{byte:02X}"));
        }
    }
    escaped
}

fn unescape(text: &str, part: Part) -> Result<String, String> {
    let bytes = text.as_bytes();
    let mut unescaped = Vec::with_capacity(bytes.len());
    let mut index = 0;
    while index < bytes.len() {
        let byte = bytes[index];
        if byte != b'%' {
            if part == Part::Host && byte.is_ascii() && !stays(byte, part) {
                return Err(format!(
                    "invalid character {:?} in host name",
                    char::from(byte).to_string()
                ));
            }
            unescaped.push(byte);
            index += 1;
            continue;
        }
        let code = text
            .get(index + 1..index + 3)
            .filter(|digits| digits.bytes().all(|digit| digit.is_ascii_hexdigit()))
            .and_then(|digits| u8::from_str_radix(digits, 16).ok());
        let Some(code) = code else {
            let shown: String = text[index..].chars().take(3).collect();
            return Err(format!("invalid URL escape {shown:?}"));
        };
        if part == Part::Host && code.is_ascii() && code != b'%' {
            return Err(format!("invalid URL escape {:?}", &text[index..index + 3]));
        }
        unescaped.push(code);
        index += 3;
    }
    String::from_utf8(unescaped).map_err(|_| "the URL is not valid UTF-8".to_owned())
}
