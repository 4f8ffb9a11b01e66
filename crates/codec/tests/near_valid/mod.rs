//! Generates requests that are valid or one or two steps away from it.

use proptest::prelude::*;
use proptest::sample::select;

/// One or two requests with their bodies, often valid, sometimes with bytes changed, put in or
/// taken out.
pub(crate) fn requests() -> impl Strategy<Value = Vec<u8>> {
    let second =
        prop_oneof![Just(Vec::new()), Just(b"GET /second HTTP/1.1\r\nHost: b\r\n\r\n".to_vec()),];
    let mutations = prop_oneof![
        3 => Just(Vec::new()),
        2 => proptest::collection::vec(mutation(), 1..3),
    ];
    (valid_looking(), second, mutations).prop_map(|(first, second, mutations)| {
        let mut bytes = [first, second].concat();
        for mutation in mutations {
            mutation.apply(&mut bytes);
        }
        bytes
    })
}

/// One of `usual`, or rarely one of `odd`.
fn mostly<T: Clone + std::fmt::Debug + 'static>(
    usual: Vec<T>,
    odd: Vec<T>,
) -> impl Strategy<Value = T> {
    prop_oneof![12 => select(usual), 1 => select(odd)]
}

#[derive(Clone, Debug)]
enum Mutation {
    Replace(prop::sample::Index, u8),
    Insert(prop::sample::Index, &'static str),
    Remove(prop::sample::Index),
}

impl Mutation {
    fn apply(&self, bytes: &mut Vec<u8>) {
        match self {
            Mutation::Replace(index, byte) if !bytes.is_empty() => {
                let index = index.index(bytes.len());
                bytes[index] = *byte;
            }
            Mutation::Insert(index, text) => {
                let index = index.index(bytes.len() + 1);
                bytes.splice(index..index, text.bytes());
            }
            Mutation::Remove(index) if !bytes.is_empty() => {
                bytes.remove(index.index(bytes.len()));
            }
            _ => {}
        }
    }
}

fn mutation() -> impl Strategy<Value = Mutation> {
    let inserted = select(vec![
        "\r", "\n", "\r\n", " ", "\t", ":", "\0", ",", ";", "0", "\x7f", "é", "\r\n ", "\r\n\r\n",
    ]);
    prop_oneof![
        (any::<prop::sample::Index>(), any::<u8>())
            .prop_map(|(at, byte)| Mutation::Replace(at, byte)),
        (any::<prop::sample::Index>(), inserted).prop_map(|(at, text)| Mutation::Insert(at, text)),
        any::<prop::sample::Index>().prop_map(Mutation::Remove),
    ]
}

fn valid_looking() -> impl Strategy<Value = Vec<u8>> {
    let fields = proptest::collection::vec(field(), 0..4);
    (request_line(), host(), fields, framed_body()).prop_map(
        |(line, host, fields, (framing, body))| {
            let mut request = format!("{line}\r\n{host}").into_bytes();
            for (name, value) in fields {
                request.extend_from_slice(format!("{name}:{value}\r\n").as_bytes());
            }
            request.extend_from_slice(framing.as_bytes());
            request.extend_from_slice(b"\r\n");
            request.extend_from_slice(body.as_bytes());
            request
        },
    )
}

fn request_line() -> impl Strategy<Value = String> {
    let method = mostly(
        vec!["GET", "GET", "POST", "POST", "PUT", "HEAD", "OPTIONS", "PURGE"],
        vec!["G@T", "get", "CONNECT", "PRI"],
    );
    let target = mostly(
        vec!["/", "/a/b?c=d", "/%zz/../x", "//", "http://b/c?d", "http://b"],
        vec!["*", "http://u@b/", "a:80", "/a#b", "/é", "ftp://b/", "", "/a b"],
    );
    let version = mostly(
        vec!["HTTP/1.1", "HTTP/1.1", "HTTP/1.1", "HTTP/1.0"],
        vec!["HTTP/1.2", "HTTP/2.0", "http/1.1", "HTTP/1.1 ", ""],
    );
    (method, target, version)
        .prop_map(|(method, target, version)| format!("{method} {target} {version}"))
}

fn host() -> impl Strategy<Value = &'static str> {
    mostly(
        vec!["Host: a\r\n", "Host: a.example:8080\r\n", "host:[::1]\r\n", "Host:\r\n"],
        vec!["", "Host: a\r\nHost: a\r\n", "Host: u@a\r\n", "Host : a\r\n"],
    )
}

fn field() -> impl Strategy<Value = (&'static str, &'static str)> {
    let ordinary = (
        select(vec!["X-A", "x-a", "Accept", "Cookie", "X_B", "A!#$%&'*+.^`|~"]),
        select(vec!["", " 1", "\t2 \t", " a, b", " \"q\"", " \u{fc}", " a\tb"]),
    );
    let special = mostly(
        vec![
            ("Connection", " close"),
            ("Connection", " keep-alive, x"),
            ("Connection", " upgrade"),
            ("Upgrade", " websocket"),
            ("Expect", " 100-continue"),
        ],
        vec![
            ("Expect", " 200-ok"),
            ("Content-Length", " 3"),
            ("Content-Length", " +3"),
            ("Content-Length", " 3, 3"),
            ("Content-Length", " 18446744073709551619"),
            ("Transfer-Encoding", " chunked"),
            ("Transfer-Encoding", " gzip, chunked"),
            ("Transfer-Encoding", " identity"),
            ("Transfer-Encoding ", " chunked"),
            ("Transfer-Encoding", "\u{b}chunked"),
            ("X-A", " 1\r\n folded"),
        ],
    );
    prop_oneof![3 => ordinary, 1 => special]
}

fn framed_body() -> impl Strategy<Value = (&'static str, &'static str)> {
    mostly(
        vec![
            ("", ""),
            ("Content-Length: 3\r\n", "abc"),
            ("Content-Length: 0\r\n", ""),
            ("Transfer-Encoding: chunked\r\n", "3\r\nabc\r\n0\r\n\r\n"),
            ("Transfer-Encoding: chunked\r\n", "1;x=y\r\na\r\n2\r\nbc\r\n000\r\n\r\n"),
            ("Transfer-Encoding: chunked\r\n", "A\r\n0123456789\r\n0\r\nX-T: 1\r\n\r\n"),
        ],
        vec![
            ("Content-Length: 3\r\nContent-Length: 3\r\n", "abc"),
            ("Content-Length: 3\r\nContent-Length: 4\r\n", "abc"),
            ("Transfer-Encoding: chunked\r\n", "0x3\r\nabc\r\n0\r\n\r\n"),
            ("transfer-encoding: Chunked\r\n", "3 \r\nabc\r\n0\r\n\r\n"),
            ("Transfer-Encoding: chunked\r\n", "3;a\nb\r\nabc\r\n0\r\n\r\n"),
            ("Transfer-Encoding: chunked\r\n", "3\r\nabc\n0\r\n\r\n"),
            ("Content-Length: 13\r\nTransfer-Encoding: chunked\r\n", "3\r\nabc\r\n0\r\n\r\n"),
        ],
    )
}
