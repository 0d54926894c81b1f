//! Finding: messages by their words, people by their names.
//!
//! | file | holds |
//! |---|---|
//! | `words.rs` | a text as words: the same for what is searched and for what is asked |
//! | `text.rs` | what of an event is searched |
//! | `schema.rs` | the index's fields, an event as a document of it |
//! | `index.rs` | [the index](index::Index) on disk: opened, or begun anew where it cannot be |
//! | `writer.rs` | from the log into the index |
//! | `follow.rs` | [`Search`], the handle, and the task that keeps the index up to date |
//! | `query.rs` | what is asked, as a query of the index |
//! | `find.rs`, `token.rs`, `page.rs` | [`Search::find`]: hits, judged one by one, in pages |
//! | `directory.rs`, `people.rs` | the user directory: kept up to date, asked |
//!
//! Both indexes follow the log, so that sending costs them nothing. The full-text index is files of tantivy's in the data
//! directory, and only an index: each of its commits names the position of the log up to which it has been filled, so that a
//! crash loses neither more nor less than is filled in again; one that is missing, broken, of another form or of another
//! store is begun anew. What is found is read from the rooms, and judged for its reader there: nobody learns more by
//! searching than by scrolling.
//!
//! An edited message is found by its newest text, a redacted one not at all. Encrypted ones are not looked at.

mod directory;
mod error;
mod find;
mod follow;
mod index;
mod page;
mod people;
mod query;
mod schema;
#[cfg(test)]
mod tests;
mod text;
mod token;
mod words;
mod writer;

use std::path::PathBuf;

pub use directory::{Directory, Person};
pub use error::{Error, Result};
pub use find::{ContextLimits, Ordering, Wanted};
pub use follow::Search;
pub use page::{Group, GroupKey, Hit, Page, Profile};
pub use text::{Has, Key};
pub use token::Token;

/// How searching behaves.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Memory for what is on its way into the index, in bytes.
    pub writer_memory_bytes: usize,
    /// How long news wait for more of them before they are written to the index, in milliseconds.
    pub commit_interval_ms: u64,
    /// Whether everybody on this server is found by everybody, not only those with whom they share a room and those in public
    /// rooms.
    pub search_all_users: bool,
}

/// The least memory that the index can be written with.
pub const LEAST_WRITER_MEMORY: usize = 15_000_000;

impl Default for Config {
    fn default() -> Self {
        Self {
            writer_memory_bytes: 20_000_000,
            commit_interval_ms: 1000,
            search_all_users: false,
        }
    }
}

/// Where the full-text index is.
#[derive(Debug, Clone)]
pub enum Place {
    /// In a directory of its own, which is made if it does not exist.
    Directory(PathBuf),
    /// In memory, for tests.
    Memory,
}
