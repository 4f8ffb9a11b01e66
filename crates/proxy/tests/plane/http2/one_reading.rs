//! Requests that HTTP/1.1 servers could read differently: reset or refused, and nothing of them
//! reaches a server.

use crate::support::frames::{
    DATA, END_HEADERS, END_STREAM, Frames, HEADERS, RST_STREAM, Streamed, block, frame,
};
use crate::support::{Answering, Rig};

type Field<'a> = (&'a [u8], &'a [u8]);

const METHOD: Field<'_> = (b":method", b"GET");
const SCHEME: Field<'_> = (b":scheme", b"http");
const AUTHORITY: Field<'_> = (b":authority", b"example.org");
const PATH: Field<'_> = (b":path", b"/x");

/// Sends a head that must not be served, and then another client's request that must.
fn check_head(fields: &[Field<'_>]) {
    check(&block(fields), END_STREAM, b"");
}

/// As [`check_head`], with one more field.
fn check_field(name: &[u8], value: &[u8]) {
    check_head(&[METHOD, SCHEME, AUTHORITY, PATH, (name, value)]);
}

/// As [`check_head`], with a path of its own.
fn check_path(path: &[u8]) {
    check_head(&[METHOD, SCHEME, AUTHORITY, (b":path", path)]);
}

fn check_authority(authority: &[u8]) {
    check_head(&[METHOD, SCHEME, (b":authority", authority), PATH]);
}

fn check(head: &[u8], flags: u8, then: &[u8]) {
    let shown = head.escape_ascii().to_string();
    let server = Answering::with_paths();
    let rig = Rig::new(server.address);
    let mut client = Frames::connect(rig.address);
    assert_eq!(client.get(1, "/before").text(), "/before");
    client.send(frame(HEADERS, flags | END_HEADERS, 3, head));
    client.peer.try_send(then);
    let streamed = refused(&mut client);
    assert!(
        streamed.statuses.iter().all(|status| (400..500).contains(status)),
        "{streamed:?} to {shown}"
    );
    let mut other = Frames::connect(rig.address);
    assert_eq!(other.get(1, "/after").text(), "/after");
    let seen: Vec<String> = server.log().iter().map(|(_, request)| request.head.clone()).collect();
    let lines: Vec<&str> =
        seen.iter().map(|head| head.lines().next().expect("a request line")).collect();
    assert_eq!(lines, ["GET /before HTTP/1.1", "GET /after HTTP/1.1"], "with {shown}");
}

/// Reads what came of stream 3, which may have taken the connection along.
fn refused(client: &mut Frames) -> Streamed {
    let mut streamed = Streamed::default();
    while let Some(frame) = client.next() {
        client.answer(&frame);
        if frame.stream == 3 {
            streamed.take(&frame);
            if frame.kind == RST_STREAM || streamed.is_whole {
                break;
            }
        }
    }
    streamed
}

#[test]
fn line_ends_and_control_characters_in_values() {
    check_field(b"x-evil", b"a\r\nX-Smuggled: 1");
    check_field(b"x-evil", b"a\nb");
    check_field(b"x-evil", b"a\rb");
    check_field(b"x-evil", b"a\0b");
    check_field(b"x-evil", b"\x7f");
    check_field(b"x-evil", b" a");
    check_field(b"x-evil", b"a ");
    check_field(b"x-evil", b"\ta");
    check_field(b"x-evil", b"a\t");
    check_field(b"cookie", b"a=1\r\n\r\nGET /smuggled HTTP/1.1\r\n\r\n");
}

#[test]
fn names_that_are_none() {
    check_field(b"X-Upper", b"a");
    check_field(b"x-evil\r\nx", b"a");
    check_field(b"x-evil: a\r\nx", b"a");
    check_field(b"x:evil", b"a");
    check_field(b"x evil", b"a");
    check_field(b"", b"a");
    check_field(b"x\0", b"a");
    check_field(b"x\xe9", b"a");
    check_field(b"host ", b"a");
}

#[test]
fn fields_of_a_connection() {
    check_field(b"connection", b"close");
    check_field(b"connection", b"x-real-ip");
    check_field(b"keep-alive", b"timeout=5");
    check_field(b"proxy-connection", b"keep-alive");
    check_field(b"transfer-encoding", b"chunked");
    check_field(b"upgrade", b"h2c");
    check_field(b"te", b"gzip");
    check_field(b"te", b"trailers, chunked");
}

#[test]
fn false_lengths() {
    check_field(b"content-length", b"5");
    check_field(b"content-length", b"-1");
    check_field(b"content-length", b"+0");
    check_field(b"content-length", b"0, 0");
    check_field(b"content-length", b"0x0");
    check_field(b"content-length", b"");
    check_field(b"content-length", b"18446744073709551616");
    fn length(value: &[u8]) -> Field<'_> {
        (b"content-length", value)
    }
    const POST: Field<'_> = (b":method", b"POST");
    let body = frame(DATA, END_STREAM, 3, b"five!");
    for lengths in [
        &[length(b"4")][..],
        &[length(b"6")],
        &[length(b"5"), length(b"6")],
        &[length(b"5"), length(b"5")],
        &[length(b"18446744073709551615")],
    ] {
        let mut fields = vec![POST, SCHEME, AUTHORITY, PATH];
        fields.extend(lengths);
        let head = block(&fields);
        check_upload(&head, &body);
    }
}

/// A request that may begin at a server, but must not come whole.
fn check_upload(head: &[u8], body: &[u8]) {
    let shown = head.escape_ascii().to_string();
    let server = Answering::with_paths();
    let rig = Rig::new(server.address);
    let mut client = Frames::connect(rig.address);
    client.send(frame(HEADERS, END_HEADERS, 3, head));
    client.peer.try_send(body);
    let streamed = refused(&mut client);
    assert!(streamed.reset.is_some() || streamed.status() == 400, "{streamed:?} to {shown}");
    let mut other = Frames::connect(rig.address);
    assert_eq!(other.get(1, "/after").text(), "/after");
    assert_eq!(server.whole_paths(), ["/after"], "with {shown}");
}

#[test]
fn odd_pseudo_header_fields() {
    check_head(&[SCHEME, AUTHORITY, PATH]);
    check_head(&[METHOD, AUTHORITY, PATH]);
    check_head(&[METHOD, SCHEME, PATH]);
    check_head(&[METHOD, SCHEME, AUTHORITY]);
    check_head(&[METHOD, METHOD, SCHEME, AUTHORITY, PATH]);
    check_head(&[METHOD, SCHEME, AUTHORITY, PATH, PATH]);
    check_head(&[METHOD, SCHEME, AUTHORITY, AUTHORITY, PATH]);
    check_head(&[METHOD, SCHEME, AUTHORITY, PATH, (b":status", b"200")]);
    check_head(&[METHOD, SCHEME, AUTHORITY, PATH, (b":unknown", b"x")]);
    check_head(&[METHOD, SCHEME, AUTHORITY, PATH, (b":protocol", b"websocket")]);
    check_head(&[METHOD, SCHEME, AUTHORITY, (b"x", b"y"), PATH]);
    check_head(&[(b":method", b"GE T"), SCHEME, AUTHORITY, PATH]);
    check_head(&[(b":method", b"GET /smuggled HTTP/1.1\r\nx: "), SCHEME, AUTHORITY, PATH]);
    check_head(&[(b":method", b""), SCHEME, AUTHORITY, PATH]);
    check_head(&[METHOD, (b":scheme", b"ftp"), AUTHORITY, PATH]);
    check_head(&[METHOD, (b":scheme", b"http://evil/?"), AUTHORITY, PATH]);
}

#[test]
fn paths_that_are_none() {
    check_path(b"");
    check_path(b"x");
    check_path(b"*");
    check_path(b"?x");
    check_path(b"http://example.org/x");
    check_path(b"example.org/x");
    check_path(b"/x HTTP/1.1\r\nX-Smuggled: 1");
    check_path(b"/x\r\n");
    check_path(b"/x y");
    check_path(b"/x\0");
    check_path(b"/x\x7f");
    check_path(b"/%zz");
    check_path(b"/%2");
}

#[test]
fn hosts_that_are_none() {
    check_authority(b"");
    check_authority(b"user@example.org");
    check_authority(b"user:password@example.org");
    check_authority(b"example.org/x");
    check_authority(b"example.org\r\nx: y");
    check_authority(b"example.org x");
    check_authority(b"example.org:port");
    check_authority(b"example.org:99999");
    check_head(&[METHOD, SCHEME, AUTHORITY, PATH, (b"host", b"other.org")]);
    check_head(&[METHOD, SCHEME, AUTHORITY, PATH, (b"host", b"example.org:80")]);
    check_head(&[METHOD, SCHEME, PATH, (b"host", b"a.org"), (b"host", b"b.org")]);
    check_head(&[METHOD, SCHEME, PATH, (b"host", b"user@a.org")]);
}

#[test]
fn fragments_do_not_reach_a_server() {
    let server = Answering::with_paths();
    let rig = Rig::new(server.address);
    let mut client = Frames::connect(rig.address);
    client.send(crate::support::frames::get_frame(1, "/x#/../admin"));
    let streamed = client.streamed(1);
    assert!(streamed.reset.is_some() || streamed.text() == "/x", "{streamed:?}");
}

/// Pieces that mean something to one reader or another.
const PIECES: [&[u8]; 18] = [
    b"\r\n",
    b"\n",
    b"\r",
    b"\0",
    b" ",
    b"\t",
    b":",
    b"#",
    b"?",
    b"/",
    b"..",
    b"%0d%0a",
    b"\xe9",
    b"@",
    b"smuggled: 1",
    b"GET /smuggled HTTP/1.1",
    b"a",
    b"transfer-encoding: chunked",
];

#[test]
fn whatever_is_put_together_stays_one_request() {
    let server = Answering::with_paths();
    let rig = Rig::new(server.address);
    let mut random = 0x2545_f491_4f6c_dd1d_u64;
    let mut next = move |bound: usize| {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        usize::try_from(random % bound as u64).expect("a small number")
    };
    for _ in 0..400 {
        let mut text = |start: &[u8]| {
            let mut text = start.to_vec();
            for _ in 0..next(4) {
                text.extend_from_slice(PIECES[next(PIECES.len())]);
            }
            text
        };
        let (path, host) = (text(b"/x"), text(b"a.org"));
        let (name, value, cookie) = (text(b"x-a"), text(b"b"), text(b"c=1"));
        let (method, more) = (text(b"GET"), text(b"d=2"));
        // One part at a time is odd, so that the rest is not refused for it.
        let odd = next(6);
        let pick = |number, text: &[u8], plain: &[u8]| {
            if odd == number { text.to_vec() } else { plain.to_vec() }
        };
        let (method, path) = (pick(0, &method, b"GET"), pick(1, &path, b"/x"));
        let (host, name) = (pick(2, &host, b"a.org"), pick(3, &name, b"x-a"));
        let (value, cookie) = (pick(4, &value, b"b"), pick(5, &cookie, b"c=1"));
        let mut client = Frames::connect(rig.address);
        let head = block(&[
            (b":method", &method),
            SCHEME,
            (b":authority", &host),
            (b":path", &path),
            (&name, &value),
            (b"cookie", &cookie),
            (b"cookie", if odd == 5 { &more } else { b"d=2" }),
        ]);
        client.send(frame(HEADERS, END_STREAM | END_HEADERS, 3, &head));
        refused(&mut client);
    }
    let log = server.log();
    assert!(log.len() > 50, "{} requests were served", log.len());
    for (_, request) in log {
        let names: Vec<String> = request
            .head
            .lines()
            .skip(1)
            .filter(|line| !line.is_empty())
            .map(|line| line.split(':').next().expect("a name").to_ascii_lowercase())
            .collect();
        let known = ["host", "cookie", "x-real-ip", "te"];
        for name in &names {
            let is_known = known.contains(&name.as_str())
                || name.starts_with("x-forwarded-")
                || name.starts_with("x-a");
            assert!(is_known, "{name} in {:?}", request.head);
        }
        assert_eq!(request.body.as_deref(), Some(&b""[..]), "{:?}", request.head);
        assert_ne!(request.path(), "/smuggled");
    }
}
