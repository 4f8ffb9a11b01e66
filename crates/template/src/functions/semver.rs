//! Semantic versions and constraints as `Masterminds/semver` v3 understands them.

use std::cmp::Ordering;
use std::fmt;

use gtmpl_ng::Value;

use crate::functions::{Arguments, Outcome, table};
use crate::value;

table! { pub(super) TABLE:
    "semver", 1..=1 => semver;
    "semverCompare", 2..=2 => |arguments| {
        let constraints = Constraints::parse(arguments.text(0)?).map_err(|message| arguments.error(message))?;
        let version = Version::parse(arguments.text(1)?).ok_or_else(|| arguments.error(INVALID))?;
        Ok(constraints.allow(&version).into())
    };
}

const INVALID: &str = "Invalid Semantic Version";

fn semver(arguments: &Arguments) -> Outcome {
    let original = arguments.text(0)?;
    let version = Version::parse(original).ok_or_else(|| arguments.error(INVALID))?;
    let number = |number: u64| Value::from(number);
    Ok(value::object(
        "*semver.Version",
        version.to_string(),
        [
            ("Major", number(version.major)),
            ("Minor", number(version.minor)),
            ("Patch", number(version.patch)),
            ("Prerelease", version.prerelease.as_str().into()),
            ("Metadata", version.metadata.as_str().into()),
            ("Original", original.into()),
            ("String", version.to_string().into()),
        ],
    ))
}

#[derive(Debug, Clone, Default, PartialEq)]
struct Version {
    major: u64,
    minor: u64,
    patch: u64,
    prerelease: String,
    metadata: String,
}

impl Version {
    /// Reads `1`, `v1.2` and `1.2.3-beta.1+build`.
    fn parse(text: &str) -> Option<Self> {
        let partial = Partial::parse(text.strip_prefix('v').unwrap_or(text))?;
        let missing_is_zero = |number: Number| match number {
            Number::Is(number) => Some(number),
            Number::Missing => Some(0),
            Number::Any => None,
        };
        let version = Self {
            major: missing_is_zero(partial.major)?,
            minor: missing_is_zero(partial.minor)?,
            patch: missing_is_zero(partial.patch)?,
            prerelease: partial.prerelease,
            metadata: partial.metadata,
        };
        // Numbers of a prerelease may not begin with a zero (semver 2.0 section 9).
        let has_padded_number = version.prerelease.split('.').any(|part| {
            part.len() > 1
                && part.starts_with('0')
                && part.bytes().all(|byte| byte.is_ascii_digit())
        });
        (!has_padded_number).then_some(version)
    }

    fn numbers(&self) -> (u64, u64, u64) {
        (self.major, self.minor, self.patch)
    }

    fn precedence(&self, other: &Self) -> Ordering {
        self.numbers()
            .cmp(&other.numbers())
            .then_with(|| compare_prereleases(&self.prerelease, &other.prerelease))
    }
}

impl fmt::Display for Version {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}.{}.{}", self.major, self.minor, self.patch)?;
        if !self.prerelease.is_empty() {
            write!(formatter, "-{}", self.prerelease)?;
        }
        if !self.metadata.is_empty() {
            write!(formatter, "+{}", self.metadata)?;
        }
        Ok(())
    }
}

/// Semver 2.0 section 11.
fn compare_prereleases(left: &str, right: &str) -> Ordering {
    match (left.is_empty(), right.is_empty()) {
        (true, true) => return Ordering::Equal,
        (true, false) => return Ordering::Greater,
        (false, true) => return Ordering::Less,
        (false, false) => {}
    }
    let (mut left, mut right) = (left.split('.'), right.split('.'));
    loop {
        let (left, right) = match (left.next(), right.next()) {
            (None, None) => return Ordering::Equal,
            (None, Some(_)) => return Ordering::Less,
            (Some(_), None) => return Ordering::Greater,
            (Some(left), Some(right)) => (left, right),
        };
        let order = match (left.parse::<u64>(), right.parse::<u64>()) {
            (Ok(left), Ok(right)) => left.cmp(&right),
            (Ok(_), Err(_)) => Ordering::Less,
            (Err(_), Ok(_)) => Ordering::Greater,
            (Err(_), Err(_)) => left.cmp(right),
        };
        if order.is_ne() {
            return order;
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Number {
    Is(u64),
    /// `x`, `X` or `*`.
    Any,
    Missing,
}

/// A version that may leave numbers out or open.
struct Partial {
    major: Number,
    minor: Number,
    patch: Number,
    prerelease: String,
    metadata: String,
}

impl Partial {
    fn parse(text: &str) -> Option<Self> {
        let (text, metadata) = match text.split_once('+') {
            Some((text, metadata)) => (text, Some(metadata)),
            None => (text, None),
        };
        let (numbers, prerelease) = match text.split_once('-') {
            Some((numbers, prerelease)) => (numbers, Some(prerelease)),
            None => (text, None),
        };
        let is_valid = |part: Option<&str>| {
            part.is_none_or(|part| {
                part.split('.').all(|label| {
                    !label.is_empty()
                        && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
                })
            })
        };
        if !is_valid(prerelease) || !is_valid(metadata) {
            return None;
        }
        let mut parts = numbers.split('.').map(number);
        let partial = Self {
            major: parts.next()??,
            minor: parts.next().unwrap_or(Some(Number::Missing))?,
            patch: parts.next().unwrap_or(Some(Number::Missing))?,
            prerelease: prerelease.unwrap_or_default().to_owned(),
            metadata: metadata.unwrap_or_default().to_owned(),
        };
        parts.next().is_none().then_some(partial)
    }
}

fn number(text: &str) -> Option<Number> {
    match text {
        "x" | "X" | "*" => Some(Number::Any),
        digits if digits.bytes().all(|byte| byte.is_ascii_digit()) => {
            digits.parse().ok().map(Number::Is)
        }
        _ => None,
    }
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Operator {
    Equal,
    NotEqual,
    Greater,
    Less,
    GreaterOrEqual,
    LessOrEqual,
    Tilde,
    Caret,
}

/// The spellings, longest first.
const OPERATORS: &[(&str, Operator)] = &[
    ("!=", Operator::NotEqual),
    (">=", Operator::GreaterOrEqual),
    ("=>", Operator::GreaterOrEqual),
    ("<=", Operator::LessOrEqual),
    ("=<", Operator::LessOrEqual),
    ("~>", Operator::Tilde),
    ("=", Operator::Equal),
    (">", Operator::Greater),
    ("<", Operator::Less),
    ("~", Operator::Tilde),
    ("^", Operator::Caret),
];

/// Alternatives, each of which is a list of constraints that must all hold.
struct Constraints(Vec<Vec<Constraint>>);

impl Constraints {
    fn parse(text: &str) -> Result<Self, String> {
        let improper = || format!("improper constraint: {text}");
        let spelled = text.replace("||", "\u{0}");
        let alternatives = spelled.split('\u{0}').map(|alternative| {
            let ranges = expand_ranges(alternative);
            let parts = ranges.split([',', ' ']).filter(|part| !part.is_empty());
            // An operator may stand apart from its version.
            let mut joined: Vec<String> = Vec::new();
            for part in parts {
                match joined
                    .last_mut()
                    .filter(|last| last.ends_with(['=', '<', '>', '~', '^', '!']))
                {
                    Some(last) => last.push_str(part),
                    None => joined.push(part.to_owned()),
                }
            }
            let constraints: Option<Vec<_>> =
                joined.iter().map(|part| Constraint::parse(part)).collect();
            constraints.filter(|constraints| !constraints.is_empty()).ok_or_else(improper)
        });
        Ok(Self(alternatives.collect::<Result<_, _>>()?))
    }

    fn allow(&self, version: &Version) -> bool {
        self.0.iter().any(|all| all.iter().all(|constraint| constraint.allows(version)))
    }
}

/// `1.2 - 3.4` stands for `>=1.2 <=3.4`.
fn expand_ranges(text: &str) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    let mut expanded: Vec<String> = Vec::new();
    let mut index = 0;
    while index < words.len() {
        if words.get(index + 1) == Some(&"-") && index + 2 < words.len() {
            expanded.push(format!(">={},<={}", words[index], words[index + 2]));
            index += 3;
        } else {
            expanded.push(words[index].to_owned());
            index += 1;
        }
    }
    expanded.join(" ")
}

struct Constraint {
    operator: Operator,
    version: Version,
    /// The minor number is left out or open.
    is_minor_open: bool,
    /// Only the patch number is left out or open.
    is_patch_open: bool,
    /// Any number is left out or open.
    is_open: bool,
}

impl Constraint {
    fn parse(text: &str) -> Option<Self> {
        let (operator, rest) = OPERATORS
            .iter()
            .find_map(|(spelling, operator)| Some((*operator, text.strip_prefix(spelling)?)))
            .unwrap_or((Operator::Equal, text));
        let partial = Partial::parse(rest.strip_prefix('v').unwrap_or(rest))?;
        let mut constraint = Self {
            operator,
            version: Version {
                prerelease: partial.prerelease,
                metadata: partial.metadata,
                ..Version::default()
            },
            is_minor_open: false,
            is_patch_open: false,
            is_open: true,
        };
        match (partial.major, partial.minor, partial.patch) {
            (Number::Is(major), Number::Is(minor), Number::Is(patch)) => {
                constraint.is_open = false;
                (constraint.version.major, constraint.version.minor) = (major, minor);
                constraint.version.patch = patch;
            }
            (Number::Is(major), Number::Is(minor), _) => {
                constraint.is_patch_open = true;
                (constraint.version.major, constraint.version.minor) = (major, minor);
            }
            (Number::Is(major), _, _) => {
                constraint.is_minor_open = true;
                constraint.version.major = major;
            }
            _ => {}
        }
        Some(constraint)
    }

    fn allows(&self, version: &Version) -> bool {
        // Prereleases have to be asked for.
        if !version.prerelease.is_empty() && self.version.prerelease.is_empty() {
            return false;
        }
        let order = version.precedence(&self.version);
        match self.operator {
            Operator::Equal if self.is_open => self.allows_tilde(version, order),
            Operator::Equal => order.is_eq(),
            Operator::NotEqual => self.differs(version, order),
            Operator::Greater => self.is_exceeded_by(version, order),
            Operator::Less => order.is_lt(),
            Operator::GreaterOrEqual => order.is_ge(),
            Operator::LessOrEqual if !self.is_open => order.is_le(),
            Operator::LessOrEqual => {
                version.major < self.version.major
                    || version.major == self.version.major
                        && (version.minor <= self.version.minor || self.is_minor_open)
            }
            Operator::Tilde => self.allows_tilde(version, order),
            Operator::Caret => self.allows_caret(version, order),
        }
    }

    fn differs(&self, version: &Version, order: Ordering) -> bool {
        if !self.is_open {
            return order.is_ne();
        }
        if version.major != self.version.major {
            return true;
        }
        if self.is_minor_open {
            return false;
        }
        if version.minor != self.version.minor {
            return true;
        }
        self.is_patch_open
            && (!version.prerelease.is_empty() || !self.version.prerelease.is_empty())
            && compare_prereleases(&version.prerelease, &self.version.prerelease).is_ne()
    }

    fn is_exceeded_by(&self, version: &Version, order: Ordering) -> bool {
        if !self.is_open {
            return order.is_gt();
        }
        match version.major.cmp(&self.version.major) {
            Ordering::Greater => true,
            Ordering::Less => false,
            Ordering::Equal if self.is_minor_open => false,
            Ordering::Equal if self.is_patch_open => version.minor > self.version.minor,
            Ordering::Equal => true,
        }
    }

    fn allows_tilde(&self, version: &Version, order: Ordering) -> bool {
        if order.is_lt() {
            return false;
        }
        let is_anything =
            self.version.numbers() == (0, 0, 0) && !self.is_minor_open && !self.is_patch_open;
        is_anything
            || version.major == self.version.major
                && (version.minor == self.version.minor || self.is_minor_open)
    }

    /// Lets everything change to the right of the first number that is not zero.
    fn allows_caret(&self, version: &Version, order: Ordering) -> bool {
        if order.is_lt() {
            return false;
        }
        if self.version.major > 0 || self.is_minor_open {
            return version.major == self.version.major;
        }
        if version.major > 0 {
            return false;
        }
        if self.version.minor > 0 || self.is_patch_open {
            return version.minor == self.version.minor;
        }
        version.minor == 0 && version.patch == self.version.patch
    }
}
