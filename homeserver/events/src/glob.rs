//! [`Glob`]: the patterns of server ACLs and push rules, matched in time linear in the text.
//!
//! Users of other servers write the patterns and the texts, so a pattern must not be able to make matching slow. All its
//! partial matches are followed at once, one bit each: 64 of them cost one step per character.
//! <https://spec.matrix.org/v1.19/appendices/#glob-style-matching>

/// The longest pattern, in characters. A longer one matches nothing.
pub const MAX_GLOB_CHARACTERS: usize = 1024;

/// A pattern in which `*` stands for any characters and `?` for any one character. Case is ignored.
#[derive(Debug, Clone)]
pub struct Glob(Kind);

#[derive(Debug, Clone)]
enum Kind {
    Never,
    /// Lower case, without wildcards.
    Literal(String),
    Wild(Automaton),
}

impl Glob {
    /// Prepares a pattern.
    pub fn new(pattern: &str) -> Self {
        let pattern = pattern
            .chars()
            .flat_map(char::to_lowercase)
            .collect::<String>();
        Self(if pattern.chars().count() > MAX_GLOB_CHARACTERS {
            Kind::Never
        } else if pattern.contains(['*', '?']) {
            Kind::Wild(Automaton::new(&pattern))
        } else {
            Kind::Literal(pattern)
        })
    }

    /// The whole pattern in lower case, if it has no wildcards.
    pub fn as_literal(&self) -> Option<&str> {
        match &self.0 {
            Kind::Literal(literal) => Some(literal),
            Kind::Never | Kind::Wild(_) => None,
        }
    }

    /// Whether the pattern matches the whole text.
    pub fn matches(&self, text: &str) -> bool {
        match &self.0 {
            Kind::Never => false,
            Kind::Literal(literal) => lower(text).eq(literal.chars()),
            Kind::Wild(automaton) => automaton.matches(lower(text)),
        }
    }

    /// Whether the pattern matches a part of the text that starts and ends at a word boundary: at an end of the text, or next
    /// to a character other than `A`–`Z`, `a`–`z`, `0`–`9` and `_`.
    pub fn matches_words(&self, text: &str) -> bool {
        match &self.0 {
            Kind::Never => false,
            Kind::Literal(literal) => {
                let text = lower(text).collect::<String>();
                find_words(&text, literal)
            }
            Kind::Wild(automaton) => automaton.matches_words(lower(text)),
        }
    }
}

fn lower(text: &str) -> impl Iterator<Item = char> {
    text.chars().flat_map(char::to_lowercase)
}

fn is_word(character: char) -> bool {
    character.is_ascii_alphanumeric() || character == '_'
}

/// Whether a word may start or end between these two characters; `None` is an end of the text.
fn is_boundary(before: Option<char>, after: Option<char>) -> bool {
    !before.is_some_and(is_word) || !after.is_some_and(is_word)
}

fn find_words(text: &str, literal: &str) -> bool {
    text.match_indices(literal).any(|(start, found)| {
        let end = start + found.len();
        let around = |at: usize| (text[..at].chars().next_back(), text[at..].chars().next());
        let (start, end) = (around(start), around(end));
        is_boundary(start.0, start.1) && is_boundary(end.0, end.1)
    })
}

/// A pattern as states: state `n` is reached when its first `n` characters (stars apart) have matched.
#[derive(Debug, Clone)]
struct Automaton {
    /// The characters that occur in it, each with the states it leads to, in their order.
    steps: Vec<(char, Box<[u64]>)>,
    /// The states any other character leads to: those behind a `?`.
    other: Box<[u64]>,
    /// The states with a star behind them, in which any character stays.
    stay: Box<[u64]>,
    /// The last state.
    last: usize,
}

impl Automaton {
    fn new(pattern: &str) -> Self {
        let last = pattern.chars().filter(|&c| c != '*').count();
        let none = vec![0_u64; last / 64 + 1].into_boxed_slice();
        let (mut other, mut stay) = (none.clone(), none);
        let mut state = 0;
        let mut named = Vec::new();
        for character in pattern.chars() {
            if character == '*' {
                set(&mut stay, state);
                continue;
            }
            state += 1;
            match character {
                '?' => set(&mut other, state),
                _ => named.push((character, state)),
            }
        }
        let mut steps = Vec::<(char, Box<[u64]>)>::new();
        for (character, state) in named {
            let place = match steps.binary_search_by_key(&character, |step| step.0) {
                Ok(place) => place,
                Err(place) => {
                    steps.insert(place, (character, other.clone()));
                    place
                }
            };
            set(&mut steps[place].1, state);
        }
        Self {
            steps,
            other,
            stay,
            last,
        }
    }

    fn matches(&self, text: impl Iterator<Item = char>) -> bool {
        let mut reached = vec![0_u64; self.stay.len()];
        set(&mut reached, 0);
        for character in text {
            self.step(&mut reached, character);
            if reached.iter().all(|&word| word == 0) {
                return false;
            }
        }
        has(&reached, self.last)
    }

    fn matches_words(&self, text: impl Iterator<Item = char>) -> bool {
        let mut reached = vec![0_u64; self.stay.len()];
        let mut before = None;
        let mut text = text.peekable();
        loop {
            let after = text.peek().copied();
            if is_boundary(before, after) {
                set(&mut reached, 0);
                if has(&reached, self.last) {
                    return true;
                }
            }
            let Some(character) = text.next() else {
                return false;
            };
            self.step(&mut reached, character);
            before = Some(character);
        }
    }

    fn step(&self, reached: &mut [u64], character: char) {
        let to = match self.steps.binary_search_by_key(&character, |step| step.0) {
            Ok(place) => &self.steps[place].1,
            Err(_) => &self.other,
        };
        let mut carry = 0;
        for (index, word) in reached.iter_mut().enumerate() {
            let onwards = (*word << 1 | carry) & to[index];
            carry = *word >> 63;
            *word = onwards | *word & self.stay[index];
        }
    }
}

fn set(states: &mut [u64], state: usize) {
    states[state / 64] |= 1 << (state % 64);
}

fn has(states: &[u64], state: usize) -> bool {
    states[state / 64] >> (state % 64) & 1 == 1
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn star_stands_for_any_characters_and_question_mark_for_one() {
        let lunch = Glob::new("lunc?*");
        for text in ["lunch plans", "LUNCH", "lunch"] {
            assert!(lunch.matches(text), "{text}");
        }
        for text in [" lunch", "lunc", ""] {
            assert!(!lunch.matches(text), "{text}");
        }
        assert!(Glob::new("*").matches(""));
        assert!(Glob::new("").matches(""));
        assert!(!Glob::new("?").matches(""));
        assert!(Glob::new("*.example.org").matches("a.b.example.ORG"));
        assert!(!Glob::new("*.example.org").matches("example.org"));
    }

    #[test]
    fn words_are_found_between_boundaries() {
        let example = Glob::new("ex*ple");
        assert!(example.matches_words("An example event."));
        assert!(example.matches_words("exciting triple-whammy"));
        assert!(!example.matches_words("examples"));
        assert!(!example.matches_words("counterexample"));
        let alice = Glob::new("Alice");
        for text in ["alice", "hello, ALICE!", "äalice", "alice😀"] {
            assert!(alice.matches_words(text), "{text}");
        }
        for text in ["malice", "alice_", "alices", "ali ce"] {
            assert!(!alice.matches_words(text), "{text}");
        }
        assert!(Glob::new("@room").matches_words("all of you @room: lunch"));
        assert!(Glob::new("aa").matches_words("aaa aa"));
    }

    #[test]
    fn hostile_pattern_and_text_take_little_time() {
        let pattern = "*a".repeat(511) + "b";
        let glob = Glob::new(&pattern);
        let text = "a".repeat(60_000);
        assert!(!glob.matches(&text));
        assert!(!glob.matches_words(&text));
        assert!(!Glob::new(&"*".repeat(MAX_GLOB_CHARACTERS + 1)).matches("a"));
    }

    /// The definition, word for word, in exponential time.
    fn slow(pattern: &[char], text: &[char]) -> bool {
        match pattern.split_first() {
            None => text.is_empty(),
            Some(('*', rest)) => (0..=text.len()).any(|at| slow(rest, &text[at..])),
            Some(('?', rest)) => !text.is_empty() && slow(rest, &text[1..]),
            Some((c, rest)) => text.first() == Some(c) && slow(rest, &text[1..]),
        }
    }

    proptest! {
        #[test]
        fn every_pattern_matches_as_defined(pattern in "[ab_ *?-]{0,8}", text in "[ab_ -]{0,12}") {
            let glob = Glob::new(&pattern);
            let (p, t) = (pattern.chars().collect::<Vec<_>>(), text.chars().collect::<Vec<_>>());
            prop_assert_eq!(glob.matches(&text), slow(&p, &t));
            let boundary = |at: usize| is_boundary(at.checked_sub(1).map(|i| t[i]), t.get(at).copied());
            let words = (0..=t.len()).any(|a| (a..=t.len()).any(|b| boundary(a) && boundary(b) && slow(&p, &t[a..b])));
            prop_assert_eq!(glob.matches_words(&text), words);
        }

        #[test]
        fn long_patterns_match_what_they_were_made_of(parts in proptest::collection::vec("[a-c]{1,30}", 1..9)) {
            prop_assert!(Glob::new(&parts.join("*")).matches(&parts.join("x")));
            prop_assert!(Glob::new(&parts.join("?")).matches(&parts.join("x")));
            prop_assert!(!Glob::new(&parts.join("?")).matches(&parts.join("")) || parts.len() == 1);
        }
    }
}
