//! A room's timeline, in pages.

use std::{fmt, str::FromStr, sync::Arc};

use orvale_storage::{Position, trees::rooms::TIMELINE};

use crate::{
    Rooms,
    error::{Error, Result},
    event::StoredEvent,
    room::Room,
};

/// A place in a room's timeline: just after the event of that order.
///
/// As text, the pagination token of the room APIs: `t` and a signed number. Live events have their position; older history
/// that was fetched later counts down from zero. The token of a sync (`s` and a position, and more after `_`) reads as one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Order(pub u64);

const LIVE: u64 = 1 << 63;

impl Order {
    /// Before everything.
    pub const START: Self = Self(0);
    /// After everything.
    pub const END: Self = Self(u64::MAX);

    /// Just after the live event at this position.
    #[must_use]
    pub const fn live(at: Position) -> Self {
        Self(LIVE | at.0)
    }

    /// Just before the event of this order.
    #[must_use]
    pub const fn before(self) -> Self {
        Self(self.0.saturating_sub(1))
    }
}

impl fmt::Display for Order {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "t{}", (self.0 ^ LIVE).cast_signed())
    }
}

impl FromStr for Order {
    type Err = Error;

    fn from_str(token: &str) -> Result<Self> {
        let invalid = || {
            Error::InvalidParam(format!(
                "{token:?} is not a pagination token of this server"
            ))
        };
        if let Some(number) = token.strip_prefix('t') {
            let number: i64 = number.parse().map_err(|_| invalid())?;
            return Ok(Self(number.cast_unsigned() ^ LIVE));
        }
        let sync = token
            .strip_prefix('s')
            .and_then(|rest| rest.split('_').next());
        let at: u64 = sync
            .and_then(|at| at.parse().ok())
            .filter(|at| *at < LIVE)
            .ok_or_else(invalid)?;
        Ok(Self::live(Position(at)))
    }
}

impl Rooms {
    /// At most `limit` events of a room before a place (and after `until`), newest first.
    ///
    /// # Errors
    /// Storage's.
    pub fn list_backwards(
        &self,
        room: &Room,
        from: Order,
        until: Order,
        limit: usize,
    ) -> Result<Vec<(Order, Arc<StoredEvent>)>> {
        let (low, high) = (
            (room.number, until.0.saturating_add(1)),
            (room.number, from.0.saturating_add(1)),
        );
        let found = if from == Order::END {
            self.store()
                .range(&TIMELINE, low, (room.number.next(),), true, limit)?
        } else {
            self.store().range(&TIMELINE, low, high, true, limit)?
        };
        found
            .into_iter()
            .map(|((_, order), at)| Ok((Order(order), self.event(at)?)))
            .collect()
    }

    /// At most `limit` events of a room after a place, up to and with `until`, oldest first.
    ///
    /// # Errors
    /// Storage's.
    pub fn list_forwards(
        &self,
        room: &Room,
        from: Order,
        until: Order,
        limit: usize,
    ) -> Result<Vec<(Order, Arc<StoredEvent>)>> {
        let (low, high) = (
            (room.number, from.0.saturating_add(1)),
            (room.number, until.0.saturating_add(1)),
        );
        let found = self.store().range(&TIMELINE, low, high, false, limit)?;
        found
            .into_iter()
            .map(|((_, order), at)| Ok((Order(order), self.event(at)?)))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn tokens_come_back(order: u64) {
            prop_assert_eq!(Order(order).to_string().parse::<Order>().unwrap(), Order(order));
        }

        #[test]
        fn nonsense_is_refused_without_panic(token: String) {
            let _ = token.parse::<Order>();
        }
    }

    #[test]
    fn a_sync_token_is_a_place_in_every_room() {
        assert_eq!("s42_7".parse::<Order>().unwrap(), Order::live(Position(42)));
        assert_eq!("s42".parse::<Order>().unwrap(), Order::live(Position(42)));
        assert!("42".parse::<Order>().is_err());
    }
}
