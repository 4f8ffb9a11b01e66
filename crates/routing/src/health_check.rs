//! What a good answer to a health check looks like.

use config::dynamic::ServerHealthCheck;
use regex::Regex;

/// An active health check, ready to be run.
#[derive(Debug)]
pub struct HealthCheck {
    pub settings: ServerHealthCheck,
    statuses: Vec<Status>,
    body_text: Option<Box<[u8]>>,
    body_regex: Option<regex::bytes::Regex>,
}

/// One of the statuses that are expected.
#[derive(Debug)]
enum Status {
    Range(u16, u16),
    Expression(Regex),
}

impl HealthCheck {
    /// Reads the settings.
    ///
    /// # Errors
    /// When what is expected cannot be read, or can never come.
    pub fn new(settings: &ServerHealthCheck) -> Result<Self, String> {
        let expect = settings.expect.clone().unwrap_or_default();
        let wrong = |key: &str, error: String| format!("healthCheck.expect.{key}: {error}");
        let statuses = expect.status.iter().map(|text| status(text));
        let body_regex = match expect.body_regex.as_str() {
            "" => None,
            text => Some(
                regex::bytes::Regex::new(text)
                    .map_err(|error| wrong("bodyRegex", unreadable(text, &error)))?,
            ),
        };
        let check = Self {
            settings: settings.clone(),
            statuses: statuses.collect::<Result<_, _>>().map_err(|error| wrong("status", error))?,
            body_text: (!expect.body.is_empty()).then(|| expect.body.into_bytes().into()),
            body_regex,
        };
        if check.wants_body() && settings.method == "HEAD" {
            return Err(wrong("body", "an answer to HEAD has none".to_owned()));
        }
        Ok(check)
    }

    /// Tells whether the answer's body matters.
    pub fn wants_body(&self) -> bool {
        self.body_text.is_some() || self.body_regex.is_some()
    }

    /// Judges an answer; `body` is empty unless it is wanted. The error says what is wrong with it.
    pub fn judge(&self, status: u16, body: &[u8]) -> Result<(), String> {
        self.judge_status(status)?;
        if let Some(text) = &self.body_text
            && !body.windows(text.len()).any(|window| *window == **text)
        {
            return Err(format!("the body does not contain {:?}", String::from_utf8_lossy(text)));
        }
        match &self.body_regex {
            Some(regex) if !regex.is_match(body) => {
                Err(format!("the body does not match {:?}", regex.as_str()))
            }
            _ => Ok(()),
        }
    }

    fn judge_status(&self, status: u16) -> Result<(), String> {
        let received = format!("received error status code: {status}");
        if !self.statuses.is_empty() {
            let code = status.to_string();
            let is_expected = self.statuses.iter().any(|expected| match expected {
                Status::Range(low, high) => (*low..=*high).contains(&status),
                Status::Expression(regex) => regex.is_match(&code),
            });
            let expected = || self.settings.expect.as_ref().map(|expect| expect.status.join(", "));
            return match is_expected {
                true => Ok(()),
                false => Err(format!(
                    "{received} expected status code: {}",
                    expected().unwrap_or_default()
                )),
            };
        }
        match self.settings.status {
            0 if (200..400).contains(&status) => Ok(()),
            0 => Err(received),
            expected if status == expected => Ok(()),
            expected => Err(format!("{received} expected status code: {expected}")),
        }
    }
}

/// Reads a code, a range of codes, or an expression.
fn status(text: &str) -> Result<Status, String> {
    let text = text.trim();
    let (low, high) = text.split_once('-').unwrap_or((text, text));
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    if !is_number(low) || !is_number(high) {
        if text.is_empty() {
            return Err("an empty status".to_owned());
        }
        return Regex::new(&format!("^(?:{text})$"))
            .map(Status::Expression)
            .map_err(|error| unreadable(text, &error));
    }
    let code = |text: &str| {
        text.parse()
            .ok()
            .filter(|code| (100..=599).contains(code))
            .ok_or(format!("{text} is no status: they go from 100 to 599"))
    };
    let (low, high) = (code(low)?, code(high)?);
    if low > high {
        return Err(format!("{text} holds no status"));
    }
    Ok(Status::Range(low, high))
}

/// What is wrong with an expression, on one line.
fn unreadable(text: &str, error: &regex::Error) -> String {
    let error = error.to_string();
    let reason = error.lines().last().unwrap_or_default();
    format!("{text:?} is no regular expression: {}", reason.trim_start_matches("error: "))
}

#[cfg(test)]
mod tests {
    use config::dynamic::HealthCheckExpect;

    use super::*;

    fn settings(status: &[&str], body: &str, body_regex: &str) -> ServerHealthCheck {
        let expect = HealthCheckExpect {
            status: status.iter().map(ToString::to_string).collect(),
            body: body.to_owned(),
            body_regex: body_regex.to_owned(),
        };
        ServerHealthCheck { expect: Some(expect), ..ServerHealthCheck::default() }
    }

    fn check_statuses(expected: &[&str], good: &[u16], bad: &[u16]) {
        let check = HealthCheck::new(&settings(expected, "", "")).expect("valid settings");
        for status in good {
            assert_eq!(check.judge(*status, b""), Ok(()), "{expected:?}");
        }
        for status in bad {
            assert!(check.judge(*status, b"").is_err(), "{expected:?}: {status}");
        }
    }

    #[test]
    fn statuses_are_codes_ranges_and_expressions() {
        check_statuses(&[], &[200, 399], &[100, 400, 503]);
        check_statuses(&["204", "500-502"], &[204, 500, 502], &[200, 503]);
        check_statuses(&["(2|3)[0-9][0-9]"], &[200, 302, 399], &[404, 500]);
        check_statuses(&["0."], &[], &[200, 404]);
        check_statuses(&["4\\d\\d", "200"], &[404, 200], &[500]);
    }

    #[test]
    fn traefiks_single_status_still_counts() {
        let settings = ServerHealthCheck { status: 418, ..ServerHealthCheck::default() };
        let check = HealthCheck::new(&settings).expect("valid settings");
        assert_eq!(check.judge(418, b""), Ok(()));
        let error = "received error status code: 200 expected status code: 418".to_owned();
        assert_eq!(check.judge(200, b""), Err(error));
    }

    #[test]
    fn bodies_contain_texts_and_match_expressions() {
        let judge = |body, regex, answer: &[u8]| {
            let check = HealthCheck::new(&settings(&[], body, regex)).expect("valid settings");
            assert!(check.wants_body());
            check.judge(200, answer)
        };
        assert_eq!(judge("ready", "", b"am ready\xff"), Ok(()));
        assert_eq!(
            judge("ready", "", b"read"),
            Err("the body does not contain \"ready\"".to_owned())
        );
        assert_eq!(judge("", "load: [0-4]\\.", b"load: 3.9"), Ok(()));
        assert!(judge("load", "[0-4]\\.", b"load: 5.1").is_err());
    }

    fn check_error(settings: &ServerHealthCheck, expected: &str) {
        let error = HealthCheck::new(settings).expect_err("settings that are wrong");
        assert!(error.starts_with(expected), "{error}");
    }

    #[test]
    fn what_can_never_come_is_refused() {
        check_error(&settings(&["600"], "", ""), "healthCheck.expect.status: 600 is no status");
        check_error(&settings(&["20"], "", ""), "healthCheck.expect.status: 20 is no status");
        check_error(&settings(&["400-200"], "", ""), "healthCheck.expect.status: 400-200 holds");
        check_error(
            &settings(&["(2"], "", ""),
            "healthCheck.expect.status: \"(2\" is no regular expression: unclosed group",
        );
        check_error(&settings(&[""], "", ""), "healthCheck.expect.status: an empty status");
        check_error(
            &settings(&[], "", "["),
            "healthCheck.expect.bodyRegex: \"[\" is no regular expression: unclosed",
        );
        let head = ServerHealthCheck { method: "HEAD".to_owned(), ..settings(&[], "x", "") };
        check_error(&head, "healthCheck.expect.body: an answer to HEAD has none");
    }
}
