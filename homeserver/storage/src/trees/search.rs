//! Trees of `search`: the user directory, an index of people that can be made again from the log and the accounts.

use serde::{Deserialize, Serialize};

use crate::{Tree, tree::Described};

/// User ID → what the user directory shows of a user, and the words it finds them by.
pub const PEOPLE: Tree<(String,), PersonRecord> = Tree::new(0x0501, "people");

/// Word, user ID: who is found by a word, and by what a word begins with.
pub const PEOPLE_WORDS: Tree<(String, String), ()> = Tree::new(0x0502, "people_words");

/// A user in the user directory.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PersonRecord {
    /// What they call themselves.
    pub display_name: Option<String>,
    /// Their picture.
    pub avatar_url: Option<String>,
    /// The words they are found by, each a key of [`PEOPLE_WORDS`].
    pub words: Vec<String>,
}

/// Every tree here.
pub(crate) const TREES: &[&dyn Described] = &[&PEOPLE, &PEOPLE_WORDS];
