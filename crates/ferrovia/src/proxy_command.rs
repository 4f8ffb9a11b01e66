//! `ferrovia proxy --from :8080 --to http://localhost:3000`: no file at all.

use std::process::ExitCode;

use config::static_config::{EntryPoint, StaticConfiguration};

use crate::fixed_provider::FixedProvider;
use crate::options;
use crate::start::{self, Plan};

/// Runs the command.
pub(crate) fn run(args: &[String]) -> ExitCode {
    match Wanted::parse(args) {
        Ok(wanted) => start::run(wanted.plan()),
        Err(problem) => options::refuse("proxy", &problem),
    }
}

/// What the arguments say.
#[derive(Debug, PartialEq, Eq)]
struct Wanted {
    from: String,
    to: Vec<String>,
}

impl Wanted {
    fn parse(args: &[String]) -> Result<Self, String> {
        let mut wanted = Self { from: String::new(), to: Vec::new() };
        for option in options::pairs(args, &["from", "to"]) {
            match option? {
                ("from", address) => wanted.from = listen_address(address)?,
                (_, url) => wanted.to.push(server_url(url)?),
            }
        }
        if wanted.from.is_empty() {
            ":8080".clone_into(&mut wanted.from);
        }
        if wanted.to.is_empty() {
            return Err("say at least one server: --to http://localhost:3000".to_owned());
        }
        Ok(wanted)
    }

    fn plan(self) -> Plan {
        let entry_point = EntryPoint { address: self.from, ..EntryPoint::default() };
        let configuration = StaticConfiguration {
            entry_points: [("web".to_owned(), entry_point)].into(),
            ..StaticConfiguration::default()
        };
        Plan::fixed(configuration, vec![Box::new(FixedProvider::to_servers(&self.to))])
    }
}

/// A bare port is a port of all addresses.
fn listen_address(text: &str) -> Result<String, String> {
    let text = if is_port(text) { format!(":{text}") } else { text.to_owned() };
    let entry_point = EntryPoint { address: text.clone(), ..EntryPoint::default() };
    match entry_point.listen_address() {
        Ok(_) if entry_point.is_udp() => Err("--from: UDP is not supported yet".to_owned()),
        Ok(_) if text.is_empty() => Err("--from: an address is missing".to_owned()),
        Ok(_) => Ok(text),
        Err(problem) => Err(format!("--from: {problem}")),
    }
}

/// A bare port is one of this machine, and what has no scheme speaks HTTP.
fn server_url(text: &str) -> Result<String, String> {
    if is_port(text) {
        return Ok(format!("http://localhost:{text}"));
    }
    let url = if text.contains("://") { text.to_owned() } else { format!("http://{text}") };
    let scheme = url.split("://").next().unwrap_or_default();
    let uri: Result<http::Uri, _> = url.parse();
    match uri {
        Ok(uri) if uri.host().is_none_or(str::is_empty) => {
            Err(format!("--to: {text:?} names no host"))
        }
        Ok(_) if !matches!(scheme, "http" | "https") => {
            Err(format!("--to: scheme {scheme:?} is not supported, only http and https"))
        }
        Ok(_) => Ok(url),
        Err(error) => Err(format!("--to: {text:?} is not a URL: {error}")),
    }
}

fn is_port(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(args: &[&str], expected: Result<(&str, &[&str]), &str>) {
        let args: Vec<String> = args.iter().map(ToString::to_string).collect();
        let wanted = Wanted::parse(&args);
        let wanted = wanted.as_ref().map(|wanted| {
            (wanted.from.as_str(), wanted.to.iter().map(String::as_str).collect::<Vec<_>>())
        });
        let expected = expected.map(|(from, to)| (from, to.to_vec()));
        assert_eq!(wanted.map_err(String::as_str), expected, "{args:?}");
    }

    #[test]
    fn short_forms_are_completed() {
        check(&["--to", "http://a:1"], Ok((":8080", &["http://a:1"])));
        check(
            &["--from=80", "--to=3000", "--to", "b:1"],
            Ok((":80", &["http://localhost:3000", "http://b:1"])),
        );
        check(
            &["-from", "127.0.0.1:1", "--to=https://a.org/x"],
            Ok(("127.0.0.1:1", &["https://a.org/x"])),
        );
    }

    #[test]
    fn mistakes_are_named() {
        check(&[], Err("say at least one server: --to http://localhost:3000"));
        check(&["--from"], Err("--from needs a value"));
        check(&["--form=1"], Err("unknown flag --form (there are --from and --to)"));
        check(&["x"], Err("unexpected argument \"x\""));
        check(&["--from=70000", "--to=1"], Err("--from: invalid port \"70000\""));
        check(&["--from=:1/udp", "--to=1"], Err("--from: UDP is not supported yet"));
        check(&["--to=ftp://a"], Err("--to: scheme \"ftp\" is not supported, only http and https"));
        check(&["--to="], Err("--to: \"\" is not a URL: empty string"));
    }
}
