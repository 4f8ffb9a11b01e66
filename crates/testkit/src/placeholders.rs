//! `${NAME}` in scenarios, and the way back: what changes from run to run becomes a name again.
//!
//! | placeholder | stands for |
//! |---|---|
//! | `${A}` | address of the upstream `a`: `127.0.0.1:41234` |
//! | `${A_PORT}` | its port |
//! | `${A_STICKY}`, `${A_STICKY_OLD}` | its value in a sticky cookie, and the older (FNV) form |
//! | `${WEB}`, `${WEB_PORT}` | an address for the proxy itself to listen on; any other name |
//! | `${CERT:name}`, `${KEY:name}` | PEM files of a certificate made for the scenario |
//! | `${CA}`, `${CA:name}` | PEM file of an authority |
//! | `${DIR}` | directory of the dynamic files |

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, Result, bail};
use aws_lc_rs::digest;

use crate::certificates::Certificates;
use crate::ports::ReservedPort;

/// The names of one run of a scenario and what they stand for.
pub struct Placeholders {
    values: BTreeMap<String, String>,
    ports: Vec<ReservedPort>,
    certificates: Certificates,
}

impl Placeholders {
    /// Starts with `${DIR}` only.
    pub fn new(certificates: Certificates, dynamic_directory: &Path) -> Self {
        let directory = dynamic_directory.display().to_string();
        let values = BTreeMap::from([("DIR".to_owned(), directory)]);
        Self { values, ports: Vec::new(), certificates }
    }

    /// The certificates that `${CERT:…}` issues.
    pub fn certificates(&mut self) -> &mut Certificates {
        &mut self.certificates
    }

    /// The certificates issued so far.
    pub fn certificates_ref(&self) -> &Certificates {
        &self.certificates
    }

    /// Names an upstream listening on that port.
    pub fn add_upstream(&mut self, name: &str, port: u16) {
        let name = name.to_uppercase();
        let url = format!("http://127.0.0.1:{port}");
        let once = format!("{:x}", fnv64(url.as_bytes()));
        self.values.insert(format!("{name}_STICKY"), hash(&url));
        self.values.insert(format!("{name}_STICKY_OLD"), once);
        self.add_address(name, port);
    }

    /// The port behind a name, claimed if the name is new.
    pub fn port(&mut self, name: &str) -> Result<u16> {
        let key = format!("{name}_PORT");
        if !self.values.contains_key(&key) {
            let port = ReservedPort::claim()?;
            self.add_address(name.to_owned(), port.number());
            self.ports.push(port);
        }
        Ok(self.values[&key].parse()?)
    }

    /// Replaces every placeholder of a text.
    pub fn expand(&mut self, text: &str) -> Result<String> {
        let mut expanded = String::with_capacity(text.len());
        let mut rest = text;
        while let Some(start) = rest.find("${") {
            let Some(length) = rest[start..].find('}') else { break };
            let name = &rest[start + 2..start + length];
            expanded.push_str(&rest[..start]);
            // `${1}` belongs to regular expressions, not to us.
            if name.starts_with(|first: char| first.is_ascii_uppercase()) {
                expanded.push_str(&self.value(name).with_context(|| format!("${{{name}}}"))?);
            } else {
                expanded.push_str(&rest[start..=start + length]);
            }
            rest = &rest[start + length + 1..];
        }
        expanded.push_str(rest);
        Ok(expanded)
    }

    /// Puts the placeholders back into a text.
    pub fn mask(&self, text: &str) -> String {
        let mut masked = text.to_owned();
        for (name, encoded) in self.certificates.encoded() {
            masked = masked.replace(&encoded, &format!("${{DER:{name}}}"));
        }
        // Longest first: an address before its port.
        let mut values: Vec<_> = self.values.iter().collect();
        values.sort_by_key(|(_, value)| std::cmp::Reverse(value.len()));
        for (name, value) in values {
            if masked.contains(value.as_str()) {
                masked = replace_words(&masked, value, &format!("${{{name}}}"));
            }
        }
        masked
    }

    fn value(&mut self, name: &str) -> Result<String> {
        if let Some(value) = self.values.get(name) {
            return Ok(value.clone());
        }
        let path = match name.split_once(':') {
            None if name == "CA" => self.certificates.authority_path("ca")?,
            Some(("CA", authority)) => self.certificates.authority_path(authority)?,
            Some(("CERT", name)) => self.certificates.issue(name)?.certificate_path.clone(),
            Some(("KEY", name)) => self.certificates.issue(name)?.key_path.clone(),
            Some(_) => bail!("unknown placeholder"),
            None => {
                self.port(name.strip_suffix("_PORT").unwrap_or(name))?;
                return Ok(self.values[name].clone());
            }
        };
        Ok(path.display().to_string())
    }

    fn add_address(&mut self, name: String, port: u16) {
        self.values.insert(format!("{name}_PORT"), port.to_string());
        self.values.insert(name, format!("127.0.0.1:{port}"));
    }
}

/// Traefik's hash of a server's name in sticky cookies.
pub fn hash(name: &str) -> String {
    let digest = digest::digest(&digest::SHA256, name.as_bytes());
    digest.as_ref().iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

/// The 64-bit FNV-1 hash, which older cookies hold.
fn fnv64(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash: u64, byte| {
        hash.wrapping_mul(0x0100_0000_01b3) ^ u64::from(*byte)
    })
}

/// Replaces `word` where neither a digit nor a letter touches it.
fn replace_words(text: &str, word: &str, by: &str) -> String {
    let mut replaced = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(word) {
        let end = at + word.len();
        let touched = rest[..at].ends_with(|c: char| c.is_ascii_alphanumeric())
            || rest[end..].starts_with(|c: char| c.is_ascii_alphanumeric());
        replaced.push_str(&rest[..at]);
        replaced.push_str(if touched { word } else { by });
        rest = &rest[end..];
    }
    replaced.push_str(rest);
    replaced
}

#[cfg(test)]
mod tests {
    use super::*;

    fn placeholders() -> Placeholders {
        let directory = std::env::temp_dir();
        let mut placeholders = Placeholders::new(Certificates::new(&directory), &directory);
        placeholders.add_upstream("a", 41234);
        placeholders
    }

    #[track_caller]
    fn check(text: &str, expanded: &str) {
        let mut placeholders = placeholders();
        assert_eq!(placeholders.expand(text).expect("expands"), expanded);
        assert_eq!(placeholders.mask(expanded), text);
    }

    #[test]
    fn addresses_and_ports_are_put_in_and_taken_out() {
        check("http://${A}/x", "http://127.0.0.1:41234/x");
        check("port ${A_PORT}, not 412345", "port 41234, not 412345");
        check("${1}${A_PORT}", "${1}41234");
    }

    #[test]
    fn sticky_values_are_those_of_traefik() {
        assert_eq!(hash("http://127.0.0.1:8000"), hash("http://127.0.0.1:8000"));
        assert_eq!(hash("").len(), 16);
        check("_28d6d=${A_STICKY}", &format!("_28d6d={}", hash("http://127.0.0.1:41234")));
    }

    #[test]
    fn unknown_placeholders_with_a_colon_are_errors() {
        assert!(placeholders().expand("${FOO:bar}").is_err());
    }
}
