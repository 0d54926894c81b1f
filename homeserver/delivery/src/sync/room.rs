//! The section of a room that the user is in, or was.

use orvale_rooms::{
    Membership, MembershipRecord, Order, Room, StateId, StoredEvent, Viewer, membership,
};
use orvale_storage::Position;
use ruma::events::{StateEventType, TimelineEventType};

use super::{
    answer::{RoomNews, Writer},
    filter::pick,
    json::{List, Object},
    timeline::{Span, Timeline},
};
use crate::{
    Error, Result,
    follow::Standing,
    push::unread::{Asking, Count, Counts},
};

impl Writer<'_> {
    /// Writes the section of a room that the user is in.
    pub(super) fn joined(
        &mut self,
        room: &Room,
        news: &RoomNews,
        out: &mut Vec<u8>,
    ) -> Result<bool> {
        let standing = &news.standing;
        if self.hides(room.number) {
            return Ok(false);
        }
        let since = self.known_since(room, standing)?;
        let record = MembershipRecord {
            event: standing.event,
            membership: Membership::Join,
            before: None,
            was_joined: true,
            forgotten: false,
            since: Some(standing.since),
        };
        let user_id = self.asked.user_id.clone();
        let mut viewer = Viewer::new(&self.inner.rooms, &user_id, Some(record))
            .on(self.asked.device_id.as_str());
        let span = Span {
            since,
            upto: self.news.reached.position,
            recent: news.recent.as_deref().filter(|_| since.is_some()),
            all_seen: since.is_some_and(|since| standing.since <= since),
            told: None,
        };
        let happened = since.is_none_or(|since| standing.events > since);
        let mut timeline = if happened {
            self.timeline(room, &mut viewer, span)?
        } else {
            None
        };
        let is_whole_now = since.is_some_and(|since| self.became_whole(room.number, since));
        let full = since.is_none() || self.asked.full_state || is_whole_now;
        if full && timeline.is_none() {
            timeline = Some(self.quiet(room)?);
        }
        let receipts = self.receipts(room, news, since)?;
        let ephemeral = self.ephemeral(room, news, &receipts, since)?;
        let account_data = self.room_account_data(room, standing, since)?;
        // A receipt of the user's own moves the counts.
        let has_read = receipts
            .iter()
            .any(|receipt| receipt.user_id == self.asked.user_id);
        let mut is_empty = ephemeral.is_empty() && account_data.is_empty() && !full && !has_read;
        let mut object = Object::open(out);
        if let Some(timeline) = &timeline {
            let (summary, heroes) = self.summary(room, timeline, full)?;
            let state = self.state(room, timeline, full, &heroes)?;
            is_empty &= timeline.events.is_empty()
                && !timeline.limited
                && state.is_empty()
                && summary.is_none();
            self.write_timeline(timeline, &mut viewer, &mut object)?;
            self.write_state(&state, &mut viewer, &mut object)?;
            if let Some(summary) = summary {
                object.raw("summary", summary);
            }
        } else {
            let prev_batch = Order::live(since.unwrap_or_default());
            object.raw(
                "timeline",
                format!("{{\"events\":[],\"limited\":false,\"prev_batch\":\"{prev_batch}\"}}"),
            );
            self.write_state(&[], &mut viewer, &mut object)?;
        }
        write_events(&mut object, "ephemeral", &ephemeral);
        write_events(&mut object, "account_data", &account_data);
        let unread = self.inner.unread.count(&Asking {
            rooms: &self.inner.rooms,
            users: &self.inner.users,
            user_id: &user_id,
            room,
            upto: self.news.reached.position,
            receipts: standing.receipts,
            now: record,
            recent: news
                .recent
                .as_deref()
                .and_then(|recent| Some((self.since?, recent))),
        })?;
        write_unread(&unread, self.asked.filter.thread_counts, &mut object)?;
        object.close();
        self.inner.made_up(self.asked, room.number);
        Ok(!is_empty)
    }

    /// Writes the section of a room that the user left, or was made to leave.
    pub(super) fn left(&mut self, room: &Room, news: &RoomNews, out: &mut Vec<u8>) -> Result<bool> {
        let standing = &news.standing;
        let left_since = self.since.is_none_or(|since| standing.since > since);
        if !left_since || self.since.is_none() && !self.asked.filter.include_leave {
            return Ok(false);
        }
        let rooms = &self.inner.rooms;
        let record = rooms.find_membership(room, &self.asked.user_id)?;
        if self.since.is_none() && record.is_none_or(|record| !record.was_joined) {
            return Ok(false);
        }
        let event = rooms.event(standing.event)?;
        let was_in = self.membership_in(event.room_before())? == Some(Membership::Join);
        let since = self.known_since(room, standing)?;
        let user_id = self.asked.user_id.clone();
        let mut viewer = Viewer::new(rooms, &user_id, record).on(self.asked.device_id.as_str());
        let mut object = Object::open(out);
        if was_in || since.is_some() || self.since.is_none() {
            let record = record.map(|record| MembershipRecord {
                event: standing.event,
                since: Some(standing.since),
                ..record
            });
            let left_at = record
                .map(|record| rooms.left_at(&record))
                .transpose()?
                .unwrap_or(standing.event);
            let span = Span {
                since,
                upto: left_at,
                recent: None,
                all_seen: false,
                told: Some(left_at),
            };
            let Some(mut timeline) = self.timeline(room, &mut viewer, span)? else {
                return Ok(false);
            };
            let full = since.is_none() || self.asked.full_state;
            let mut state = self.state(room, &timeline, full, &[])?;
            if left_at != standing.event {
                // Gone, and banned since, or kept from coming back: the room ends where they left, and with the last word.
                if self.asked.state_after {
                    let is_own = |event: &StoredEvent| {
                        event.pdu.kind == TimelineEventType::RoomMember
                            && event.pdu.state_key.as_deref() == Some(user_id.as_str())
                    };
                    state.retain(|event| !is_own(event));
                    state.push(event.clone());
                }
                timeline.events.push(event);
            }
            self.write_timeline(&timeline, &mut viewer, &mut object)?;
            self.write_state(&state, &mut viewer, &mut object)?;
        } else {
            // Who was invited and did not come saw nothing of the room but the end of it.
            let timeline = Timeline {
                events: vec![event],
                limited: false,
                prev_batch: Order::live(standing.event).before(),
                known: StateId::EMPTY,
                start: StateId::EMPTY,
                end: StateId::EMPTY,
            };
            self.write_timeline(&timeline, &mut viewer, &mut object)?;
            self.write_state(&[], &mut viewer, &mut object)?;
        }
        write_events(
            &mut object,
            "account_data",
            &self.room_account_data(room, standing, since)?,
        );
        object.close();
        Ok(true)
    }

    /// Whether a client is not told of a room yet: it wants all members, and they are not known.
    fn hides(&self, room: Position) -> bool {
        self.lazy.is_none() && self.inner.rooms.is_partial(room)
    }

    /// Whether all members of a room came to be known after a position.
    fn became_whole(&self, room: Position, since: Position) -> bool {
        let whole_since = self.inner.rooms.whole_since(room);
        whole_since.is_some_and(|at| since < at && at <= self.news.reached.position)
    }

    /// Since when the client knows a room: since its token, if the user was in the room then.
    fn known_since(&self, room: &Room, standing: &Standing) -> Result<Option<Position>> {
        let Some(since) = self.since else {
            return Ok(None);
        };
        let was_hidden = self.lazy.is_none() && self.became_whole(room.number, since);
        if was_hidden || self.inner.is_lost(self.asked, room.number) {
            return Ok(None);
        }
        if standing.membership == Membership::Join && standing.since <= since {
            return Ok(Some(since));
        }
        let then = self
            .inner
            .rooms
            .list_backwards(room, Order::live(since), Order::START, 1)?;
        let Some((_, last)) = then.first() else {
            return Ok(None);
        };
        let was_in = self.membership_in(last.room_after())? == Some(Membership::Join);
        Ok(was_in.then_some(since))
    }

    /// The user's membership in a state.
    fn membership_in(&self, state: StateId) -> Result<Option<Membership>> {
        let user_id = self.asked.user_id.as_str();
        let member = self
            .inner
            .rooms
            .find_state_at(state, &StateEventType::RoomMember, user_id)?;
        Ok(member.and_then(|event| membership(&event.pdu)))
    }

    /// The timeline of a room in which nothing happened since the client's token, where it asks for the whole state.
    fn quiet(&self, room: &Room) -> Result<Timeline> {
        let upto = Order::live(self.news.reached.position);
        let last = self
            .inner
            .rooms
            .list_backwards(room, upto, Order::START, 1)?;
        let end = last
            .first()
            .map_or(StateId::EMPTY, |(_, event)| event.room_after());
        let prev_batch = Order::live(self.since.unwrap_or_default());
        Ok(Timeline {
            events: Vec::new(),
            limited: false,
            prev_batch,
            known: end,
            start: end,
            end,
        })
    }

    fn write_timeline(
        &self,
        timeline: &Timeline,
        viewer: &mut Viewer<'_>,
        object: &mut Object<'_>,
    ) -> Result<()> {
        object.object("timeline", |object| {
            let out = object.key("events");
            out.push(b'[');
            for (n, event) in timeline.events.iter().enumerate() {
                if n > 0 {
                    out.push(b',');
                }
                self.write_event(event, viewer, out)?;
            }
            out.push(b']');
            object.value("limited", &timeline.limited);
            object.value("prev_batch", &timeline.prev_batch.to_string());
            Ok::<_, Error>(())
        })
    }

    fn write_state(
        &self,
        state: &[std::sync::Arc<StoredEvent>],
        viewer: &mut Viewer<'_>,
        object: &mut Object<'_>,
    ) -> Result<()> {
        let key = if self.asked.state_after {
            "state_after"
        } else {
            "state"
        };
        object.object(key, |object| {
            let out = object.key("events");
            out.push(b'[');
            for (n, event) in state.iter().enumerate() {
                if n > 0 {
                    out.push(b',');
                }
                self.write_event(event, viewer, out)?;
            }
            out.push(b']');
            Ok::<_, Error>(())
        })
    }

    /// Writes an event in the form that the client's filter asks for.
    fn write_event(
        &self,
        event: &StoredEvent,
        viewer: &mut Viewer<'_>,
        out: &mut Vec<u8>,
    ) -> Result<()> {
        let filter = &self.asked.filter;
        if filter.federation_format {
            out.extend_from_slice(&event.record.pdu);
            return Ok(());
        }
        let reader = viewer.reader(event)?;
        let Some(fields) = &filter.fields else {
            return Ok(event.write_sync_format(&reader, out)?);
        };
        let mut whole = Vec::new();
        event.write_sync_format(&reader, &mut whole)?;
        let broken = |e: serde_json::Error| {
            orvale_rooms::Error::Internal(format!("event {}: {e}", event.event_id()))
        };
        let whole = serde_json::from_slice(&whole).map_err(broken)?;
        serde_json::to_writer(out, &pick(&whole, fields)).map_err(broken)?;
        Ok(())
    }

    /// A room's section could not be made. The client is told that something is missing, so that it knows to ask; and once
    /// it can be made again, it is made as for a client that does not know the room.
    pub(super) fn lost(&self, news: &RoomNews, section: &mut List, error: &Error) {
        metrics::counter!("orvale_delivery_lost_rooms").increment(1);
        tracing::error!(%error, room = news.room.0, user_id = %self.asked.user_id, "a room is left out of a sync");
        self.inner.lose(self.asked, news.room);
        let Ok(room) = self.inner.rooms.get_number(news.room) else {
            return;
        };
        if news.standing.membership == Membership::Join {
            let prev_batch = Order::live(self.news.reached.position);
            let out = section.next();
            out.extend_from_slice(
                format!("\"{}\":{{\"timeline\":{{\"events\":[],\"limited\":true,\"prev_batch\":\"{prev_batch}\"}}}}", room.id)
                    .as_bytes(),
            );
        }
    }
}

/// How much is unread: in the whole room, or in each thread apart.
fn write_unread(unread: &Counts, by_thread: bool, object: &mut Object<'_>) -> Result<()> {
    let write = |key: &str, count: Count, object: &mut Object<'_>| {
        let Count {
            notifications,
            highlights,
        } = count;
        object.raw(
            key,
            format!("{{\"highlight_count\":{highlights},\"notification_count\":{notifications}}}"),
        );
    };
    if !by_thread {
        write("unread_notifications", unread.total(), object);
        return Ok(());
    }
    write("unread_notifications", unread.main, object);
    object.object("unread_thread_notifications", |object| {
        for (root, count) in &unread.threads {
            // An ID may hold what has a meaning in JSON.
            let key = serde_json::to_string(root.as_str()).expect("a string");
            write(&key[1..key.len() - 1], *count, object);
        }
        Ok(())
    })
}

fn write_events(object: &mut Object<'_>, key: &str, events: &List) {
    let out = object.key(key);
    out.extend_from_slice(b"{\"events\":");
    events.write(out);
    out.push(b'}');
}
