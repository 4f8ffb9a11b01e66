//! The choice of an encoding from `Accept-Encoding`.

use http::header::{GetAll, HeaderValue};

use super::Chosen;
use super::encoder::Encoding;

pub(super) struct Negotiation {
    /// In the user's order.
    encodings: Vec<Encoding>,
    /// For requests that do not negotiate.
    default: Option<Encoding>,
    /// For clients that take anything.
    any: Encoding,
}

#[derive(Clone, Copy, PartialEq)]
enum Coding {
    Known(Encoding),
    Identity,
    Any,
}

impl Negotiation {
    pub(super) fn new(encodings: &[String], default: &str) -> Result<Self, String> {
        let mut known = Vec::with_capacity(encodings.len());
        for name in encodings {
            let encoding = Encoding::from_name(name);
            known.push(encoding.ok_or_else(|| format!("unsupported encoding: {name}"))?);
        }
        let Some(first) = known.first().copied() else {
            return Err("at least one encoding must be specified".to_owned());
        };
        let chosen = Encoding::from_name(default).filter(|default| known.contains(default));
        if !default.is_empty() && chosen.is_none() {
            return Err(format!("unsupported default encoding: {default}"));
        }
        Ok(Self { encodings: known, default: chosen, any: chosen.unwrap_or(first) })
    }

    /// Chooses by weight, then by the user's order. `None`: the response stays as it is.
    pub(super) fn choose(&self, fields: GetAll<'_, HeaderValue>) -> Option<Chosen> {
        let mut values = fields.iter();
        let first = values.next();
        let encoding = match first {
            None => self.default?,
            Some(value) if value.is_empty() && values.next().is_none() => return None,
            Some(_) => match self.best(fields)? {
                Coding::Known(encoding) => encoding,
                Coding::Any => self.any,
                Coding::Identity => return None,
            },
        };
        // Traefik: gzip is negotiated a second time, by another reader of the first field only;
        // `*` and a missing field do not count there. Then caches are told, and that is all.
        let is_declined = encoding == Encoding::Gzip && !first.is_some_and(accepts_gzip_by_name);
        Some(Chosen { encoding: (!is_declined).then_some(encoding) })
    }

    fn best(&self, fields: GetAll<'_, HeaderValue>) -> Option<Coding> {
        let mut best: Option<(f64, usize, Coding)> = None;
        let items = fields.iter().filter_map(|value| value.to_str().ok());
        for item in items.flat_map(|text| text.split(',')) {
            let (name, parameter) = match item.split_once(';') {
                Some((name, parameter)) => (name.trim(), parameter.trim()),
                None => (item.trim(), ""),
            };
            let Some((rank, coding)) = self.rank(name) else { continue };
            let weight = match parameter.strip_prefix("q=") {
                None => 1.0,
                // A weight that cannot be read counts as zero: not acceptable.
                Some(weight) => weight.trim().parse().unwrap_or(0.0),
            };
            if weight == 0.0 {
                continue;
            }
            let is_better = best.is_none_or(|(best_weight, best_rank, _)| {
                weight > best_weight || (weight == best_weight && rank < best_rank)
            });
            if is_better {
                best = Some((weight, rank, coding));
            }
        }
        best.map(|(_, _, coding)| coding)
    }

    /// Places a coding among those of equal weight: `*` first, `identity` last.
    fn rank(&self, name: &str) -> Option<(usize, Coding)> {
        match name {
            "*" => Some((0, Coding::Any)),
            "identity" => Some((self.encodings.len() + 1, Coding::Identity)),
            name => {
                // The last of equal entries counts, as in a map.
                let at = self.encodings.iter().rposition(|known| known.name() == name)?;
                Some((at + 1, Coding::Known(self.encodings[at])))
            }
        }
    }
}

fn accepts_gzip_by_name(field: &HeaderValue) -> bool {
    let Ok(text) = field.to_str() else { return false };
    let item = text.split(',').find(|item| {
        let name = item.split(';').next().unwrap_or_default();
        name.trim().eq_ignore_ascii_case("gzip")
    });
    let Some(item) = item else { return false };
    // The last parameter decides; one that is no weight counts as one.
    match item.split(';').skip(1).last().map(str::trim).and_then(|last| last.strip_prefix("q=")) {
        None => true,
        Some(weight) => weight.parse::<f64>().unwrap_or(0.0) > 0.0,
    }
}

#[cfg(test)]
mod tests {
    use http::header::ACCEPT_ENCODING;

    use super::*;
    use crate::fixture;

    fn told(encodings: &[&str], default: &str, fields: &[&str]) -> &'static str {
        let encodings: Vec<String> = encodings.iter().map(|name| (*name).to_owned()).collect();
        let negotiation = Negotiation::new(&encodings, default).expect("valid settings");
        let fields: Vec<_> = fields.iter().map(|value| ("Accept-Encoding", *value)).collect();
        let headers = fixture::headers(&fields);
        match negotiation.choose(headers.get_all(ACCEPT_ENCODING)) {
            None => "none",
            Some(Chosen { encoding: None }) => "vary",
            Some(Chosen { encoding: Some(encoding) }) => encoding.name(),
        }
    }

    fn check(fields: &[&str], expected: &str) {
        assert_eq!(told(&["gzip", "br", "zstd"], "", fields), expected, "{fields:?}");
    }

    #[test]
    fn the_heaviest_wins_and_then_the_users_order() {
        check(&["br, gzip, zstd"], "gzip");
        check(&["br;q=0.9, gzip;q=0.8"], "br");
        check(&["gzip;q=0, br;q=0.5, zstd;q=0.4"], "br");
        check(&["gzip; q=0.5 , br;q=0.5"], "gzip");
        check(&["deflate", "zstd"], "zstd");
        assert_eq!(told(&["zstd", "br"], "", &["br, gzip, zstd"]), "zstd");
    }

    #[test]
    fn identity_and_unknown_codings_leave_the_response_alone() {
        check(&[], "none");
        check(&[""], "none");
        check(&["deflate"], "none");
        check(&["identity, br;q=0.9"], "none");
        check(&["identity;q=0.5, br"], "br");
        check(&["gzip;q=junk"], "none");
        check(&["GZIP"], "none");
    }

    #[test]
    fn the_wildcard_takes_the_default_or_the_first() {
        check(&["*"], "vary");
        check(&["*, gzip"], "gzip");
        assert_eq!(told(&["br", "gzip"], "", &["*"]), "br");
        assert_eq!(told(&["br", "zstd"], "zstd", &["*;q=0.1"]), "zstd");
    }

    #[test]
    fn the_default_is_for_those_who_do_not_negotiate() {
        assert_eq!(told(&["gzip", "br"], "br", &[]), "br");
        assert_eq!(told(&["gzip", "br"], "gzip", &[]), "vary");
        assert_eq!(told(&["gzip", "br"], "br", &[""]), "none");
    }

    #[test]
    fn gzip_must_stand_in_the_first_field() {
        check(&["deflate", "gzip"], "vary");
    }

    fn check_error(encodings: &[&str], default: &str, expected: &str) {
        let encodings: Vec<String> = encodings.iter().map(|name| (*name).to_owned()).collect();
        assert_eq!(Negotiation::new(&encodings, default).err().as_deref(), Some(expected));
    }

    #[test]
    fn broken_settings_are_refused_with_traefiks_words() {
        check_error(&[], "", "at least one encoding must be specified");
        check_error(&["gzip", "foo"], "", "unsupported encoding: foo");
        check_error(&["gzip"], "br", "unsupported default encoding: br");
    }
}
