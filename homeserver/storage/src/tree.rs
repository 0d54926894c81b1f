//! The declaration of a tree.

use std::marker::PhantomData;

use crate::key::{AsKey, AsPrefix};

/// A table of keys `K` and values `V`, told apart from others by a number that never changes.
pub struct Tree<K, V> {
    /// The first two bytes of each of its keys in the engine.
    pub(crate) number: u16,
    /// Its name, for people.
    pub(crate) name: &'static str,
    shape: PhantomData<fn() -> (K, V)>,
}

impl<K, V> Tree<K, V> {
    /// Declares a tree. Numbers are given once and not used again, also after a tree is gone.
    #[must_use]
    pub const fn new(number: u16, name: &'static str) -> Self {
        Self {
            number,
            name,
            shape: PhantomData,
        }
    }

    /// The engine's key for a key of this tree.
    pub(crate) fn key(&self, key: &impl AsKey<K>) -> Vec<u8> {
        let mut out = Vec::with_capacity(48);
        self.append_key(key, &mut out);
        out
    }

    /// Appends the engine's key for a key of this tree.
    pub(crate) fn append_key(&self, key: &impl AsKey<K>, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.number.to_be_bytes());
        key.encode(out);
    }

    /// What the engine's keys for all keys with this prefix start with.
    pub(crate) fn prefix(&self, prefix: &impl AsPrefix<K>) -> Vec<u8> {
        let mut out = Vec::with_capacity(48);
        out.extend_from_slice(&self.number.to_be_bytes());
        prefix.encode(&mut out);
        out
    }
}

/// A tree whatever its keys and values are.
pub(crate) trait Described: Sync {
    /// Its number.
    fn number(&self) -> u16;
    /// Its name.
    fn name(&self) -> &'static str;
    /// Whether a key (after the tree's number) and a value are what the declaration says; else what is wrong.
    fn verify(&self, key: &[u8], value: &[u8]) -> Result<(), String>;
}
