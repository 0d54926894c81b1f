//! Values: how a record becomes bytes.
//!
//! The first byte names the form, so that a later form can stand beside the old one until a migration has rewritten it.

use serde::{Deserialize, Serialize, de::DeserializeOwned};

/// A value that a tree can hold.
pub trait Record: Sized {
    /// The bytes to keep.
    fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::new();
        self.append_to(&mut out);
        out
    }

    /// Appends the bytes to keep.
    fn append_to(&self, out: &mut Vec<u8>);

    /// The record of these bytes.
    ///
    /// # Errors
    /// A sentence saying what is malformed.
    fn from_bytes(bytes: &[u8]) -> Result<Self, String>;
}

const POSTCARD: u8 = 1;

impl<T: Serialize + DeserializeOwned> Record for T {
    fn append_to(&self, out: &mut Vec<u8>) {
        out.push(POSTCARD);
        *out = postcard::to_extend(self, std::mem::take(out))
            .expect("records have no unsized sequences");
    }

    fn from_bytes(bytes: &[u8]) -> Result<Self, String> {
        match bytes.split_first() {
            Some((&POSTCARD, rest)) => postcard::from_bytes(rest).map_err(|e| e.to_string()),
            _ => Err("unknown form of record".to_owned()),
        }
    }
}

/// JSON text kept as it is: event contents, account data, filters.
///
/// In a record of its own or as a field; it is never parsed by storage.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct JsonText(pub String);

impl JsonText {
    /// The JSON of a value.
    ///
    /// # Errors
    /// The value cannot be JSON (a map with keys that are no strings).
    pub fn of(value: &impl Serialize) -> serde_json::Result<Self> {
        serde_json::to_string(value).map(Self)
    }

    /// The value of this JSON.
    ///
    /// # Errors
    /// The text is not JSON of that shape.
    pub fn parse<'a, T: Deserialize<'a>>(&'a self) -> serde_json::Result<T> {
        serde_json::from_str(&self.0)
    }
}
