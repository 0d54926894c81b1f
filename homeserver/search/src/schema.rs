//! The index's fields, and an event as a document of it.

use orvale_rooms::StoredEvent;
use ruma::UserId;
use serde::de::IgnoredAny;
use tantivy::{
    TantivyDocument, Term,
    schema::{FAST, Field, INDEXED, IndexRecordOption, Schema, TextFieldIndexing, TextOptions},
    tokenizer::{PreTokenizedString, Token},
};

use crate::{
    text::{Text, carried},
    words::{Kind, stem, words},
};

/// The form of the index. Another one than that of an index on disk, and that index is begun anew: to be raised with the
/// fields here, the words, and what counts as text.
pub(crate) const VERSION: u32 = 2;

pub(crate) const EVENT: &str = "event";
pub(crate) const ROOM: &str = "room";
pub(crate) const SAID_BY: &str = "said_by";
pub(crate) const SENDER: &str = "sender";

/// The fields of a document.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Fields {
    /// The words.
    pub(crate) words: Field,
    /// The stems of words that are not their own stem.
    pub(crate) stems: Field,
    /// The event's number: what is found.
    pub(crate) event: Field,
    /// The number of the event that says the text: the event, or its edit.
    pub(crate) said_by: Field,
    /// The room's number.
    pub(crate) room: Field,
    /// The sender's [hash](hash).
    pub(crate) sender: Field,
    /// Which text it is.
    pub(crate) key: Field,
    /// The event's type.
    pub(crate) kind: Field,
    /// Whether the content has a `url`.
    pub(crate) url: Field,
    /// When it was sent, as its sender says.
    pub(crate) time: Field,
    /// What it carries: [`crate::Has`].
    pub(crate) has: Field,
}

/// The schema, and its fields.
pub(crate) fn schema() -> (Schema, Fields) {
    let mut builder = Schema::builder();
    // Texts come as words already, so their tokenizer is never asked.
    let text = |record| {
        TextOptions::default().set_indexing_options(
            TextFieldIndexing::default()
                .set_tokenizer("raw")
                .set_index_option(record),
        )
    };
    let exact = || {
        TextOptions::default().set_indexing_options(
            TextFieldIndexing::default()
                .set_tokenizer("raw")
                .set_fieldnorms(false)
                .set_index_option(IndexRecordOption::Basic),
        )
    };
    let fields = Fields {
        words: builder.add_text_field("words", text(IndexRecordOption::WithFreqsAndPositions)),
        stems: builder.add_text_field("stems", text(IndexRecordOption::WithFreqs)),
        event: builder.add_u64_field(EVENT, INDEXED | FAST),
        said_by: builder.add_u64_field(SAID_BY, INDEXED | FAST),
        room: builder.add_u64_field(ROOM, INDEXED | FAST),
        sender: builder.add_u64_field(SENDER, INDEXED | FAST),
        key: builder.add_text_field("key", exact()),
        kind: builder.add_text_field("kind", exact()),
        url: builder.add_u64_field("url", INDEXED),
        time: builder.add_u64_field("time", INDEXED),
        has: builder.add_text_field("has", exact()),
    };
    (builder.build(), fields)
}

impl Fields {
    /// An event that is found by a text, as a document.
    pub(crate) fn document(&self, event: &StoredEvent, text: &Text) -> TantivyDocument {
        let mut document = TantivyDocument::default();
        let words = words(&text.text);
        let stems = words.iter().filter(|word| word.kind == Kind::Word);
        let stems = stems.map(|word| (word.position, &word.text, stem(&word.text)));
        let stems = stems
            .filter(|(_, word, stem)| word != stem)
            .map(|(position, _, stem)| (position, stem.to_owned()))
            .collect();
        document.add_pre_tokenized_text(self.stems, tokens(stems));
        let words = words.into_iter().map(|word| (word.position, word.text));
        document.add_pre_tokenized_text(self.words, tokens(words.collect()));
        document.add_u64(self.event, event.position.0);
        document.add_u64(self.said_by, text.said_by.0);
        document.add_u64(self.room, event.room.0);
        document.add_u64(self.sender, hash(&event.pdu.sender));
        document.add_text(self.key, text.key.as_str());
        document.add_text(self.kind, event.pdu.kind.to_string());
        let has_url = event.pdu.content_field::<IgnoredAny>("url").is_some();
        document.add_u64(self.url, has_url.into());
        document.add_u64(self.time, event.pdu.origin_server_ts.get().into());
        for has in carried(event, text) {
            document.add_text(self.has, has.as_str());
        }
        document
    }

    /// What finds an event by its number.
    pub(crate) fn event_term(&self, event: u64) -> Term {
        Term::from_field_u64(self.event, event)
    }
}

fn tokens(words: Vec<(usize, String)>) -> PreTokenizedString {
    let token = |(position, text)| Token {
        position,
        text,
        ..Token::default()
    };
    PreTokenizedString {
        text: String::new(),
        tokens: words.into_iter().map(token).collect(),
    }
}

/// A number for a user, the same for ever (FNV-1a).
pub(crate) fn hash(user: &UserId) -> u64 {
    let step = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    user.as_str().bytes().fold(0xcbf2_9ce4_8422_2325, step)
}
