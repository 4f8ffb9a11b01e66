//! Media types as Go's `mime.ParseMediaType` reads them, without their parameters.

/// Gives type and subtype as written, `None` when it is no media type.
pub(super) fn essence(text: &str) -> Option<&str> {
    read(text).ok()
}

/// Reads a user's list.
///
/// # Errors
/// With Traefik's words.
pub(super) fn read_list(texts: &[String], kind: &str) -> Result<Vec<String>, String> {
    texts
        .iter()
        .map(|text| match read(text) {
            Ok(essence) => Ok(essence.to_owned()),
            Err(error) => Err(format!("parsing {kind} media type: mime: {error}")),
        })
        .collect()
}

fn read(text: &str) -> Result<&str, &'static str> {
    let essence = text.split(';').next().unwrap_or_default().trim();
    let is_token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    let token_length = |text: &str| text.bytes().take_while(|byte| is_token(*byte)).count();
    let (kind, rest) = essence.split_at(token_length(essence));
    if kind.is_empty() {
        return Err("no media type");
    }
    if rest.is_empty() {
        return Ok(essence);
    }
    let Some(rest) = rest.strip_prefix('/') else {
        return Err("expected slash after first token");
    };
    match token_length(rest) {
        0 => Err("expected token after slash"),
        length if length < rest.len() => Err("unexpected content after media subtype"),
        _ => Ok(essence),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: Result<&str, &str>) {
        assert_eq!(read(text), expected);
    }

    #[test]
    fn types_are_read_without_their_parameters() {
        check(" Text/HTML ; charset=utf-8", Ok("Text/HTML"));
        check("inline", Ok("inline"));
        check("", Err("no media type"));
        check("a b", Err("expected slash after first token"));
        check("a/", Err("expected token after slash"));
        check("a/b c", Err("unexpected content after media subtype"));
    }
}
