//! Glob patterns of push rules and filters: `*` for any characters, `?` for one.
//!
//! Patterns come from users and are matched against what other users write, so matching never backtracks: a pattern is
//! cut at its stars, and each piece is taken at its first place after the one before. What a piece with `?` may cost beyond that is
//! bounded by [`STEPS`]; no pattern that people write comes near it. What all patterns of a user cost together is bounded by the
//! [`Work`] that is given.

use super::work::Work;

/// How many comparisons beyond four a character one match may take.
const STEPS: usize = 1 << 16;

/// Whether a pattern matches the whole of a text, without regard to case.
pub(crate) fn matches(pattern: &str, text: &str, work: &Work) -> bool {
    if !pattern.contains(['*', '?']) {
        return same(pattern, text);
    }
    if work.spend(pattern.len() + text.len()).is_none() {
        return false;
    }
    let (pattern, text) = (pattern.to_lowercase(), text.to_lowercase());
    let mut search = Search::new(&text, work);
    let mut pieces = pattern.split('*');
    let first = pieces.next().unwrap_or_default();
    let Some(mut at) = search.starts(first, 0) else {
        return false;
    };
    let mut rest: Vec<&str> = pieces.collect();
    let Some(last) = rest.pop() else {
        return at == text.len();
    };
    for piece in rest {
        match search.find(piece, at) {
            Some((_, end)) => at = end,
            None => return false,
        }
    }
    // The last piece ends where the text does.
    let from = text.char_indices().rev().map(|(at, _)| at).chain([0]);
    let length = last.chars().count();
    let start = if length == 0 {
        Some(text.len())
    } else {
        from.take(text.chars().count()).nth(length - 1)
    };
    start.is_some_and(|start| start >= at && search.starts(last, start) == Some(text.len()))
}

/// Whether a pattern in which only stars have a meaning matches an event type.
pub(crate) fn matches_type(pattern: &str, kind: &str) -> bool {
    let mut pieces = pattern.split('*');
    let Some(mut rest) = kind.strip_prefix(pieces.next().unwrap_or_default()) else {
        return false;
    };
    let pieces: Vec<&str> = pieces.collect();
    let Some((last, middle)) = pieces.split_last() else {
        return rest.is_empty();
    };
    for piece in middle {
        match rest.find(piece) {
            Some(at) => rest = &rest[at + piece.len()..],
            None => return false,
        }
    }
    rest.ends_with(last)
}

/// Whether a pattern matches a part of a text that starts and ends at a word's boundary. `text` is in lower case.
pub(crate) fn matches_words(pattern: &str, text: &str, work: &Work) -> bool {
    if pattern.is_empty() || work.spend(pattern.len()).is_none() {
        return false;
    }
    let pattern = pattern.to_lowercase();
    let mut search = Search::new(text, work);
    let mut pieces = pattern.split('*');
    let first = pieces.next().unwrap_or_default();
    let rest: Vec<&str> = pieces.collect();
    let mut from = 0;
    // The first place at which the first piece starts a word leaves most for the others; without others, its end counts too.
    let mut at = loop {
        if first.is_empty() {
            break 0;
        }
        let Some((start, end)) = search.find(first, from) else {
            return false;
        };
        if boundary(text, start) && (!rest.is_empty() || boundary(text, end)) {
            break end;
        }
        from = next_char(text, start);
    };
    let Some((last, middle)) = rest.split_last() else {
        return true;
    };
    for piece in middle {
        match search.find(piece, at) {
            Some((_, end)) => at = end,
            None => return false,
        }
    }
    if last.is_empty() {
        return true;
    }
    while let Some((start, end)) = search.find(last, at) {
        if boundary(text, end) {
            return true;
        }
        at = next_char(text, start);
    }
    false
}

/// Whether two texts are the same but for case.
fn same(a: &str, b: &str) -> bool {
    a.eq_ignore_ascii_case(b)
        || !(a.is_ascii() && b.is_ascii()) && a.to_lowercase() == b.to_lowercase()
}

/// Whether a word may start or end here: not between two characters of a word.
fn boundary(text: &str, at: usize) -> bool {
    let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let before = text[..at].chars().next_back().is_some_and(word);
    let after = text[at..].chars().next().is_some_and(word);
    !(before && after)
}

fn next_char(text: &str, at: usize) -> usize {
    at + text[at..].chars().next().map_or(1, char::len_utf8)
}

/// A search for pieces without stars in a text.
struct Search<'a> {
    text: &'a str,
    steps: usize,
    work: &'a Work,
}

impl<'a> Search<'a> {
    fn new(text: &'a str, work: &'a Work) -> Self {
        Self {
            text,
            steps: STEPS + 4 * text.len(),
            work,
        }
    }

    fn step(&mut self, steps: usize) -> Option<()> {
        self.steps = self.steps.checked_sub(steps)?;
        self.work.spend(steps)
    }

    /// Where a piece that starts here ends.
    fn starts(&mut self, piece: &str, at: usize) -> Option<usize> {
        let mut chars = self.text.get(at..)?.char_indices();
        for wanted in piece.chars() {
            self.step(1)?;
            let (_, found) = chars.next()?;
            if wanted != '?' && wanted != found {
                return None;
            }
        }
        Some(at + chars.offset())
    }

    /// The first place of a piece from here on: where it starts and ends.
    fn find(&mut self, piece: &str, from: usize) -> Option<(usize, usize)> {
        let text = self.text.get(from..)?;
        if !piece.contains('?') {
            self.step(piece.len())?;
            let found = text.find(piece);
            // A search without `?` passes over many characters in the time of one comparison.
            self.work.spend(found.unwrap_or(text.len()) / 8)?;
            return found.map(|at| (from + at, from + at + piece.len()));
        }
        let starts = text.char_indices().map(|(at, _)| from + at);
        for start in starts {
            if let Some(end) = self.starts(piece, start) {
                return Some((start, end));
            }
            if self.steps == 0 {
                return None;
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use proptest::prelude::*;

    use super::*;

    fn matches(pattern: &str, text: &str) -> bool {
        super::matches(pattern, text, &Work::for_event())
    }

    fn matches_words(pattern: &str, text: &str) -> bool {
        super::matches_words(pattern, text, &Work::for_event())
    }

    /// The definition, by trying everything.
    fn model(pattern: &[char], text: &[char]) -> bool {
        match (pattern.split_first(), text.split_first()) {
            (None, None) => true,
            (Some(('*', rest)), _) => {
                model(rest, text) || !text.is_empty() && model(pattern, &text[1..])
            }
            (Some((p, rest)), Some((t, more))) => (*p == '?' || p == t) && model(rest, more),
            _ => false,
        }
    }

    fn model_words(pattern: &str, text: &str) -> bool {
        let chars: Vec<char> = text.chars().collect();
        let pattern: Vec<char> = pattern.chars().collect();
        let word = |at: usize| {
            chars
                .get(at)
                .is_some_and(|c| c.is_ascii_alphanumeric() || *c == '_')
        };
        let edge = |at: usize| at == 0 || at == chars.len() || !(word(at - 1) && word(at));
        !pattern.is_empty()
            && (0..=chars.len()).any(|from| {
                edge(from)
                    && (from..=chars.len()).any(|to| edge(to) && model(&pattern, &chars[from..to]))
            })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]

        #[test]
        fn a_pattern_matches_as_defined(pattern in "[aä*?_]{0,6}", text in "[aäb_]{0,8}") {
            let chars = |text: &str| text.chars().collect::<Vec<_>>();
            prop_assert_eq!(matches(&pattern, &text), model(&chars(&pattern), &chars(&text)));
        }

        #[test]
        fn a_pattern_matches_words_as_defined(pattern in "[aä *?]{0,5}", text in "[aäb ]{0,8}") {
            // Where the match is empty the definition has nothing to hold on to.
            prop_assume!(pattern.chars().any(|c| c != '*'));
            prop_assert_eq!(matches_words(&pattern, &text), model_words(&pattern, &text));
        }
    }

    #[test]
    fn examples_of_the_specification_hold() {
        assert!(matches("lunc?*", "Lunch plans") && matches("lunc?*", "LUNCH"));
        assert!(!matches("lunc?*", " lunch") && !matches("lunc?*", "lunc"));
        assert!(matches_words("ex*ple", "an example event.") && matches_words("ex*ple", "exple"));
        assert!(matches_words("ex*ple", "an exciting triple-whammy"));
        assert!(matches_words("alice", "hi alice!") && !matches_words("alice", "malice"));
        assert!(matches_words("@room", "hello @room"));
    }

    #[test]
    fn many_patterns_cost_no_more_than_is_given() {
        let text = "a".repeat(60_000);
        let work = Work::for_event();
        let start = Instant::now();
        for _ in 0..10_000 {
            assert!(!super::matches_words(&"?b".repeat(20), &text, &work));
            assert!(!super::matches("*b", &text, &work));
        }
        assert!(
            start.elapsed() < Duration::from_secs(2),
            "{:?}",
            start.elapsed()
        );
        // What has no wildcards costs nothing worth counting.
        assert!(super::matches("m.room.message", "m.room.message", &work));
    }

    #[test]
    fn hostile_patterns_take_no_time() {
        let text = "a".repeat(60_000);
        let start = Instant::now();
        for pattern in [
            "*a?".repeat(10_000) + "b",
            "?".repeat(30_000) + "b",
            "a?".repeat(9_000) + "*b",
            "a*".repeat(20_000) + "b",
        ] {
            assert!(!matches_words(&pattern, &text));
            let _ = matches(&pattern, &text);
        }
        assert!(
            start.elapsed() < Duration::from_secs(2),
            "{:?}",
            start.elapsed()
        );
    }
}
