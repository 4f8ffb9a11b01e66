//! `encodedCharacters`: refuses some percent-encoded characters in paths.

use exchange::{Exchange, Flow, Memo, Middleware, Phases, Response};
use http::StatusCode;

pub(crate) struct EncodedCharacters {
    /// The decoded characters whose escapes are refused.
    refused: Vec<u8>,
}

impl EncodedCharacters {
    pub(crate) fn new(settings: &config::dynamic::EncodedCharacters) -> Self {
        let characters = [
            (settings.allow_encoded_slash, b'/'),
            (settings.allow_encoded_back_slash, b'\\'),
            (settings.allow_encoded_null_character, 0),
            (settings.allow_encoded_semicolon, b';'),
            (settings.allow_encoded_percent, b'%'),
            (settings.allow_encoded_question_mark, b'?'),
            (settings.allow_encoded_hash, b'#'),
        ];
        let refused = characters.iter().filter(|(allowed, _)| !allowed).map(|(_, byte)| *byte);
        Self { refused: refused.collect() }
    }

    fn refuses(&self, path: &str) -> bool {
        let mut pieces = path.split('%');
        pieces.next();
        pieces.any(|piece| {
            let escape = piece.get(..2).and_then(|digits| u8::from_str_radix(digits, 16).ok());
            // A broken escape cannot pass the door; if one does, it goes no further.
            escape.is_none_or(|byte| self.refused.contains(&byte))
        })
    }
}

impl Middleware for EncodedCharacters {
    fn on_request(&self, exchange: &mut Exchange, _memo: &mut Memo) -> Flow {
        if !self.refused.is_empty() && self.refuses(exchange.request.path()) {
            return Flow::respond(Response::new(StatusCode::BAD_REQUEST));
        }
        Flow::Continue
    }

    fn phases(&self) -> Phases {
        Phases::Request
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;

    fn check(settings: &config::dynamic::EncodedCharacters, target: &str, expected: Option<&str>) {
        let mut exchange = fixture::exchange("GET", &format!("http://h{target}"));
        let answer = fixture::request_phase(&EncodedCharacters::new(settings), &mut exchange);
        assert_eq!(answer.map(fixture::told).as_deref(), expected, "asking for {target}");
    }

    #[test]
    fn all_characters_are_refused_unless_allowed() {
        let none = config::dynamic::EncodedCharacters::default();
        for target in ["/a%2Fb", "/%2f", "/%5C", "/%00", "/%3b", "/%25", "/%3F", "/%23x"] {
            check(&none, target, Some("400\n"));
        }
        check(&none, "/a%20b", None);
        check(&none, "/a?b=%2F", None);
        let slash = config::dynamic::EncodedCharacters {
            allow_encoded_slash: true,
            ..config::dynamic::EncodedCharacters::default()
        };
        check(&slash, "/a%2Fb", None);
        check(&slash, "/a%5Cb", Some("400\n"));
    }
}
