//! Where a page of a space ends.

use std::str::FromStr;

use ruma::RoomId;
use sha2::{Digest, Sha256};

use crate::error::{Error, Result};

/// A place in a walk through a space: after a room, with the walk's other parameters, which stay as they are. The walk is made
/// again from the start, over what is remembered of each room: nothing is kept for clients that may never come back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HierarchyToken {
    /// A hash of the room's ID.
    pub(super) after: u64,
    pub(super) max_depth: u16,
    pub(super) suggested_only: bool,
}

impl std::fmt::Display for HierarchyToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let which = if self.suggested_only { 's' } else { 'a' };
        write!(f, "h{}_{}_{which}", self.after, self.max_depth)
    }
}

impl FromStr for HierarchyToken {
    type Err = Error;

    fn from_str(token: &str) -> Result<Self> {
        let parse = || {
            let mut parts = token.strip_prefix('h')?.split('_');
            let after = parts.next()?.parse().ok()?;
            let max_depth = parts.next()?.parse().ok()?;
            let suggested_only = match parts.next()? {
                "s" => true,
                "a" => false,
                _ => return None,
            };
            parts.next().is_none().then_some(Self {
                after,
                max_depth,
                suggested_only,
            })
        };
        parse().ok_or_else(|| unknown_token(token))
    }
}

pub(super) fn unknown_token(token: impl std::fmt::Display) -> Error {
    Error::InvalidParam(format!(
        "\"{token}\" is no place in this space: start again without one"
    ))
}

pub(super) fn hash(id: &RoomId) -> u64 {
    let digest = Sha256::digest(id.as_bytes());
    let first = digest.first_chunk().expect("a digest has 32 bytes");
    u64::from_be_bytes(*first)
}
