//! The nearest known name for one that is not known.

/// Finds the candidate most like `word`, without regard to case, if any is near enough to be what
/// was meant: one edit for short words, up to three for long ones.
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let word: Vec<char> = word.to_lowercase().chars().collect();
    if word.is_empty() || word.len() > WORD_LENGTH_MAX {
        return None;
    }
    let threshold = (word.len() / 3).clamp(1, 3);
    let mut best: Option<(usize, &str)> = None;
    for candidate in candidates {
        let letters: Vec<char> = candidate.to_lowercase().chars().collect();
        if letters.len().abs_diff(word.len()) > threshold {
            continue;
        }
        let edits = distance(&word, &letters);
        // An edit of every letter is another word.
        let is_near = edits <= threshold && edits < word.len();
        if is_near && best.is_none_or(|(fewest, _)| edits < fewest) {
            best = Some((edits, candidate));
        }
    }
    best.map(|(_, candidate)| candidate)
}

/// The Damerau-Levenshtein distance in its optimal string alignment form: insertions, deletions,
/// substitutions and swaps of neighbours.
fn distance(left: &[char], right: &[char]) -> usize {
    let mut before_previous = vec![0; right.len() + 1];
    let mut previous: Vec<usize> = (0..=right.len()).collect();
    for (i, &a) in left.iter().enumerate() {
        let mut current = vec![i + 1; right.len() + 1];
        for (j, &b) in right.iter().enumerate() {
            let substitution = previous[j] + usize::from(a != b);
            let mut edits = substitution.min(previous[j + 1] + 1).min(current[j] + 1);
            if i > 0 && j > 0 && a == right[j - 1] && left[i - 1] == b {
                edits = edits.min(before_previous[j - 1] + 1);
            }
            current[j + 1] = edits;
        }
        before_previous = std::mem::replace(&mut previous, current);
    }
    previous[right.len()]
}

/// Longer words are no misspelt keys, and comparing them takes time.
const WORD_LENGTH_MAX: usize = 80;

#[cfg(test)]
mod tests {
    use super::*;

    fn check(word: &str, expected: Option<&str>) {
        let known =
            ["rule", "service", "middlewares", "entryPoints", "tls", "priority", "loadBalancer"];
        assert_eq!(nearest(word, known), expected, "word {word:?}");
    }

    #[test]
    fn small_slips_are_understood() {
        check("rul", Some("rule"));
        check("RULE", Some("rule"));
        check("sevrice", Some("service"));
        check("entrypoint", Some("entryPoints"));
        check("entry_points", Some("entryPoints"));
        check("loadbalancers", Some("loadBalancer"));
        check("tsl", Some("tls"));
    }

    #[test]
    fn other_words_have_no_neighbour() {
        check("compress", None);
        check("x", None);
        check("", None);
        check(&"a".repeat(5000), None);
    }
}
