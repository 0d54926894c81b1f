//! A text as words.
//!
//! A word is a run of letters and digits, in small letters and without accents ("Häuser" is "hauser"). Scripts that write
//! without spaces (Chinese, Japanese, Korean, Thai, …) are taken in pairs of neighbouring characters, the last character of a
//! run once more alone: two or more characters are then found wherever they stand side by side, and a single one by what starts
//! with it. An emoji is a word. A word also has a stem, cut by what German and English words most often end in; which language
//! a message is in need not be known.

use tantivy::tokenizer::{
    AsciiFoldingFilter, LowerCaser, TextAnalyzer, Token, TokenStream, Tokenizer,
};

/// Longer words (encoded data, mostly) are not searched for.
const MAX_WORD_BYTES: usize = 80;

/// Stems are not cut shorter.
const MIN_STEM: usize = 4;

/// A word of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Word {
    /// As it is searched for.
    pub(crate) text: String,
    /// Where it stands among the words.
    pub(crate) position: usize,
    /// Its bytes in the text.
    pub(crate) from: usize,
    pub(crate) to: usize,
    pub(crate) kind: Kind,
}

/// What a word is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Letters and digits; or an emoji.
    Word,
    /// Two neighbours in a script without spaces.
    Pair,
    /// The last character of a run of these.
    Last,
    /// A run of just one.
    Single,
}

/// The words of a text.
pub(crate) fn words(text: &str) -> Vec<Word> {
    let mut analyzer = TextAnalyzer::builder(Splitter::default())
        .filter(LowerCaser)
        .filter(AsciiFoldingFilter)
        .build();
    let mut stream = analyzer.token_stream(text);
    let mut words: Vec<Word> = Vec::new();
    while let Some(token) = stream.next() {
        if token.text.is_empty() || token.text.len() > MAX_WORD_BYTES {
            continue;
        }
        // The splitter says the kind by the length, which nothing else uses.
        let kind = match token.position_length {
            PAIR => Kind::Pair,
            LAST => Kind::Last,
            SINGLE => Kind::Single,
            _ => Kind::Word,
        };
        words.push(Word {
            text: token.text.clone(),
            position: token.position,
            from: token.offset_from,
            to: token.offset_to,
            kind,
        });
    }
    words
}

const PAIR: usize = 2;
const LAST: usize = 3;
const SINGLE: usize = 4;

/// What a word begins with in all its forms, roughly.
pub(crate) fn stem(word: &str) -> &str {
    let mut stem = word;
    for endings in [
        &["s", "n"][..],
        &["ing", "ern", "ed", "er", "em", "es", "en"],
        &["e"],
    ] {
        for ending in endings {
            if let Some(shorter) = stem.strip_suffix(ending)
                && shorter.len() >= MIN_STEM
                && shorter.is_ascii()
                && shorter.bytes().all(|byte| byte.is_ascii_alphabetic())
            {
                stem = shorter;
                break;
            }
        }
    }
    stem
}

/// Splits a text, before letters are folded.
#[derive(Clone, Default)]
struct Splitter {
    tokens: Vec<Token>,
    at: usize,
}

struct Split<'a>(&'a mut Splitter);

impl Tokenizer for Splitter {
    type TokenStream<'a> = Split<'a>;

    fn token_stream<'a>(&'a mut self, text: &'a str) -> Split<'a> {
        self.tokens.clear();
        self.at = 0;
        split(text, &mut self.tokens);
        Split(self)
    }
}

impl TokenStream for Split<'_> {
    fn advance(&mut self) -> bool {
        self.0.at += 1;
        self.0.at <= self.0.tokens.len()
    }

    fn token(&self) -> &Token {
        &self.0.tokens[self.0.at - 1]
    }

    fn token_mut(&mut self) -> &mut Token {
        &mut self.0.tokens[self.0.at - 1]
    }
}

fn split(text: &str, tokens: &mut Vec<Token>) {
    let mut characters = text.char_indices().peekable();
    while let Some((from, first)) = characters.next() {
        if is_dense(first) {
            let mut run = vec![(from, first)];
            while let Some(next) = characters.next_if(|(_, c)| is_dense(*c)) {
                run.push(next);
            }
            push_run(&run, tokens);
        } else if is_emoji(first) {
            push(
                tokens,
                first.to_string(),
                (from, from + first.len_utf8()),
                1,
            );
        } else if first.is_alphanumeric() {
            let mut word = String::from(first);
            let mut to = from + first.len_utf8();
            while let Some((at, c)) = characters.next_if(|(_, c)| is_in_word(*c)) {
                to = at + c.len_utf8();
                if c.is_alphanumeric() {
                    word.push(c);
                }
            }
            push(tokens, word, (from, to), 1);
        }
    }
}

fn push_run(run: &[(usize, char)], tokens: &mut Vec<Token>) {
    for pair in run.windows(2) {
        let text = pair.iter().map(|(_, c)| *c).collect();
        let to = pair[1].0 + pair[1].1.len_utf8();
        push(tokens, text, (pair[0].0, to), PAIR);
    }
    if let Some((from, last)) = run.last() {
        let kind = if run.len() == 1 { SINGLE } else { LAST };
        push(
            tokens,
            last.to_string(),
            (*from, from + last.len_utf8()),
            kind,
        );
    }
}

fn push(tokens: &mut Vec<Token>, text: String, (from, to): (usize, usize), kind: usize) {
    tokens.push(Token {
        offset_from: from,
        offset_to: to,
        position: tokens.len(),
        text,
        position_length: kind,
    });
}

/// Letters, digits, accents that stand after their letter, and the apostrophe of "don't".
fn is_in_word(c: char) -> bool {
    c.is_alphanumeric() && !is_dense(c) || matches!(c, '\u{300}'..='\u{36f}' | '\'' | '\u{2019}')
}

/// Whether a script writes its words without spaces between them (or, as Korean, with endings that grow onto them).
fn is_dense(c: char) -> bool {
    match c {
        '\u{e31}' | '\u{e34}'..='\u{e3a}' | '\u{e47}'..='\u{e4e}' => true,
        '\u{e00}'..='\u{eff}'
        | '\u{1000}'..='\u{109f}'
        | '\u{1100}'..='\u{11ff}'
        | '\u{1780}'..='\u{17ff}'
        | '\u{2e80}'..='\u{9fff}'
        | '\u{ac00}'..='\u{d7ff}'
        | '\u{f900}'..='\u{faff}'
        | '\u{ff66}'..='\u{ffdc}'
        | '\u{20000}'..='\u{3ffff}' => c.is_alphanumeric(),
        _ => false,
    }
}

fn is_emoji(c: char) -> bool {
    matches!(c, '\u{1f000}'..='\u{1faff}' | '\u{2600}'..='\u{27bf}')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(text: &str) -> Vec<String> {
        words(text).into_iter().map(|word| word.text).collect()
    }

    #[test]
    fn words_are_folded_runs_of_letters_and_digits() {
        for (text, found) in [
            ("Hello, happy tax payer!", "hello happy tax payer"),
            ("Die Häuser der Straße", "die hauser der strasse"),
            ("Cafe\u{301} naïve ﬁn", "cafe naive fin"),
            ("don't example.org a_b", "dont example org a b"),
            ("2024-11-22 v1.15 🎉🎉", "2024 11 22 v1 15 🎉 🎉"),
            ("東京都に住む", "東京 京都 都に に住 住む む"),
            ("中 go東京", "中 go 東京 京"),
            ("한국어", "한국 국어 어"),
            ("Привет МИР", "привет мир"),
            (" ?! … ", ""),
        ] {
            assert_eq!(texts(text).join(" "), found, "{text}");
        }
        assert!(texts(&"x".repeat(100)).is_empty());
    }

    #[test]
    fn words_know_where_they_stood() {
        let text = "Ein Café, 東京!";
        let found: Vec<_> = words(text)
            .iter()
            .map(|word| (&text[word.from..word.to], word.position, word.kind))
            .collect();
        let expected = [
            ("Ein", 0, Kind::Word),
            ("Café", 1, Kind::Word),
            ("東京", 2, Kind::Pair),
            ("京", 3, Kind::Last),
        ];
        assert_eq!(found, expected);
    }

    #[test]
    fn forms_of_a_word_share_their_stem() {
        for forms in [
            &["message", "messages"][..],
            &["haus", "hauser", "hauses", "hausern"],
            &["meeting", "meetings", "meet"],
            &["rechnung", "rechnungen"],
            &["house", "houses"],
        ] {
            let stems: Vec<_> = forms.iter().map(|form| stem(form)).collect();
            assert!(stems.iter().all(|stem| *stem == stems[0]), "{stems:?}");
        }
        for word in ["gas", "v1", "2024s", "東京"] {
            assert_eq!(stem(word), word);
        }
    }
}
