//! Requests in their short form: `GET /path | Host: example.org | X-Foo: bar | @sni=example.org`.

use anyhow::{Context, Result, bail};

use super::step::Step;

/// Reads one line; what it does not say is taken from `base`.
pub(super) fn parse(line: &str, base: &Step) -> Result<Step> {
    let mut step = Step { lines: Some(line.to_owned()), ..base.clone() };
    let mut parts = line.split(" | ");
    let request = parts.next().unwrap_or_default().trim();
    step.request_line = match request.split(' ').count() {
        2 => format!("{request} HTTP/1.1"),
        _ => request.to_owned(),
    };
    for part in parts {
        let part = part.trim();
        match part.strip_prefix('@') {
            Some(option) => set(&mut step, option).with_context(|| format!("line {line:?}"))?,
            None => match part.strip_prefix("body: ") {
                Some(body) => step.body = Some(body.to_owned()),
                None => step.headers.push(part.to_owned()),
            },
        }
    }
    let has_host = step.headers.iter().any(|header| header.to_lowercase().starts_with("host:"));
    if !has_host && !step.no_host {
        step.headers.insert(0, "Host: localhost".to_owned());
    }
    Ok(step)
}

fn set(step: &mut Step, option: &str) -> Result<()> {
    let (name, value) = option.split_once('=').unwrap_or((option, ""));
    let text = || value.to_owned();
    match name {
        "to" => step.to = text(),
        "on" => step.on = Some(text()),
        "tls" => step.tls = true,
        "sni" => step.sni = Some(text()),
        "alpn" => step.alpn = value.split(',').map(str::to_owned).collect(),
        "version" => step.tls_version = Some(text()),
        "client" => step.client_certificate = Some(text()),
        "nohost" => step.no_host = true,
        "chunked" => step.chunked = true,
        "bytes" => step.body_bytes = Some(value.parse()?),
        "repeat" => step.repeat = value.parse()?,
        "by" => step.count_by = text(),
        "await" => step.await_upstream = value.parse()?,
        "json" => step.json = true,
        _ => bail!("unknown option @{option}"),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(line: &str, request: &str) {
        let step = parse(line, &Step::default()).expect("a good line");
        assert_eq!(step.request_text().expect("is a request"), request);
    }

    #[test]
    fn short_forms_become_requests() {
        check("GET /", "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
        check("GET / HTTP/1.0 | @nohost", "GET / HTTP/1.0\r\n\r\n");
        check("GET / | Host: a | X: y", "GET / HTTP/1.1\r\nHost: a\r\nX: y\r\n\r\n");
        let head = "POST / HTTP/1.1\r\nHost: localhost\r\n";
        check("POST / | body: hi", &format!("{head}Content-Length: 2\r\n\r\nhi"));
        let chunked = "Transfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n";
        check("POST / | body: hi | @chunked", &format!("{head}{chunked}"));
    }

    #[test]
    fn unknown_options_are_errors() {
        assert!(parse("GET / | @foo", &Step::default()).is_err());
    }
}
