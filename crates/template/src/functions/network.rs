//! Names and URLs.

use std::net::ToSocketAddrs;

use gtmpl_ng::{FuncError, Value};

use crate::functions::{Arguments, Outcome, table};
use crate::go_url::Url;
use crate::value;

table! { pub(super) TABLE:
    "getHostByName", 1..=1 => host_by_name;
    "urlParse", 1..=1 => url_parse;
    "urlJoin", 1..=1 => url_join;
}

/// One of the name's addresses. Go panics when there is none, which is an error of the template.
fn host_by_name(arguments: &Arguments) -> Outcome {
    let name = arguments.text(0)?;
    let found = (name, 0)
        .to_socket_addrs()
        .map_err(|error| arguments.error(format!("lookup {name}: {error}")))?;
    let addresses: Vec<_> = found.map(|address| address.ip().to_string()).collect();
    match fastrand::choice(addresses) {
        Some(address) => Ok(address.into()),
        None => Err(arguments.error(format!("lookup {name}: no address"))),
    }
}

fn url_parse(arguments: &Arguments) -> Outcome {
    let url = Url::parse(arguments.text(0)?)
        .map_err(|message| arguments.error(format!("unable to parse url: {message}")))?;
    let entries = [
        ("scheme", url.scheme.clone()),
        ("host", url.host.clone()),
        ("hostname", url.hostname().to_owned()),
        ("path", url.path.clone()),
        ("query", url.query.clone()),
        ("opaque", url.opaque.clone()),
        ("fragment", url.fragment.clone()),
        ("userinfo", url.userinfo_text()),
    ];
    Ok(Value::Map(entries.into_iter().map(|(key, text)| (key.to_owned(), text.into())).collect()))
}

fn url_join(arguments: &Arguments) -> Outcome {
    let entries = arguments.map(0)?;
    let part = |key: &str| -> Result<String, FuncError> {
        match entries.get(key) {
            None => Ok(String::new()),
            Some(Value::String(text)) => Ok(text.clone()),
            Some(other) => Err(arguments.error(format!(
                "unable to parse {key} key, must be of type string, but {} found",
                value::kind_name(other)
            ))),
        }
    };
    let userinfo = match part("userinfo")?.as_str() {
        "" => None,
        text => {
            Url::parse(&format!("proto://{text}@host"))
                .map_err(|message| {
                    arguments.error(format!("unable to parse userinfo in dict: {message}"))
                })?
                .userinfo
        }
    };
    let url = Url {
        scheme: part("scheme")?,
        opaque: part("opaque")?,
        userinfo,
        host: part("host")?,
        path: part("path")?,
        query: part("query")?,
        fragment: part("fragment")?,
        ..Url::default()
    };
    Ok(url.to_string().into())
}
