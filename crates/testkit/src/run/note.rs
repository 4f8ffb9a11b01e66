//! Writing down what was seen, without what changes from run to run.

use super::Run;
use crate::answer::{Answer, body_text, decoded, sorted_lines};
use crate::client::{Response, TlsFacts};
use crate::rawdata;
use crate::scenario::Detail;
use crate::upstream::Received;
use crate::wire::Head;

/// A handshake that came to nothing. How is not written down: alerts differ between libraries.
pub(super) fn refused_handshake() -> Answer {
    Answer { connection: Some("handshake refused".to_owned()), ..Answer::default() }
}

impl Run<'_> {
    pub(super) fn note_response(
        &self,
        response: &Response,
        tls: Option<&TlsFacts>,
        json: bool,
    ) -> Answer {
        let mut answer = Answer { tls: tls.map(|facts| self.note_tls(facts)), ..Answer::default() };
        for interim in &response.interim {
            let mut lines = vec![interim.first_line.clone()];
            lines.extend(self.note_fields(&interim.fields));
            answer.interim.push(lines);
        }
        let Some(head) = &response.head else {
            // With TLS 1.3 a refused client certificate shows only at the first read.
            let fate = match (response.closed, tls.is_some()) {
                (true, true) => "handshake refused",
                (true, false) => "closed without an answer",
                (false, _) => "no answer",
            };
            answer.connection = Some(fate.to_owned());
            return answer;
        };
        answer.status = Some(head.first_line.clone());
        answer.headers = self.note_fields(&head.fields);
        answer.trailers = self.note_fields(&response.body.trailers);
        self.note_body(&mut answer, head, response, json);
        let tunnel = response.tunnel.as_ref().map(|bytes| String::from_utf8_lossy(bytes));
        answer.tunnel = tunnel.map(|text| self.placeholders.mask(&text));
        answer.connection = match (response.closed, response.body.complete, response.surplus) {
            (false, ..) => None,
            (true, false, _) => Some("closed amid the body".to_owned()),
            (true, true, 0) => Some("closed".to_owned()),
            (true, true, _) => Some("closed after surplus bytes".to_owned()),
        };
        answer.headers.retain(|line| self.is_shown(line));
        answer
    }

    pub(super) fn note_tls(&self, facts: &TlsFacts) -> String {
        let name = facts
            .certificate
            .as_ref()
            .and_then(|leaf| self.placeholders.certificates_ref().name_of(leaf).map(str::to_owned));
        let name = name.unwrap_or_else(|| "(not ours)".to_owned());
        let alpn = if facts.alpn.is_empty() { "no protocol" } else { &facts.alpn };
        format!("{}, {alpn}, certificate {name}", facts.version)
    }

    pub(super) fn note_received(&self, received: &Received, had_coding: bool) -> Vec<String> {
        let first = format!("{}: {}", received.upstream, received.first_line);
        let mut lines = vec![self.placeholders.mask(&first)];
        let added = |line: &String| {
            line.eq_ignore_ascii_case("Accept-Encoding: gzip")
                && !had_coding
                && !self.scenario.keep_accept_encoding
        };
        let fields = self.note_fields(&received.fields).into_iter();
        lines.extend(fields.filter(|line| !added(line) && self.is_shown(line)));
        if self.scenario.record == Detail::Brief {
            return lines;
        }
        if let Some(body) = body_text(&received.body) {
            lines.push(String::new());
            lines.push(self.placeholders.mask(&body));
        }
        lines.extend(
            self.note_fields(&received.trailers).into_iter().map(|t| format!("trailer {t}")),
        );
        if !received.complete {
            lines.push("(the body ended early)".to_owned());
        }
        lines
    }

    fn note_body(&self, answer: &mut Answer, head: &Head, response: &Response, json: bool) {
        let bytes = &response.body.bytes;
        if json && let Ok(value) = serde_json::from_slice(bytes) {
            let text = self.placeholders.mask(&rawdata::in_order(&value).to_string());
            answer.json = serde_json::from_str(&text).ok();
            answer.headers.retain(|line| !line.starts_with("Content-Length:"));
            return;
        }
        let coding = head.field("Content-Encoding").unwrap_or_default();
        answer.body = match decoded(coding, bytes) {
            Some(content) => {
                // The size depends on the compressor.
                answer.headers.retain(|line| !line.starts_with("Content-Length:"));
                body_text(&content).map(|text| format!("({coding}) {text}"))
            }
            None => body_text(bytes).map(|text| self.placeholders.mask(&text)),
        };
    }

    fn is_shown(&self, line: &str) -> bool {
        let name = line.split(':').next().unwrap_or_default();
        self.scenario.record == Detail::Full
            || self.scenario.show_headers.iter().any(|shown| shown.eq_ignore_ascii_case(name))
    }

    fn note_fields(&self, fields: &[(String, String)]) -> Vec<String> {
        let mut fields = fields.to_vec();
        fields.retain(|(name, _)| !name.eq_ignore_ascii_case("Date"));
        for (name, value) in &mut fields {
            let masked = self.scenario.mask_headers.iter().any(|m| m.eq_ignore_ascii_case(name));
            if masked || name.eq_ignore_ascii_case("X-Forwarded-Server") {
                "*".clone_into(value);
            }
        }
        let masked = |line: String| self.placeholders.mask(&line);
        sorted_lines(&fields).into_iter().map(masked).collect()
    }
}
