//! The runtime configuration a proxy shows at `/api/rawdata`: waiting for it, and its stable form.

use std::net::SocketAddr;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use serde_json::{Map, Value};

use crate::client::{Connection, status};

/// What to wait for.
#[derive(Debug, Default)]
pub struct Wanted {
    /// Texts that must appear.
    pub present: Vec<String>,
    /// Texts that must be gone.
    pub absent: Vec<String>,
    /// Must stay the same for that long.
    pub unchanged_for: Duration,
}

/// Polls until the runtime configuration is as wanted in two answers after one another, and gives
/// it. `alive` fails when polling on makes no sense.
pub fn wait(
    api: SocketAddr,
    wanted: &Wanted,
    mut alive: impl FnMut() -> Result<()>,
) -> Result<Value> {
    let deadline = Instant::now() + PATIENCE;
    let mut last: Option<(Value, Instant)> = None;
    loop {
        alive()?;
        let now = Instant::now();
        if let Some(value) = fetch(api) {
            let text = value.to_string();
            let fits = wanted.present.iter().all(|part| text.contains(part.as_str()))
                && !wanted.absent.iter().any(|part| text.contains(part.as_str()));
            match last {
                Some((previous, since)) if previous == value => {
                    if fits && now - since >= wanted.unchanged_for {
                        return Ok(value);
                    }
                    last = Some((previous, since));
                }
                _ => last = Some((value, now)),
            }
        }
        if now > deadline {
            let shown = last.map_or_else(|| "nothing".to_owned(), |(value, _)| value.to_string());
            bail!("waited {PATIENCE:?} for {wanted:?}; the API shows {shown}");
        }
        thread::sleep(Duration::from_millis(5));
    }
}

/// The objects of providers other than `internal`, lists of names sorted. `only` names sections
/// (`routers`) or objects (`routers/a@file`); empty for all.
pub fn stable(value: &Value, only: &[String]) -> Value {
    let mut sections = Map::new();
    for (section, objects) in sorted(value) {
        let mut kept = Map::new();
        for (name, object) in sorted(objects) {
            let wanted = only.is_empty()
                || only.iter().any(|o| o == section || *o == format!("{section}/{name}"));
            if wanted && !name.ends_with("@internal") {
                kept.insert(name.clone(), stable_object(object));
            }
        }
        if !kept.is_empty() {
            sections.insert(section.clone(), Value::Object(kept));
        }
    }
    Value::Object(sections)
}

/// The same JSON with the members of every object in order of their names.
pub fn in_order(value: &Value) -> Value {
    match value {
        Value::Object(_) => Value::Object(
            sorted(value)
                .into_iter()
                .map(|(name, value)| (name.clone(), in_order(value)))
                .collect(),
        ),
        Value::Array(items) => Value::Array(items.iter().map(in_order).collect()),
        other => other.clone(),
    }
}

fn stable_object(object: &Value) -> Value {
    let mut object = in_order(object);
    for list in ["error", "usedBy", "using"] {
        if let Some(Value::Array(items)) = object.get_mut(list) {
            items.sort_by_key(Value::to_string);
        }
    }
    object
}

fn sorted(value: &Value) -> Vec<(&String, &Value)> {
    let mut members: Vec<_> = value.as_object().into_iter().flatten().collect();
    members.sort_by_key(|(name, _)| *name);
    members
}

fn fetch(api: SocketAddr) -> Option<Value> {
    let mut connection = Connection::plain(api).ok()?;
    connection.send(b"GET /api/rawdata HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    let response = connection.response("GET", b"", b"");
    if status(&response.head?) != "200" {
        return None;
    }
    serde_json::from_slice(&response.body.bytes).ok()
}

const PATIENCE: Duration = Duration::from_secs(15);

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn check(only: &[&str], expected: &Value) {
        let value = json!({
            "routers": {"api@internal": {}, "b@file": {"error": ["z", "a"]}, "a@file": {}},
            "services": {"s@file": {}},
        });
        let only: Vec<_> = only.iter().map(|&name| name.to_owned()).collect();
        assert_eq!(stable(&value, &only), *expected);
    }

    #[test]
    fn the_stable_form_has_the_wanted_objects_with_lists_in_order() {
        let b = json!({"error": ["a", "z"]});
        check(&[], &json!({"routers": {"a@file": {}, "b@file": b}, "services": {"s@file": {}}}));
        check(&["services"], &json!({"services": {"s@file": {}}}));
        check(&["routers/b@file"], &json!({"routers": {"b@file": b}}));
    }
}
