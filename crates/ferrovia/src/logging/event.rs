//! One line of the log, in Traefik's formats.

use std::fmt::{self, Write};
use std::time::SystemTime;

use tracing::field::{Field, Visit};
use tracing::{Event, Level};

use crate::clock;

/// How lines are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    /// `2026-11-21T03:14:38Z ERR message key=value`.
    Common { has_colors: bool },
    /// `{"level":"error","key":"value","time":"…","message":"…"}`.
    Json,
}

/// What a line says.
#[derive(Debug)]
pub(crate) struct Line {
    level: Level,
    time: SystemTime,
    message: String,
    fields: Vec<(&'static str, Value)>,
}

/// A field's value. All that is neither a number nor a truth value is text.
#[derive(Debug, PartialEq)]
enum Value {
    Text(String),
    Plain(String),
}

impl Line {
    /// Takes an event apart.
    pub(crate) fn new(event: &Event<'_>, time: SystemTime) -> Self {
        let level = *event.metadata().level();
        let mut line = Self { level, time, message: String::new(), fields: Vec::new() };
        event.record(&mut line);
        line
    }

    /// Writes the line, with its end.
    pub(crate) fn render(&self, format: Format) -> String {
        match format {
            Format::Common { has_colors } => self.common(has_colors),
            Format::Json => self.json(),
        }
    }

    fn common(&self, has_colors: bool) -> String {
        let paint = |color: &str, text: &str| match has_colors {
            true => format!("\x1b[{color}m{text}\x1b[0m"),
            false => text.to_owned(),
        };
        let (level, color) = match self.level {
            Level::TRACE => ("TRC", "34"),
            Level::DEBUG => ("DBG", "0"),
            Level::INFO => ("INF", "32"),
            Level::WARN => ("WRN", "33"),
            Level::ERROR => ("ERR", "31"),
        };
        let mut text = paint("90", &clock::rfc3339(self.time));
        text.push(' ');
        text.push_str(&paint(color, level));
        text.push(' ');
        let is_diagnostic = self.field(CODE).is_some();
        let message = if is_diagnostic { self.diagnostic() } else { self.message.clone() };
        let message = without_controls(&message);
        text.push_str(&if self.level <= Level::INFO { paint("1", &message) } else { message });
        // zerolog's console writer puts the error first and the others in order.
        let mut fields: Vec<_> = self.fields.iter().collect();
        fields.retain(|(name, _)| !is_diagnostic || !FIELDS_OF_DIAGNOSTICS.contains(name));
        fields.sort_by_key(|(name, _)| (*name != ERROR, *name));
        for (name, value) in fields {
            let (Value::Text(value) | Value::Plain(value)) = value;
            let value = if needs_quotes(value) { quoted(value) } else { value.clone() };
            let value = if *name == ERROR { paint("1;31", &value) } else { value };
            text.push(' ');
            text.push_str(&paint("36", &format!("{name}=")));
            text.push_str(&value);
        }
        text.push('\n');
        text
    }

    /// Words a diagnostic as the command line does: where, about what, what, and what to do.
    fn diagnostic(&self) -> String {
        let mut text = String::new();
        for part in [PLACE, OBJECT].iter().filter_map(|name| self.field(name)) {
            text.push_str(part);
            text.push_str(": ");
        }
        text.push_str(&self.message);
        if let Some(hint) = self.field(HINT) {
            let _ = write!(text, " ({hint})");
        }
        text
    }

    fn field(&self, name: &str) -> Option<&str> {
        let (_, value) = self.fields.iter().find(|(found, _)| *found == name)?;
        let (Value::Text(text) | Value::Plain(text)) = value;
        (!text.is_empty()).then_some(text)
    }

    fn json(&self) -> String {
        let mut text = String::from("{\"level\":");
        text.push_str(match self.level {
            Level::TRACE => "\"trace\"",
            Level::DEBUG => "\"debug\"",
            Level::INFO => "\"info\"",
            Level::WARN => "\"warn\"",
            Level::ERROR => "\"error\"",
        });
        for (name, value) in &self.fields {
            let value = match value {
                Value::Text(value) => json_text(value),
                Value::Plain(value) => value.clone(),
            };
            let _ = write!(text, ",{}:{value}", json_text(name));
        }
        let time = clock::rfc3339(self.time);
        let _ = write!(text, ",\"time\":\"{time}\",\"message\":{}}}", json_text(&self.message));
        text.push('\n');
        text
    }

    fn push(&mut self, field: &Field, value: Value) {
        if field.name() != "message" {
            self.fields.push((field.name(), value));
            return;
        }
        let (Value::Text(text) | Value::Plain(text)) = value;
        self.message = text;
    }
}

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.push(field, Value::Text(format!("{value:?}")));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.push(field, Value::Text(value.to_owned()));
    }

    fn record_error(&mut self, field: &Field, value: &(dyn std::error::Error + 'static)) {
        self.push(field, Value::Text(value.to_string()));
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.push(field, Value::Plain(value.to_string()));
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.push(field, Value::Plain(value.to_string()));
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.push(field, Value::Plain(value.to_string()));
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        // JSON has no word for what is not a number.
        let text = value.to_string();
        self.push(field, if value.is_finite() { Value::Plain(text) } else { Value::Text(text) });
    }
}

/// Escapes what could move a terminal's cursor: messages may quote what strangers sent.
fn without_controls(text: &str) -> String {
    let mut clean = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            control if control.is_control() => clean.extend(control.escape_default()),
            other => clean.push(other),
        }
    }
    clean
}

/// zerolog's rule: anything but printable ASCII without spaces, quotes and backslashes.
fn needs_quotes(text: &str) -> bool {
    text.bytes().any(|byte| !byte.is_ascii_graphic() || byte == b'"' || byte == b'\\')
}

fn quoted(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for character in text.chars() {
        match character {
            '"' | '\\' => quoted.extend(['\\', character]),
            control if control.is_control() => quoted.extend(control.escape_default()),
            other => quoted.push(other),
        }
    }
    quoted.push('"');
    quoted
}

fn json_text(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

const ERROR: &str = "error";
/// What marks a diagnostic: the kind of finding.
const CODE: &str = "code";
const HINT: &str = "hint";
const OBJECT: &str = "object";
const PLACE: &str = "place";
const FIELDS_OF_DIAGNOSTICS: [&str; 4] = [CODE, HINT, OBJECT, PLACE];

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use super::*;

    /// Expects a line with two fields and these forms.
    fn check(level: Level, message: &str, error: &str, common: &str, json: &str) {
        let line = Line {
            level,
            time: UNIX_EPOCH + Duration::from_secs(1_795_230_878),
            message: message.to_owned(),
            fields: vec![
                ("count", Value::Plain("3".to_owned())),
                ("error", Value::Text(error.to_owned())),
            ],
        };
        assert_eq!(line.render(Format::Common { has_colors: false }), common);
        assert_eq!(line.render(Format::Json), json);
    }

    #[test]
    fn lines_have_traefiks_form() {
        check(
            Level::ERROR,
            "Command error",
            "no \"such\" file",
            "2026-11-21T03:14:38Z ERR Command error error=\"no \\\"such\\\" file\" count=3\n",
            "{\"level\":\"error\",\"count\":3,\"error\":\"no \\\"such\\\" file\",\
             \"time\":\"2026-11-21T03:14:38Z\",\"message\":\"Command error\"}\n",
        );
        check(
            Level::WARN,
            "x",
            "plain",
            "2026-11-21T03:14:38Z WRN x error=plain count=3\n",
            "{\"level\":\"warn\",\"count\":3,\"error\":\"plain\",\
             \"time\":\"2026-11-21T03:14:38Z\",\"message\":\"x\"}\n",
        );
    }

    #[test]
    fn control_characters_do_not_reach_the_terminal() {
        check(
            Level::INFO,
            "a\u{1b}[2Jb\nc",
            "\u{1b}]0;x\u{7}",
            "2026-11-21T03:14:38Z INF a\\u{1b}[2Jb\\nc error=\"\\u{1b}]0;x\\u{7}\" count=3\n",
            "{\"level\":\"info\",\"count\":3,\"error\":\"\\u001b]0;x\\u0007\",\
             \"time\":\"2026-11-21T03:14:38Z\",\"message\":\"a\\u001b[2Jb\\nc\"}\n",
        );
    }

    #[test]
    fn diagnostics_are_worded_as_on_the_command_line() {
        let text = |text: &str| Value::Text(text.to_owned());
        let line = Line {
            level: Level::ERROR,
            time: UNIX_EPOCH,
            message: "unknown key \"rul\"".to_owned(),
            fields: vec![
                ("place", text("a.yml:3:7")),
                ("object", text("router \"a@file\"")),
                ("code", text("unknown-key")),
                ("hint", text("did you mean \"rule\"?")),
                ("generation", Value::Plain("3".to_owned())),
            ],
        };
        assert_eq!(
            line.render(Format::Common { has_colors: false }),
            "1970-01-01T00:00:00Z ERR a.yml:3:7: router \"a@file\": unknown key \"rul\" (did you \
             mean \"rule\"?) generation=3\n"
        );
        assert_eq!(
            line.render(Format::Json),
            "{\"level\":\"error\",\"place\":\"a.yml:3:7\",\"object\":\"router \\\"a@file\\\"\",\
             \"code\":\"unknown-key\",\"hint\":\"did you mean \\\"rule\\\"?\",\"generation\":3,\
             \"time\":\"1970-01-01T00:00:00Z\",\"message\":\"unknown key \\\"rul\\\"\"}\n"
        );
    }

    #[test]
    fn colours_are_those_of_zerologs_console() {
        let line = Line {
            level: Level::INFO,
            time: UNIX_EPOCH,
            message: "hello".to_owned(),
            fields: vec![("key", Value::Text("value".to_owned()))],
        };
        assert_eq!(
            line.render(Format::Common { has_colors: true }),
            "\x1b[90m1970-01-01T00:00:00Z\x1b[0m \x1b[32mINF\x1b[0m \x1b[1mhello\x1b[0m \
             \x1b[36mkey=\x1b[0mvalue\n"
        );
    }
}
