//! Messages as a peer read them.

/// A request as a server received it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Received {
    pub(crate) head: String,
    /// `None`: the connection ended inside the body.
    pub(crate) body: Option<Vec<u8>>,
    /// Trailer lines, each with its line end.
    pub(crate) trailers: String,
}

/// A response as a client received it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
    /// Trailer lines, each with its line end.
    pub(crate) trailers: String,
}

/// How a message's body ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BodyEnd {
    After(usize),
    Chunked,
    WithConnection,
}

impl Received {
    pub(crate) fn method(&self) -> &str {
        self.head.split(' ').next().unwrap_or_default()
    }

    pub(crate) fn path(&self) -> &str {
        self.head.split(' ').nth(1).unwrap_or_default()
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        header(&self.head, name)
    }

    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(self.body.as_deref().expect("a whole body")).expect("text")
    }
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        header(&self.head, name)
    }

    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).expect("text")
    }

    /// Tells whether the response says that its connection ends.
    pub(crate) fn closes(&self) -> bool {
        self.header("Connection").is_some_and(|value| value == "close")
    }
}

/// The value of a header, by its name in any case.
pub(crate) fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    head.lines().skip(1).find_map(|line| {
        let (found, value) = line.split_once(':')?;
        found.eq_ignore_ascii_case(name).then(|| value.trim())
    })
}

/// How the body of a request with that head ends.
pub(crate) fn request_body_end(head: &str) -> BodyEnd {
    announced(head).unwrap_or(BodyEnd::After(0))
}

/// How the body of a response with that head to that method ends.
pub(crate) fn response_body_end(head: &str, method: &str) -> BodyEnd {
    let status = status(head);
    if method == "HEAD" || status < 200 || matches!(status, 204 | 304) {
        return BodyEnd::After(0);
    }
    announced(head).unwrap_or(BodyEnd::WithConnection)
}

pub(crate) fn status(head: &str) -> u16 {
    let code = head.split(' ').nth(1).unwrap_or_default();
    code.trim().parse().unwrap_or_else(|_| panic!("no status in {head:?}"))
}

fn announced(head: &str) -> Option<BodyEnd> {
    if header(head, "Transfer-Encoding").is_some() {
        return Some(BodyEnd::Chunked);
    }
    let length = header(head, "Content-Length")?;
    Some(BodyEnd::After(length.parse().expect("a number in Content-Length")))
}
