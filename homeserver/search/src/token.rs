//! Where the next page of a search starts.

use std::{fmt, str::FromStr};

use orvale_storage::Position;
use ruma::{OwnedRoomId, OwnedUserId};

use crate::Error;

/// A place among what a search found; says nothing that its holder may not know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    pub(crate) after: After,
    /// The group that the page is of, if it is of one.
    pub(crate) group: Option<Only>,
}

/// A place in one of the orders.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum After {
    /// Events older than this one.
    Recent(Position),
    /// So many of the best hits have been looked at, of those there were up to a position.
    Rank { skip: usize, as_of: Position },
}

/// One of the groups that hits are sorted into.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Only {
    Room(OwnedRoomId),
    Sender(OwnedUserId),
}

impl fmt::Display for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.after {
            After::Recent(at) => write!(f, "r{at}")?,
            After::Rank { skip, as_of } => write!(f, "b{skip}_{as_of}")?,
        }
        match &self.group {
            None => Ok(()),
            Some(Only::Room(room)) => write!(f, ".{room}"),
            Some(Only::Sender(sender)) => write!(f, ".{sender}"),
        }
    }
}

impl FromStr for Token {
    type Err = Error;

    fn from_str(token: &str) -> Result<Self, Error> {
        let parse = || {
            let (after, group) = match token.split_once('.') {
                Some((after, group)) => (after, Some(group)),
                None => (token, None),
            };
            let after = match after.strip_prefix('r') {
                Some(at) => After::Recent(Position(at.parse().ok()?)),
                None => {
                    let (skip, as_of) = after.strip_prefix('b')?.split_once('_')?;
                    After::Rank {
                        skip: skip.parse().ok()?,
                        as_of: Position(as_of.parse().ok()?),
                    }
                }
            };
            let group = match group {
                None => None,
                Some(room) if room.starts_with('!') => Some(Only::Room(room.try_into().ok()?)),
                Some(sender) => Some(Only::Sender(sender.try_into().ok()?)),
            };
            Some(Self { after, group })
        };
        parse().ok_or_else(|| {
            Error::InvalidParam(format!("{token:?} is no place in a search of this server"))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_come_back_and_nonsense_is_refused() {
        let room: OwnedRoomId = "!r:x".try_into().unwrap();
        let sender: OwnedUserId = "@a:x".try_into().unwrap();
        let rank = After::Rank {
            skip: 30,
            as_of: Position(9),
        };
        for (after, group) in [
            (After::Recent(Position(7)), None),
            (rank, Some(Only::Room(room))),
            (rank, Some(Only::Sender(sender))),
        ] {
            let token = Token { after, group };
            assert_eq!(token.to_string().parse::<Token>().unwrap(), token);
        }
        for nonsense in ["", "r", "b1", "b_2", "x1", "r1.nobody", "b1_2.", "r1."] {
            assert!(nonsense.parse::<Token>().is_err(), "{nonsense}");
        }
    }
}
