//! Lists: searched, filtered, sorted and cut into pages by query parameters, as Traefik's are.

use percent_encoding::percent_decode_str;

/// What a request wants of a list.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Wish {
    search: String,
    status: String,
    /// The service a router leads to.
    pub(crate) service_name: String,
    /// A middleware in a router's chain.
    pub(crate) middleware_name: String,
    /// The column to sort by; names sort what is equal.
    pub(crate) sort_by: String,
    pub(crate) direction: Direction,
    page: String,
    per_page: String,
}

/// The order of a list.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Direction {
    #[default]
    Ascending,
    Descending,
}

/// One page of a list.
#[derive(Debug)]
pub(crate) struct Page<T> {
    pub(crate) items: Vec<T>,
    /// The number of the following page; 1 when there is none.
    pub(crate) next: usize,
}

impl Wish {
    /// Reads a query.
    pub(crate) fn new(query: Option<&str>) -> Self {
        let mut wish = Self::default();
        for pair in query.unwrap_or_default().split('&') {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let slot = match decode(name).as_str() {
                "search" => &mut wish.search,
                "status" => &mut wish.status,
                "serviceName" => &mut wish.service_name,
                "middlewareName" => &mut wish.middleware_name,
                "sortBy" => &mut wish.sort_by,
                "page" => &mut wish.page,
                "per_page" => &mut wish.per_page,
                "direction" => {
                    if decode(value) == "desc" {
                        wish.direction = Direction::Descending;
                    }
                    continue;
                }
                _ => continue,
            };
            // The first of several counts, as with Go's `url.Values.Get`.
            if slot.is_empty() {
                *slot = decode(value);
            }
        }
        wish
    }

    /// Tells whether an object with this status is wanted.
    pub(crate) fn wants_status(&self, status: &str) -> bool {
        self.status.is_empty() || self.status.eq_ignore_ascii_case(status)
    }

    /// Tells whether one of the texts has what is searched for.
    pub(crate) fn finds(&self, texts: &[&str]) -> bool {
        let search = self.search.to_lowercase();
        self.search.is_empty() || texts.iter().any(|text| text.to_lowercase().contains(&search))
    }

    /// Cuts the page out of a sorted list. The error is the message for the client.
    pub(crate) fn page<T>(&self, items: Vec<T>) -> Result<Page<T>, String> {
        let per_page = positive("per_page", &self.per_page, PER_PAGE)?;
        let page = positive("page", &self.page, 1)?;
        let start = (page - 1).saturating_mul(per_page);
        if start != 0 && start >= items.len() {
            return Err(format!("invalid request: page: {page}, per_page: {per_page}"));
        }
        let has_more = page.saturating_mul(per_page) < items.len();
        let next = if has_more { page + 1 } else { 1 };
        Ok(Page { items: items.into_iter().skip(start).take(per_page).collect(), next })
    }
}

/// Reads a number that must be above zero.
fn positive(name: &str, text: &str, default: usize) -> Result<usize, String> {
    if text.is_empty() {
        return Ok(default);
    }
    let value: i64 = text.parse().unwrap_or(0);
    match usize::try_from(value) {
        Ok(value) if value > 0 => Ok(value),
        _ => Err(format!("invalid request: {name}: {value}")),
    }
}

fn decode(text: &str) -> String {
    percent_decode_str(&text.replace('+', " ")).decode_utf8_lossy().into_owned()
}

const PER_PAGE: usize = 100;

#[cfg(test)]
mod tests {
    use super::*;

    /// Expects a page of the numbers 0 to 4.
    fn check(query: &str, expected: Result<(&[usize], usize), &str>) {
        let page = Wish::new(Some(query)).page((0..5).collect());
        let found = page.as_ref().map(|page| (page.items.as_slice(), page.next));
        assert_eq!(found.map_err(String::as_str), expected, "query {query}");
    }

    #[test]
    fn pages_are_cut_and_counted_as_traefik_does() {
        check("", Ok((&[0, 1, 2, 3, 4], 1)));
        check("per_page=2", Ok((&[0, 1], 2)));
        check("per_page=2&page=2", Ok((&[2, 3], 3)));
        check("per_page=2&page=3", Ok((&[4], 1)));
        check("per_page=2&page=4", Err("invalid request: page: 4, per_page: 2"));
        check("page=-1", Err("invalid request: page: -1"));
        check("page=0", Err("invalid request: page: 0"));
        check("per_page=x", Err("invalid request: per_page: 0"));
        check(
            "page=9223372036854775807&per_page=9",
            Err("invalid request: page: 9223372036854775807, per_page: 9"),
        );
    }

    #[test]
    fn queries_are_decoded() {
        let wish =
            Wish::new(Some("search=a%40b+c&status=Enabled&direction=desc&sortBy=x&search=y"));
        assert!(wish.finds(&["zz", "xA@B Cx"]));
        assert!(!wish.finds(&["a@b"]));
        assert!(wish.wants_status("enabled"));
        assert!(!wish.wants_status("warning"));
        assert_eq!((wish.sort_by.as_str(), wish.direction), ("x", Direction::Descending));
    }
}
