//! Readers come to where history is missing: what can be had of it is fetched before they are shown what is there.

use std::{sync::Arc, time::Duration};

use ruma::{EventId, RoomId, UserId, api::Direction};

use crate::{
    MAX_PAGE, Order, Room, Rooms, Side, Stretch, Viewer, access::Reading, breaks::Break,
    error::Result,
};

/// How many pages of history are fetched for one page that a client asks for.
const MAX_PAGES: usize = 3;
/// How many for one that goes forward: nothing of a gap can be shown before all of it is there, for it is fetched from its end.
const MAX_PAGES_FORWARD: usize = 10;
/// How long a page waits until all members of its room are known.
const PATIENCE: Duration = Duration::from_secs(10);

/// Where history is missing.
enum Missing {
    /// Between two events.
    Between(Break),
    /// Before the first event that is known, which has this order.
    Before(Order),
}

impl Missing {
    /// The order of the event before which it is missing.
    fn order(&self) -> Order {
        match self {
            Self::Between(gap) => gap.order,
            Self::Before(first) => *first,
        }
    }
}

impl Rooms {
    /// Fetches history that is missing where a page would come to it. Says where the page has to end ([`Stretch::bound`]), so that nothing
    /// is left out that the next one may have.
    ///
    /// # Errors
    /// [`crate::Error::NotJoined`].
    pub async fn reach(
        &self,
        user: &UserId,
        room: &RoomId,
        stretch: &Stretch<'_>,
    ) -> Result<Option<Order>> {
        if !self.is_federated() || stretch.limit == 0 {
            return Ok(None);
        }
        let reading = self.read(user, room)?;
        let (room, direction) = (&reading.room, stretch.direction);
        let seen = reading.until.map_or(Order::END, Order::live);
        let (start, end, most) = match direction {
            Direction::Backward => {
                let start = stretch.from.unwrap_or(Order::END).min(seen);
                (start, stretch.to.unwrap_or(Order::START), MAX_PAGES)
            }
            Direction::Forward => {
                let end = stretch.to.unwrap_or(Order::END).min(seen);
                let start = stretch.from.unwrap_or(Order::START);
                (start, end, MAX_PAGES_FORWARD)
            }
        };
        if direction == Direction::Forward && stretch.from.is_none() {
            // From the beginning, as far as it can be had.
            for _ in 0..MAX_PAGES {
                if self.goes_on_before(user, &reading)?.is_none()
                    || !self.fetch_history(room).await?
                {
                    break;
                }
            }
        }
        // What nobody has is passed over.
        let (mut from, mut begins) = (start, false);
        for pages in 0.. {
            let missing = match self.next_break(room, direction, from, end)? {
                Some(gap) => Missing::Between(gap),
                None if begins || direction == Direction::Forward || end != Order::START => break,
                None => match self.goes_on_before(user, &reading)? {
                    Some(first) => Missing::Before(first),
                    None => break,
                },
            };
            let order = missing.order();
            let is_met = match self.after_page(room, stretch, start, end)? {
                Some(after) if direction == Direction::Backward => order > after,
                Some(after) => order < after,
                None => true,
            };
            if !is_met || pages == most {
                return Ok(Some(order));
            }
            match missing {
                Missing::Between(gap) if self.fetch_break(room, &gap).await? => {}
                Missing::Between(_) if direction == Direction::Backward => {
                    from = order.before().before();
                }
                Missing::Between(_) => from = order.before(),
                // What was before the join is fetched when all members of the room are known.
                Missing::Before(_) if self.await_whole_for(room, PATIENCE).await.is_err() => {
                    return Ok(Some(order));
                }
                Missing::Before(_) => begins = !self.fetch_history(room).await?,
            }
        }
        Ok(None)
    }

    /// As [`Rooms::reach`], to both sides of an event.
    ///
    /// # Errors
    /// [`crate::Error::NotJoined`].
    pub async fn reach_around(
        &self,
        user: &UserId,
        room: &RoomId,
        id: &EventId,
        limit: usize,
    ) -> Result<[Side; 2]> {
        let [mut before, mut after] = Side::halves(limit);
        let event = self.find_event(id)?;
        if let Some(event) = event.filter(|event| *event.room_id == *room && event.is_shown()) {
            let filter = Default::default();
            for (side, direction, from) in [
                (&mut before, Direction::Backward, event.order().before()),
                (&mut after, Direction::Forward, event.order()),
            ] {
                let stretch = Stretch {
                    from: Some(from),
                    to: None,
                    direction,
                    limit: side.limit,
                    filter: &filter,
                    bound: None,
                };
                side.bound = self.reach(user, room, &stretch).await?;
            }
        }
        Ok([before, after])
    }

    /// The first event that is not part of a page any more, as far as events are known.
    fn after_page(
        &self,
        room: &Arc<Room>,
        stretch: &Stretch<'_>,
        start: Order,
        end: Order,
    ) -> Result<Option<Order>> {
        let wanted = stretch.limit.min(MAX_PAGE) + 1;
        let known = match stretch.direction {
            Direction::Backward => self.list_backwards(room, start, end, wanted)?,
            Direction::Forward => self.list_forwards(room, start, end, wanted)?,
        };
        let after = known.last().filter(|_| known.len() == wanted);
        Ok(after.map(|(order, _)| *order))
    }

    /// The order of the first event that is known, if there may be more before it that the reader may see.
    fn goes_on_before(&self, user: &UserId, reading: &Reading) -> Result<Option<Order>> {
        let room = &reading.room;
        if self.history_gaps(room)?.is_empty() {
            return Ok(None);
        }
        let first = self.list_forwards(room, Order::START, Order::END, 1)?;
        let Some((order, event)) = first.first() else {
            return Ok(Some(Order::END));
        };
        // Where somebody sees nothing any more, they mostly see nothing of what is before it either.
        let sees = Viewer::new(self, user, reading.now).sees(event)?;
        Ok(sees.then_some(*order))
    }
}
