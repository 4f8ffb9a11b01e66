//! Status texts as Go writes them, and ranges of statuses as users write them.

use http::StatusCode;

/// Gives Go's text of a status, empty where Go has none.
pub fn status_text(status: StatusCode) -> &'static str {
    match status.as_u16() {
        413 => "Request Entity Too Large",
        416 => "Requested Range Not Satisfiable",
        425 => "Too Early",
        499 => "Client Closed Request",
        _ => status.canonical_reason().unwrap_or_default(),
    }
}

/// Statuses and ranges of them, such as `404` and `500-599`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StatusRanges(Vec<(u16, u16)>);

impl StatusRanges {
    /// Reads codes and ranges. Both ends belong to a range.
    ///
    /// # Errors
    /// With Go's words when a code is no number.
    pub fn parse<S: AsRef<str>>(ranges: &[S]) -> Result<Self, String> {
        let mut parsed = Vec::with_capacity(ranges.len());
        for range in ranges {
            let range = range.as_ref();
            let (low, high) = match range.split_once('-') {
                Some((low, high)) => (number(low)?, number(high)?),
                None => (number(range)?, number(range)?),
            };
            parsed.push((low, high));
        }
        Ok(Self(parsed))
    }

    /// Tells whether a status is in one of the ranges.
    pub fn contains(&self, status: StatusCode) -> bool {
        let code = status.as_u16();
        self.0.iter().any(|(low, high)| (*low..=*high).contains(&code))
    }

    /// Tells whether there are no ranges.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

fn number(text: &str) -> Result<u16, String> {
    text.parse().map_err(|_| format!("strconv.Atoi: parsing {text:?}: invalid syntax"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_hold_both_ends_and_single_codes() {
        let ranges = StatusRanges::parse(&["404", "500-502"]).expect("valid ranges");
        let inside: Vec<u16> = (400..600)
            .filter(|code| ranges.contains(StatusCode::from_u16(*code).expect("valid code")))
            .collect();
        assert_eq!(inside, [404, 500, 501, 502]);
        assert!(StatusRanges::parse(&["5xx"]).is_err());
    }
}
