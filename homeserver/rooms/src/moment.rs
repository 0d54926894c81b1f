//! Finding the place in a room's history that belongs to a moment.

use std::sync::Arc;

use orvale_storage::Position;
use ruma::{MilliSecondsSinceUnixEpoch, RoomId, UserId, api::Direction};

use crate::{
    Room, Rooms, StoredEvent, Viewer,
    error::{Error, Result},
    timeline::Order,
};

/// How many events around the place are looked at for one that the reader may see.
const LOOKS: usize = 1000;

impl Rooms {
    /// The event closest to a moment, from it on in one direction, that a user may see.
    ///
    /// Times are what senders say, and nearly grow along the timeline: the place is found by halving, and what is out of
    /// order there is passed over.
    ///
    /// # Errors
    /// [`Error::NotJoined`], [`Error::NoEventThen`].
    pub fn find_moment(
        &self,
        user: &UserId,
        room: &RoomId,
        moment: MilliSecondsSinceUnixEpoch,
        direction: Direction,
    ) -> Result<Arc<StoredEvent>> {
        let reading = self.read(user, room)?;
        let mut viewer = Viewer::new(self, user, reading.now);
        let sees = |event: &StoredEvent| viewer.sees(event);
        self.find_moment_where(&reading.room, reading.until, moment, direction, sees)
    }

    /// The event closest to a moment, up to a place in the timeline, that is to be shown.
    pub(crate) fn find_moment_where(
        &self,
        room: &Room,
        until: Option<Position>,
        moment: MilliSecondsSinceUnixEpoch,
        direction: Direction,
        mut sees: impl FnMut(&StoredEvent) -> Result<bool>,
    ) -> Result<Arc<StoredEvent>> {
        let last = until.map_or(Order::END, Order::live);
        let is_before = |event: &StoredEvent| event.pdu.origin_server_ts < moment;
        let is_not_after = |event: &StoredEvent| event.pdu.origin_server_ts <= moment;
        let near = match direction {
            Direction::Forward => {
                let place = self.end_of(room, last, is_before)?;
                self.list_forwards(room, place.before(), last, LOOKS)?
            }
            Direction::Backward => {
                let place = self.end_of(room, last, is_not_after)?;
                self.list_backwards(room, place.before(), Order::START, LOOKS)?
            }
        };
        for (_, event) in near {
            let is_then = match direction {
                Direction::Forward => !is_before(&event),
                Direction::Backward => is_not_after(&event),
            };
            if is_then && sees(&event)? {
                return Ok(event);
            }
        }
        Err(Error::NoEventThen)
    }

    /// Where the events that are early end: an order after the last of them, and not after the next event's.
    fn end_of(
        &self,
        room: &Room,
        last: Order,
        is_early: impl Fn(&StoredEvent) -> bool,
    ) -> Result<Order> {
        let first = self.list_forwards(room, Order::START, last, 1)?;
        let newest = self.list_backwards(room, last, Order::START, 1)?;
        let (Some((low, _)), Some((high, _))) = (first.first(), newest.first()) else {
            return Ok(last);
        };
        let (mut low, mut high) = (low.0, high.0 + 1);
        while low < high {
            let middle = low + (high - low) / 2;
            let found = self.list_forwards(room, Order(middle).before(), last, 1)?;
            match found.first() {
                Some((order, event)) if is_early(event) => low = order.0 + 1,
                Some(_) | None => high = middle,
            }
        }
        Ok(Order(low))
    }
}

#[cfg(test)]
mod tests {
    use ruma::{RoomVersionId, UInt};

    use super::*;
    use crate::testing::{rooms, text, user};

    #[tokio::test]
    async fn the_event_nearest_to_a_moment_is_found_in_both_directions() {
        let rooms = rooms();
        let alice = user("alice");
        let room = rooms.public_room(RoomVersionId::V12).await;
        let other = rooms.public_room(RoomVersionId::V12).await;
        let at = |ms: u64| MilliSecondsSinceUnixEpoch(UInt::new_saturating(2_000_000_000_000 + ms));
        let mut events = Vec::new();
        for n in 0..40 {
            let mut draft = text(&alice, &n.to_string());
            draft.timestamp = Some(at(n * 10));
            events.push(rooms.did(&room, draft).await.unwrap());
            // Positions of a room have gaps.
            rooms.did(&other, text(&alice, "elsewhere")).await.unwrap();
        }
        let find = |ms, direction| {
            rooms
                .find_moment(&alice, &room.id, at(ms), direction)
                .map(|e| e.event_id().to_owned())
        };
        for n in 0..39_usize {
            let (this, next) = (events[n].event_id(), events[n + 1].event_id());
            let ms = n as u64 * 10;
            assert_eq!(find(ms, Direction::Forward).unwrap(), this);
            assert_eq!(find(ms, Direction::Backward).unwrap(), this);
            assert_eq!(find(ms + 5, Direction::Forward).unwrap(), next);
            assert_eq!(find(ms + 5, Direction::Backward).unwrap(), this);
        }
        assert!(matches!(
            find(1000, Direction::Forward),
            Err(Error::NoEventThen)
        ));
        assert_eq!(
            find(1000, Direction::Backward).unwrap(),
            events[39].event_id()
        );
        let long_ago = MilliSecondsSinceUnixEpoch(UInt::MIN);
        let before = rooms.find_moment(&alice, &room.id, long_ago, Direction::Backward);
        assert!(matches!(before, Err(Error::NoEventThen)));
        let first = rooms
            .find_moment(&alice, &room.id, long_ago, Direction::Forward)
            .unwrap();
        assert_eq!(first.pdu.kind, "m.room.create".into());
        let bob = rooms.find_moment(&user("bob"), &room.id, long_ago, Direction::Forward);
        assert!(matches!(bob, Err(Error::NotJoined)));
    }
}
