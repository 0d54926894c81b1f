//! What is asked, as a query of the index.

use std::{collections::BTreeSet, ops::Bound};

use tantivy::{
    Term,
    query::{
        AllQuery, BooleanQuery, BoostQuery, ConstScoreQuery, DisjunctionMaxQuery,
        InvertedIndexRangeQuery, Occur, PhraseQuery, Query, TermQuery,
    },
    schema::IndexRecordOption,
};

use crate::{
    schema::Fields,
    words::{Kind, Word, stem, words},
};

/// More words are not looked for.
const MAX_PIECES: usize = 32;

/// Words from this length on also find what begins with them.
const MIN_PREFIX: usize = 2;

/// What the stem counts beside the word itself, and what a word counts that merely begins alike.
const STEM_BOOST: f32 = 0.5;
const PREFIX_SCORE: f32 = 0.3;

/// What a text must have to be found: all of these.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Asked(Vec<Piece>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    /// A word, one of its forms, or a word that begins with it.
    Word(String),
    /// A character of a script without spaces.
    Character(String),
    /// Words that stand side by side like this.
    Phrase(Vec<(usize, String)>),
}

impl Asked {
    /// What somebody typed: words, and phrases between double quotes. `None` if there is nothing to look for in it.
    pub(crate) fn parse(term: &str) -> Option<Self> {
        let mut pieces = Vec::new();
        for (n, part) in term
            .split(['"', '\u{201c}', '\u{201d}', '\u{201e}'])
            .enumerate()
        {
            let words = words(part);
            // An opening quote without an end is one that is still being typed.
            if n % 2 == 1 {
                pieces.extend(phrase(words.iter().filter(|word| word.kind != Kind::Last)));
            } else {
                pieces.extend(loose(&words));
            }
        }
        pieces.truncate(MAX_PIECES);
        (!pieces.is_empty()).then_some(Self(pieces))
    }

    /// Whatever is said.
    pub(crate) const fn anything() -> Self {
        Self(Vec::new())
    }

    /// As a query.
    pub(crate) fn query(&self, fields: &Fields) -> Box<dyn Query> {
        let pieces = self.0.iter().map(|piece| match piece {
            Piece::Word(word) => any_form(fields, word),
            Piece::Character(character) => best(vec![
                exactly(fields, character),
                beginning(fields, character),
            ]),
            Piece::Phrase(words) => {
                let term = |(at, word): &(usize, String)| (*at, term(fields, word));
                Box::new(PhraseQuery::new_with_offset(
                    words.iter().map(term).collect(),
                ))
            }
        });
        let mut pieces: Vec<_> = pieces.map(|piece| (Occur::Must, piece)).collect();
        match pieces.len() {
            0 => Box::new(AllQuery),
            1 => pieces.remove(0).1,
            _ => Box::new(BooleanQuery::new(pieces)),
        }
    }

    /// Adds the words of a text by which it was found, as they stand there, in small letters.
    pub(crate) fn highlight(&self, text: &str, found: &mut BTreeSet<String>) {
        let words = words(text);
        let mut add = |from: usize, to: usize| found.insert(text[from..to].to_lowercase());
        for piece in &self.0 {
            match piece {
                Piece::Word(wanted) => {
                    for word in words.iter().filter(|word| is_form(&word.text, wanted)) {
                        add(word.from, word.to);
                    }
                }
                Piece::Character(wanted) => {
                    let word = words.iter().find(|word| word.text.starts_with(wanted));
                    if let Some(word) = word {
                        let first = text[word.from..].chars().next();
                        add(word.from, word.from + first.map_or(0, char::len_utf8));
                    }
                }
                Piece::Phrase(wanted) => {
                    let place = (0..words.len()).find(|start| stands_at(&words, *start, wanted));
                    if let (Some(start), Some((first, _)), Some((last, _))) =
                        (place, wanted.first(), wanted.last())
                    {
                        add(words[start].from, words[start + last - first].to);
                    }
                }
            }
        }
    }
}

/// Words each for itself; runs of pairs together.
fn loose(words: &[Word]) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut run = Vec::new();
    for word in words {
        match word.kind {
            Kind::Word => pieces.push(Piece::Word(word.text.clone())),
            Kind::Single => pieces.push(Piece::Character(word.text.clone())),
            Kind::Pair => run.push(word),
            Kind::Last => pieces.extend(phrase(std::mem::take(&mut run))),
        }
    }
    pieces
}

fn phrase<'a>(words: impl IntoIterator<Item = &'a Word>) -> Option<Piece> {
    let words: Vec<_> = words.into_iter().collect();
    Some(match words[..] {
        [] => return None,
        [word] if word.kind == Kind::Word => Piece::Word(word.text.clone()),
        [word] => Piece::Character(word.text.clone()),
        _ => {
            let words = words.iter().map(|word| (word.position, word.text.clone()));
            Piece::Phrase(words.collect())
        }
    })
}

fn stands_at(words: &[Word], start: usize, wanted: &[(usize, String)]) -> bool {
    let offset = wanted.first().map_or(0, |(at, _)| *at);
    wanted.iter().all(|(at, text)| {
        let word = words.get(start + at - offset);
        word.is_some_and(|word| word.text == *text)
    })
}

/// Whether a word is found by another one.
fn is_form(word: &str, wanted: &str) -> bool {
    let is_longer = wanted.len() >= MIN_PREFIX && word.starts_with(wanted);
    word == wanted || is_longer || stem(word) == stem(wanted)
}

fn any_form(fields: &Fields, word: &str) -> Box<dyn Query> {
    let stem = stem(word);
    let stemmed = Term::from_field_text(fields.stems, stem);
    let stemmed = TermQuery::new(stemmed, IndexRecordOption::WithFreqs);
    let mut forms = vec![
        exactly(fields, word),
        Box::new(BoostQuery::new(Box::new(stemmed), STEM_BOOST)) as Box<dyn Query>,
    ];
    if stem != word {
        forms.push(Box::new(BoostQuery::new(exactly(fields, stem), STEM_BOOST)));
    }
    if word.len() >= MIN_PREFIX {
        forms.push(beginning(fields, word));
    }
    best(forms)
}

fn term(fields: &Fields, word: &str) -> Term {
    Term::from_field_text(fields.words, word)
}

fn exactly(fields: &Fields, word: &str) -> Box<dyn Query> {
    let record = IndexRecordOption::WithFreqs;
    Box::new(TermQuery::new(term(fields, word), record))
}

/// Everything that begins with a word.
fn beginning(fields: &Fields, word: &str) -> Box<dyn Query> {
    let from = Bound::Included(term(fields, word));
    let to = Bound::Excluded(term(fields, &format!("{word}\u{10ffff}")));
    let range = InvertedIndexRangeQuery::new(from, to);
    Box::new(ConstScoreQuery::new(Box::new(range), PREFIX_SCORE))
}

fn best(queries: Vec<Box<dyn Query>>) -> Box<dyn Query> {
    Box::new(DisjunctionMaxQuery::new(queries))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn highlighted(term: &str, text: &str) -> String {
        let mut found = BTreeSet::new();
        Asked::parse(term).unwrap().highlight(text, &mut found);
        found.into_iter().collect::<Vec<_>>().join("|")
    }

    #[test]
    fn what_is_typed_is_words_phrases_and_runs() {
        let pieces = |term: &str| Asked::parse(term).map(|asked| asked.0);
        let word = |text: &str| Piece::Word(text.to_owned());
        assert_eq!(pieces("Tea  pot"), Some(vec![word("tea"), word("pot")]));
        let phrase = |words: &[&str]| {
            let words = words.iter().map(|word| (*word).to_owned());
            Piece::Phrase((0..).zip(words).collect())
        };
        assert_eq!(pieces("\"tea pot"), Some(vec![phrase(&["tea", "pot"])]));
        assert_eq!(pieces("\"tea\" x"), Some(vec![word("tea"), word("x")]));
        assert_eq!(pieces("東京都"), Some(vec![phrase(&["東京", "京都"])]));
        let character = |text: &str| Piece::Character(text.to_owned());
        assert_eq!(pieces("東京"), Some(vec![character("東京")]));
        assert_eq!(pieces("京"), Some(vec![character("京")]));
        assert_eq!(pieces(" ?! \"\""), None);
        assert_eq!(pieces(&"a ".repeat(100)).unwrap().len(), MAX_PIECES);
    }

    #[test]
    fn words_are_highlighted_as_they_stand_in_the_text() {
        for (term, text, found) in [
            (
                "haus",
                "Das Haus, die Häuser und die Hausfrau",
                "haus|hausfrau|häuser",
            ),
            ("messages", "a Message", "message"),
            ("\"tea pot\"", "tea, pot; Tea pot", "tea, pot"),
            ("京", "住む東京", "京"),
            ("東京都", "住む東京都です", "東京都"),
            ("none", "of this", ""),
        ] {
            assert_eq!(highlighted(term, text), found, "{term}");
        }
    }
}
