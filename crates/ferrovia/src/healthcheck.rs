//! `ferrovia healthcheck`: asks a running Ferrovia's `/ping`, for Docker's `HEALTHCHECK`.

use std::io::{self, BufRead, BufReader, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream, ToSocketAddrs};
use std::process::ExitCode;
use std::time::Duration;

use config::static_config::StaticConfiguration;

use crate::settings;

/// Runs the command; the words are Traefik's.
pub(crate) fn run(args: &[String]) -> ExitCode {
    let configuration = match settings::load_or_explain(args) {
        Ok(configuration) => configuration,
        Err(code) => return code,
    };
    match address(&configuration).and_then(|address| ask(&address).map(|status| (address, status)))
    {
        Ok((address, status)) if status.starts_with("200") => {
            crate::say(&format!("OK: http://{address}/ping"))
        }
        Ok((_, status)) => {
            crate::say(&format!("Bad healthcheck status: {status}"));
            ExitCode::FAILURE
        }
        Err(problem) => {
            crate::say(&format!("Error calling healthcheck: {problem}"));
            ExitCode::FAILURE
        }
    }
}

/// The address of the entry point that serves ping, without protocol.
fn address(configuration: &StaticConfiguration) -> Result<String, String> {
    let Some(ping) = &configuration.ping else {
        return Err("please enable `ping` to use health check".to_owned());
    };
    let Some(entry_point) = configuration.entry_points.get(&ping.entry_point) else {
        return Err(format!("ping: missing {} entry point", ping.entry_point));
    };
    let address = entry_point.address.split('/').next().unwrap_or_default();
    Ok(address.to_owned())
}

/// Sends `HEAD /ping`; gives the status with its reason.
fn ask(address: &str) -> Result<String, String> {
    let failed = |error: io::Error| {
        let problem = match error.kind() {
            io::ErrorKind::ConnectionRefused => "connect: connection refused".to_owned(),
            io::ErrorKind::TimedOut => "i/o timeout".to_owned(),
            _ => error.to_string(),
        };
        format!("Head \"http://{address}/ping\": dial tcp {address}: {problem}")
    };
    let mut stream = connect(address).map_err(failed)?;
    exchange(&mut stream, address)
        .map_err(|error| format!("Head \"http://{address}/ping\": {error}"))
}

fn exchange(stream: &mut TcpStream, address: &str) -> io::Result<String> {
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    let request = format!(
        "HEAD /ping HTTP/1.1\r\nHost: {address}\r\nUser-Agent: ferrovia-healthcheck\r\n\
         Connection: close\r\n\r\n"
    );
    stream.write_all(request.as_bytes())?;
    let mut line = String::new();
    let limited = io::Read::take(stream, STATUS_LINE_MAX);
    BufReader::new(limited).read_line(&mut line)?;
    match line.trim_end().split_once(' ') {
        Some((version, status)) if version.starts_with("HTTP/1.") => Ok(status.to_owned()),
        _ => Err(io::Error::new(io::ErrorKind::InvalidData, "the answer is not HTTP")),
    }
}

fn connect(address: &str) -> io::Result<TcpStream> {
    let mut last = io::Error::new(io::ErrorKind::NotFound, "no such host");
    for address in resolve(address)? {
        match TcpStream::connect_timeout(&address, PATIENCE) {
            Ok(stream) => return Ok(stream),
            Err(error) => last = error,
        }
    }
    Err(last)
}

/// An address without host is this machine's.
fn resolve(address: &str) -> io::Result<Vec<SocketAddr>> {
    if let Some(port) = address.strip_prefix(':') {
        let port = port
            .parse()
            .map_err(|_| io::Error::new(io::ErrorKind::InvalidInput, "the port is no number"))?;
        let loopback: [IpAddr; 2] = [Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()];
        return Ok(loopback.map(|ip| SocketAddr::new(ip, port)).to_vec());
    }
    Ok(address.to_socket_addrs()?.collect())
}

const PATIENCE: Duration = Duration::from_secs(5);
const STATUS_LINE_MAX: u64 = 1024;

#[cfg(test)]
mod tests {
    use config::static_config::{EntryPoint, Ping};

    use super::*;

    fn check(ping: Option<&str>, expected: Result<&str, &str>) {
        let entry_point = EntryPoint { address: ":8080/tcp".to_owned(), ..EntryPoint::default() };
        let configuration = StaticConfiguration {
            ping: ping.map(|name| Ping { entry_point: name.to_owned(), ..Ping::default() }),
            entry_points: [("traefik".to_owned(), entry_point)].into(),
            ..StaticConfiguration::default()
        };
        let found = address(&configuration);
        assert_eq!(found.as_deref().map_err(String::as_str), expected);
    }

    #[test]
    fn the_address_is_that_of_pings_entry_point() {
        check(Some("traefik"), Ok(":8080"));
        check(Some("other"), Err("ping: missing other entry point"));
        check(None, Err("please enable `ping` to use health check"));
    }
}
