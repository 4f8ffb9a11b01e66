//! Time zones: the system's compiled files (RFC 9636) and the local choice among them.

use std::path::Path;

use crate::go_time::rule::Rule;

/// Where systems keep their zones.
const DIRECTORIES: &[&str] =
    &["/usr/share/zoneinfo", "/usr/share/lib/zoneinfo", "/usr/lib/locale/TZ", "/etc/zoneinfo"];

#[derive(Debug, Clone)]
pub(crate) enum Zone {
    Utc,
    /// Seconds east of UTC, and the abbreviation if there is one.
    Fixed(i32, String),
    File(File),
}

/// The transitions of a zone, and the rule that continues after the last.
#[derive(Debug, Clone)]
pub(crate) struct File {
    /// From when on, and which of the kinds.
    transitions: Vec<(i64, usize)>,
    kinds: Vec<Kind>,
    rule: Option<Rule>,
}

/// What a clock shows between two transitions.
#[derive(Debug, Clone)]
struct Kind {
    offset: i32,
    is_summer: bool,
    abbreviation: String,
}

impl Zone {
    /// Go's `time.LoadLocation`; `None` when the system has no such zone.
    pub(crate) fn load(name: &str) -> Option<Self> {
        match name {
            "" | "UTC" => Some(Self::Utc),
            "Local" => Some(Self::local()),
            name if name.contains("..") || name.starts_with(['/', '\\']) => None,
            name => DIRECTORIES
                .iter()
                .find_map(|directory| Self::read(&Path::new(directory).join(name))),
        }
    }

    /// The zone of `TZ`, or else of the system. What cannot be read is UTC.
    pub(crate) fn local() -> Self {
        // Tests are the same wherever they run.
        if cfg!(test) { Self::Utc } else { Self::chosen(std::env::var("TZ").ok().as_deref()) }
    }

    fn chosen(variable: Option<&str>) -> Self {
        let zone = match variable {
            None => Self::read(Path::new("/etc/localtime")),
            Some(name) => match name.strip_prefix(':').unwrap_or(name) {
                "Local" => None,
                path if path.starts_with('/') => Self::read(Path::new(path)),
                name => Self::load(name),
            },
        };
        zone.unwrap_or(Self::Utc)
    }

    fn read(path: &Path) -> Option<Self> {
        File::parse(&std::fs::read(path).ok()?).map(Self::File)
    }

    /// The offset and abbreviation in force at an instant.
    pub(crate) fn at(&self, unix: i64) -> (i32, String) {
        match self {
            Self::Utc => (0, "UTC".to_owned()),
            Self::Fixed(offset, abbreviation) => (*offset, abbreviation.clone()),
            Self::File(file) => file.at(unix),
        }
    }

    /// The instant at which a clock of the zone shows the given seconds since 1970.
    pub(crate) fn instant(&self, local: i64) -> i64 {
        // As Go does it: guess with the offset at the same number, then correct once.
        let (guess, _) = self.at(local);
        let first = local.saturating_sub(i64::from(guess));
        let (offset, _) = self.at(first);
        local.saturating_sub(i64::from(offset))
    }

    /// The offset that the abbreviation stands for at about an instant.
    pub(crate) fn abbreviated(&self, abbreviation: &str, unix: i64) -> Option<i32> {
        let Self::File(file) = self else {
            return (self.at(unix).1 == abbreviation).then(|| self.at(unix).0);
        };
        let mut kinds = file.kinds.iter().filter(|kind| kind.abbreviation == abbreviation);
        let matching = kinds.clone().find(|kind| {
            file.at(unix.saturating_sub(i64::from(kind.offset)))
                == (kind.offset, abbreviation.to_owned())
        });
        matching.or_else(|| kinds.next()).map(|kind| kind.offset)
    }
}

impl File {
    fn parse(bytes: &[u8]) -> Option<Self> {
        let first = Header::parse(bytes)?;
        if first.version < b'2' {
            return Self::parse_data(bytes.get(Header::LENGTH..)?, &first, 4).map(|(file, _)| file);
        }
        // The first block repeats the second with 32 bits per instant.
        let second = bytes.get(Header::LENGTH + first.data_length(4)..)?;
        let header = Header::parse(second)?;
        let (mut file, rest) = Self::parse_data(second.get(Header::LENGTH..)?, &header, 8)?;
        let footer = std::str::from_utf8(rest).ok()?;
        file.rule = footer.trim_matches('\n').split('\n').next().and_then(Rule::parse);
        Some(file)
    }

    fn parse_data<'a>(bytes: &'a [u8], header: &Header, width: usize) -> Option<(Self, &'a [u8])> {
        let (instants, rest) = bytes.split_at_checked(header.transitions * width)?;
        let (indexes, rest) = rest.split_at_checked(header.transitions)?;
        let (kinds, rest) = rest.split_at_checked(header.kinds * 6)?;
        let (names, rest) = rest.split_at_checked(header.names)?;
        let rest = rest.get(header.leaps * (width + 4) + header.standards + header.universals..)?;
        let kinds: Option<Vec<Kind>> = kinds
            .chunks_exact(6)
            .map(|kind| {
                let name = names.get(usize::from(kind[5])..)?.split(|byte| *byte == 0).next()?;
                Some(Kind {
                    offset: i32::from_be_bytes(kind[..4].try_into().ok()?),
                    is_summer: kind[4] != 0,
                    abbreviation: String::from_utf8_lossy(name).into_owned(),
                })
            })
            .collect();
        let kinds = kinds.filter(|kinds| !kinds.is_empty())?;
        let instants = instants.chunks_exact(width).map(|bytes| {
            let sign = if bytes[0] & 0x80 == 0 { 0 } else { -1 };
            bytes.iter().fold(sign, |instant: i64, byte| instant << 8 | i64::from(*byte))
        });
        let transitions: Vec<_> =
            instants.zip(indexes.iter().map(|index| usize::from(*index))).collect();
        let is_valid = transitions.iter().all(|(_, kind)| *kind < kinds.len());
        is_valid.then_some((Self { transitions, kinds, rule: None }, rest))
    }

    fn at(&self, unix: i64) -> (i32, String) {
        let after = self.transitions.partition_point(|(from, _)| *from <= unix);
        if after == self.transitions.len()
            && let Some(rule) = &self.rule
        {
            return rule.at(unix);
        }
        let kind = match after.checked_sub(1) {
            Some(index) => &self.kinds[self.transitions[index].1],
            // Before all transitions the first kind of winter time holds.
            None => self.kinds.iter().find(|kind| !kind.is_summer).unwrap_or(&self.kinds[0]),
        };
        (kind.offset, kind.abbreviation.clone())
    }
}

/// The counts at the beginning of a block, RFC 9636 section 3.1.
struct Header {
    version: u8,
    universals: usize,
    standards: usize,
    leaps: usize,
    transitions: usize,
    kinds: usize,
    names: usize,
}

impl Header {
    const LENGTH: usize = 44;

    fn parse(bytes: &[u8]) -> Option<Self> {
        let header = bytes.get(..Self::LENGTH)?;
        if !header.starts_with(b"TZif") {
            return None;
        }
        let count = |index: usize| {
            let start = 20 + 4 * index;
            let bytes = header.get(start..start + 4)?.try_into().ok()?;
            // No real zone comes near; a damaged file must not overflow the sums.
            usize::try_from(u32::from_be_bytes(bytes)).ok().filter(|count| *count < 1 << 20)
        };
        Some(Self {
            version: header[4],
            universals: count(0)?,
            standards: count(1)?,
            leaps: count(2)?,
            transitions: count(3)?,
            kinds: count(4)?,
            names: count(5)?,
        })
    }

    fn data_length(&self, width: usize) -> usize {
        self.transitions * (width + 1)
            + self.kinds * 6
            + self.names
            + self.leaps * (width + 4)
            + self.standards
            + self.universals
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_variable_chooses_the_local_zone() {
        assert!(matches!(Zone::chosen(Some("")), Zone::Utc));
        assert!(matches!(Zone::chosen(Some("No/Such")), Zone::Utc));
        assert!(matches!(Zone::chosen(Some(":UTC")), Zone::Utc));
    }

    #[test]
    fn damaged_files_are_refused() {
        assert!(File::parse(b"TZif2").is_none());
        let mut bytes = b"TZif".to_vec();
        bytes.resize(44, 0xff);
        assert!(File::parse(&bytes).is_none());
    }

    #[test]
    fn a_rule_switches_twice_a_year() {
        let rule = Rule::parse("CET-1CEST,M3.5.0,M10.5.0/3").expect("a valid rule");
        assert_eq!(rule.at(1_711_846_799), (3600, "CET".to_owned()));
        assert_eq!(rule.at(1_711_846_800), (7200, "CEST".to_owned()));
        assert_eq!(rule.at(1_729_990_799), (7200, "CEST".to_owned()));
        assert_eq!(rule.at(1_729_990_800), (3600, "CET".to_owned()));
    }
}
