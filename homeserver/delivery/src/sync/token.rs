//! The token between two syncs of a client.
//!
//! `s123_t45_p6_d120_n9f3`: the position in the log that the answer went up to, then what it went up to in what this
//! process keeps in memory alone (typing, presence), then, only where more messages to the device wait than one answer takes, the
//! position of the last one given out; last the process, so that the in-memory parts of an earlier one are not mistaken
//! for ours. It starts as a place in a timeline does (`orvale_rooms::Order`), so that it also works as a pagination token.

use std::fmt;

use orvale_storage::Position;

use crate::{Error, Result};

/// A point up to which a client knows everything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Token {
    /// The position in the log.
    pub(crate) position: Position,
    /// The position among typing notifications.
    pub(crate) typing: u64,
    /// The position among presence changes.
    pub(crate) presence: u64,
    /// The last message to the device that was given out, where that is not all of them up to `position`.
    pub(crate) to_device: Option<Position>,
    /// Which process gave it out.
    pub(crate) process: u64,
}

impl Token {
    /// Reads a token. What an earlier process said about its memory counts as nothing.
    ///
    /// # Errors
    /// [`Error::InvalidToken`] if it is none of ours.
    pub(crate) fn parse(text: &str, process: u64) -> Result<Self> {
        let invalid = || Error::InvalidToken(text.chars().take(64).collect());
        let mut parts = text.split('_');
        let position = parts
            .next()
            .and_then(|part| number(part, 's'))
            .ok_or_else(invalid)?;
        let mut token = Self {
            position: Position(position),
            typing: 0,
            presence: 0,
            to_device: None,
            process: 0,
        };
        for part in parts {
            match part.as_bytes().first() {
                Some(b't') => token.typing = number(part, 't').ok_or_else(invalid)?,
                Some(b'p') => token.presence = number(part, 'p').ok_or_else(invalid)?,
                Some(b'd') => {
                    let at = number(part, 'd')
                        .filter(|at| *at <= position)
                        .ok_or_else(invalid)?;
                    token.to_device = Some(Position(at));
                }
                Some(b'n') => {
                    token.process = u64::from_str_radix(&part[1..], 16).map_err(|_| invalid())?;
                }
                _ => return Err(invalid()),
            }
        }
        if token.process != process {
            (token.typing, token.presence) = (0, 0);
        }
        Ok(token)
    }

    /// The last message to the device that was given out.
    pub(crate) fn to_device(self) -> Position {
        self.to_device.unwrap_or(self.position)
    }
}

impl fmt::Display for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            position,
            typing,
            presence,
            to_device,
            process,
        } = self;
        write!(f, "s{position}_t{typing}_p{presence}")?;
        if let Some(at) = to_device {
            write!(f, "_d{at}")?;
        }
        write!(f, "_n{process:x}")
    }
}

/// The number in a part with this letter. The highest bit is not ours to use: timelines do.
fn number(part: &str, letter: char) -> Option<u64> {
    let digits = part.strip_prefix(letter)?;
    if !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    digits.parse().ok().filter(|n: &u64| n >> 63 == 0)
}

#[cfg(test)]
mod tests {
    use orvale_rooms::Order;
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn tokens_come_back(position in 0..u64::MAX / 2, typing in 0..99_u64, presence in 0..99_u64, process: u64, lag: Option<u16>) {
            let to_device = lag.map(|lag| Position(position.saturating_sub(lag.into())));
            let token = Token { position: Position(position), typing, presence, to_device, process };
            prop_assert_eq!(Token::parse(&token.to_string(), process).unwrap(), token);
            prop_assert_eq!(token.to_string().parse::<Order>().unwrap(), Order::live(Position(position)));
        }

        #[test]
        fn nonsense_is_refused_without_panic(text: String) {
            let _ = Token::parse(&text, 1);
        }
    }

    #[test]
    fn memory_of_an_earlier_process_counts_as_nothing() {
        let token = Token::parse("s7_t5_p6_nab", 0xcd).unwrap();
        assert_eq!(
            (token.position, token.typing, token.presence),
            (Position(7), 0, 0)
        );
        assert_eq!(Token::parse("s7_t5_p6_nab", 0xab).unwrap().typing, 5);
        assert_eq!(Token::parse("s7", 0xab).unwrap().position, Position(7));
    }

    #[test]
    fn what_is_not_ours_is_refused() {
        for text in [
            "",
            "s",
            "7",
            "t7",
            "s-7",
            "s+7",
            "s7_",
            "s7_x1",
            "s7_t",
            "s99999999999999999999",
            "s7_d8",
            "s9223372036854775808",
        ] {
            assert!(Token::parse(text, 1).is_err(), "{text}");
        }
    }
}
