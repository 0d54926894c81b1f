//! Gaps between the events of a timeline that are known: where history goes on that is not.
//!
//! Where one comes to be, orders are left out before the event that ends it, so that what is fetched later has its place.

use std::collections::BTreeSet;

use orvale_storage::{Batch, Position, Store, trees::rooms::BREAKS};
use ruma::{EventId, OwnedEventId, api::Direction};

use crate::{Order, Room, Rooms, error::Result};

/// How many events a gap has orders for.
const LEFT_OUT: u64 = 1 << 20;
/// The most events that a gap is followed back from.
const MAX_ENDS: usize = 100;

/// A gap in a timeline.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Break {
    /// The order of the event before which it is.
    pub(crate) order: Order,
    /// The last events in it, which are not known.
    pub(crate) ends: Vec<OwnedEventId>,
}

impl Rooms {
    /// The rooms that have gaps: nearly none, and every reader asks.
    pub(crate) fn broken_rooms(store: &Store) -> Result<BTreeSet<Position>> {
        let found = store.prefix(&BREAKS, (), usize::MAX)?;
        Ok(found.into_iter().map(|((room, ..), ())| room).collect())
    }

    /// Leaves orders out before the next event, for what is missing there. The room's lock is held until that has its place.
    pub(crate) fn leave_room_for_history(&self) {
        self.store().skip(LEFT_OUT);
    }

    /// Notes that history goes on with an unknown event before that of a position.
    pub(crate) fn note_break(&self, room: &Room, id: &EventId, at: Position, batch: &mut Batch) {
        batch.put(&BREAKS, (room.number, Order::live(at).0, id), &());
        self.inner.broken.write().insert(room.number);
    }

    /// The order of the event before which the last gap is that one meets going back from a place, and not beyond another.
    ///
    /// # Errors
    /// Storage's.
    pub fn find_break(&self, room: &Room, from: Order, to: Order) -> Result<Option<Order>> {
        Ok(self.last_break(room, from, to)?.map(|found| found.order))
    }

    /// The first gap that one meets going from a place, and not beyond another.
    pub(crate) fn next_break(
        &self,
        room: &Room,
        direction: Direction,
        from: Order,
        to: Order,
    ) -> Result<Option<Break>> {
        match direction {
            Direction::Backward => self.last_break(room, from, to),
            // Just before an event is after the gap that ends there.
            Direction::Forward => self.break_in(room, (from.0.saturating_add(2), to.0), direction),
        }
    }

    /// As [`Rooms::find_break`], with what is missing there.
    pub(crate) fn last_break(&self, room: &Room, from: Order, to: Order) -> Result<Option<Break>> {
        // Just before an event is after the gap that ends there.
        let orders = (to.0.saturating_add(1), from.0.saturating_add(1));
        self.break_in(room, orders, Direction::Backward)
    }

    /// The first gap in a direction before the events of these orders.
    fn break_in(
        &self,
        room: &Room,
        (first, last): (u64, u64),
        direction: Direction,
    ) -> Result<Option<Break>> {
        if first > last || !self.inner.broken.read().contains(&room.number) {
            return Ok(None);
        }
        let is_backward = direction == Direction::Backward;
        let low = (room.number, first, "");
        let high = match last.checked_add(1) {
            Some(end) => (room.number, end, ""),
            None => (room.number.next(), 0, ""),
        };
        let found = self
            .store()
            .range(&BREAKS, low, high, is_backward, MAX_ENDS)?;
        let Some(((_, order, _), ())) = found.first() else {
            return Ok(None);
        };
        let order = *order;
        let same = found
            .into_iter()
            .take_while(|((_, at, _), ())| *at == order);
        let ends = same.filter_map(|((.., id), ())| OwnedEventId::try_from(id).ok());
        Ok(Some(Break {
            order: Order(order),
            ends: ends.collect(),
        }))
    }

    /// Moves what is left of a gap to before another order; where that is nothing, there is no gap any more.
    pub(crate) async fn move_break(
        &self,
        room: &Room,
        before: &Break,
        left: &[OwnedEventId],
        to: Order,
    ) -> Result<()> {
        let mut batch = Batch::new();
        for id in &before.ends {
            batch.delete(&BREAKS, (room.number, before.order.0, id));
        }
        for id in left {
            batch.put(&BREAKS, (room.number, to.0, id), &());
        }
        self.store().commit(batch).await?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use orvale_storage::Tree;

    use super::*;

    #[tokio::test]
    async fn gaps_that_cannot_be_read_are_not_taken_for_none() {
        let store = Store::in_memory();
        let mut batch = Batch::new();
        batch.put(&BREAKS, (Position(7), 9, "$last"), &());
        store.commit(batch).await.unwrap();
        let found = Rooms::broken_rooms(&store).unwrap();
        assert_eq!(found, BTreeSet::from([Position(7)]));
        // A key of this tree that is none.
        let malformed: Tree<(u64,), ()> = Tree::new(0x0131, "breaks");
        let mut batch = Batch::new();
        batch.put(&malformed, (8,), &());
        store.commit(batch).await.unwrap();
        let refused = Rooms::broken_rooms(&store).unwrap_err();
        assert!(matches!(refused, crate::Error::Storage(_)), "{refused}");
    }
}
