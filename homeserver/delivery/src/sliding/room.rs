//! What an answer tells of one room.

use std::sync::Arc;

use orvale_rooms::{InviteVerdict, Membership, MembershipRecord, Order, Room, StoredEvent, Viewer};
use orvale_storage::Position;
use ruma::events::{StateEventType, TimelineEventType};
use serde_json::{Value, json};

use super::{
    answer::{Candidate, Writer, entry},
    connection::Sent,
    state::State,
    timeline::{Span, Timeline},
};
use crate::{
    Result,
    push::unread::{Asking, Count},
    sync::json::{List, Object},
};

/// How many events of a room are looked at to find the last one that makes it recent.
const LOOKS: usize = 100;

impl Writer<'_> {
    /// Writes what there is to tell of a room. What was told then; `None` if the client need not be told of it any more.
    pub(super) fn room(&mut self, candidate: &Candidate) -> Result<Option<Sent>> {
        let room = self.inner.rooms.get_number(candidate.room)?;
        match candidate.standing.membership {
            Membership::Join => self.joined(candidate, &room).map(Some),
            Membership::Invite | Membership::Knock => self.invited(candidate, &room).map(Some),
            Membership::Leave | Membership::Ban => self.left(candidate, &room),
        }
    }

    /// A room that the user is in.
    fn joined(&mut self, candidate: &Candidate, room: &Arc<Room>) -> Result<Sent> {
        let standing = &candidate.standing;
        let known = candidate.sent.filter(|sent| sent.has(Sent::JOINED));
        // Told anew once all members are known.
        let whole_since = self.inner.rooms.whole_since(room.number);
        let known = known.filter(|sent| whole_since.is_none_or(|at| at <= sent.upto));
        let since = known.map(|sent| sent.upto);
        let record = MembershipRecord {
            event: standing.event,
            membership: Membership::Join,
            before: None,
            was_joined: true,
            forgotten: false,
            since: Some(standing.since),
        };
        let (user_id, device_id) = (self.user_id.clone(), self.device_id.clone());
        let rooms = self.inner.rooms.clone();
        let mut viewer = Viewer::new(&rooms, &user_id, Some(record)).on(device_id.as_str());
        let grown = known.is_some_and(|sent| candidate.limit > sent.limit);
        let timeline = self.timeline(
            room,
            &mut viewer,
            Span {
                since,
                anew: grown,
                upto: self.upto,
                recent: candidate.recent.as_deref(),
                all_seen: since.is_some_and(|since| standing.since <= since),
                limit: candidate.limit.into(),
            },
        )?;
        let state = self.state(room, candidate, &timeline, since)?;
        let (with_data, with_receipts, with_typing) = {
            let wants = |scope| Self::wants(scope, candidate, room);
            (
                wants(self.asked.account_data.as_ref()),
                wants(self.asked.receipts.as_ref()),
                wants(self.asked.typing.as_ref()),
            )
        };
        if with_data {
            self.room_account_data(candidate, room)?;
        }
        if with_typing {
            self.write_typing(candidate, room);
        }
        let told = candidate.sent.filter(|sent| sent.has(Sent::RECEIPTS));
        let told = told.filter(|_| since.is_some()).map(|sent| sent.upto);
        if with_receipts {
            let receipts = self.new_receipts(candidate, room, told, &timeline)?;
            self.write_receipts(room, &receipts);
        }
        // A receipt of the user's own moves the counts.
        let has_read = match since {
            Some(since) if standing.receipts > since => {
                let receipts = rooms.receipts_since(room, &user_id, since, self.upto)?;
                receipts.iter().any(|receipt| receipt.user_id == user_id)
            }
            _ => false,
        };
        let is_other = known.is_some_and(|sent| candidate.direct != sent.has(Sent::DIRECT));
        let is_new = since.is_none() || is_other || has_read || grown;
        let happened = timeline.limited || !timeline.events.is_empty() || !state.told.is_empty();
        if is_new || happened || !state.changes.is_empty() {
            let mut section = Vec::new();
            let mut object = Object::open(&mut section);
            self.write_timeline(&timeline, since, grown, &mut viewer, &mut object)?;
            self.write_state(&state.told, &mut viewer, &mut object)?;
            self.write_summary(room, &state, since, &mut object)?;
            let unread = self.inner.unread.count(&Asking {
                rooms: &rooms,
                users: &self.inner.users,
                user_id: &user_id,
                room,
                upto: self.upto,
                receipts: standing.receipts,
                now: record,
                recent: since.zip(candidate.recent.as_deref()),
            })?;
            let Count {
                notifications,
                highlights,
            } = unread.total();
            object.value("notification_count", &notifications);
            object.value("highlight_count", &highlights);
            if let Some(bump) = self.bump(room, &timeline, since)? {
                object.value("bump_stamp", &bump.0);
            }
            self.write_common(candidate, is_other, &mut object);
            object.close();
            entry(&mut self.out.rooms, room.id.as_str()).extend_from_slice(&section);
        }
        let flags = [
            (Sent::JOINED, true),
            (Sent::DIRECT, candidate.direct),
            (Sent::ACCOUNT_DATA, with_data),
            (Sent::RECEIPTS, with_receipts),
        ];
        let limit = match known {
            // What it knows goes on without a gap.
            Some(sent) if !timeline.limited => sent.limit.max(candidate.limit),
            _ => candidate.limit,
        };
        Ok(Sent {
            upto: self.upto,
            limit,
            config: self.connection.place(&candidate.required),
            flags: flags
                .into_iter()
                .filter(|(_, is)| *is)
                .fold(0, |flags, (flag, _)| flags | flag),
        })
    }

    /// A room that the user is asked into, or asks to come into.
    fn invited(&mut self, candidate: &Candidate, room: &Room) -> Result<Sent> {
        let standing = &candidate.standing;
        let member = self.inner.rooms.event(standing.event)?;
        let is_ignored = standing.membership == Membership::Invite
            && self
                .inner
                .rooms
                .invite_verdict(&self.user_id, &member.pdu.sender)?
                != InviteVerdict::Allow;
        if !is_ignored {
            let mut events = List::default();
            for event in self.inner.rooms.stripped_state(&member)? {
                events.next().extend_from_slice(event.get().as_bytes());
            }
            let mut section = Vec::new();
            let mut object = Object::open(&mut section);
            object.value("initial", &true);
            events.write(object.key("invite_state"));
            object.value("bump_stamp", &standing.event.0);
            self.write_common(candidate, false, &mut object);
            object.close();
            entry(&mut self.out.rooms, room.id.as_str()).extend_from_slice(&section);
        }
        Ok(Sent {
            upto: self.upto,
            limit: 0,
            config: self.connection.place(&candidate.required),
            flags: 0,
        })
    }

    /// A room that the user left, or was made to leave.
    fn left(&mut self, candidate: &Candidate, room: &Room) -> Result<Option<Sent>> {
        let standing = &candidate.standing;
        let rooms = self.inner.rooms.clone();
        let known = candidate.sent.filter(|sent| sent.has(Sent::JOINED));
        let since = known.map(|sent| sent.upto);
        let record = rooms.find_membership(room, &self.user_id)?;
        let own = rooms.event(standing.event)?;
        let mut section = Vec::new();
        let mut object = Object::open(&mut section);
        let (user_id, device_id) = (self.user_id.clone(), self.device_id.clone());
        let record = record.map(|record| MembershipRecord {
            event: standing.event,
            membership: standing.membership,
            since: Some(standing.since),
            ..record
        });
        let mut viewer = Viewer::new(&rooms, &user_id, record).on(device_id.as_str());
        let mut told = Vec::new();
        if let Some(record) = record.filter(|record| record.was_joined) {
            let left_at = rooms.left_at(&record)?;
            let mut timeline = self.timeline(
                room,
                &mut viewer,
                Span {
                    since: since.filter(|since| *since < left_at),
                    anew: false,
                    upto: left_at,
                    recent: None,
                    all_seen: false,
                    limit: candidate.limit.max(1).into(),
                },
            )?;
            if since.is_some_and(|since| since >= left_at) {
                timeline.events.clear();
                timeline.limited = false;
            }
            let end = Candidate {
                required: candidate.required.clone(),
                recent: None,
                ..*candidate
            };
            told = self.state(room, &end, &timeline, since)?.told;
            self.write_timeline(&timeline, since, false, &mut viewer, &mut object)?;
        } else {
            object.value("initial", &true);
        }
        // That they are out, in any case.
        let is_own = |event: &Arc<StoredEvent>| {
            event.pdu.kind == TimelineEventType::RoomMember
                && event.pdu.state_key.as_deref() == Some(user_id.as_str())
        };
        told.retain(|event| !is_own(event));
        told.push(own);
        self.write_state(&told, &mut viewer, &mut object)?;
        object.value("bump_stamp", &standing.event.0);
        self.write_common(candidate, false, &mut object);
        object.close();
        entry(&mut self.out.rooms, room.id.as_str()).extend_from_slice(&section);
        Ok(Some(Sent {
            upto: self.upto,
            limit: 0,
            config: self.connection.place(&candidate.required),
            flags: 0,
        }))
    }

    /// What is told of each room: how the user stands in it, and why it is told.
    fn write_common(&self, candidate: &Candidate, is_other: bool, object: &mut Object<'_>) {
        object.value("membership", &name_of(candidate.standing.membership));
        if candidate.direct || is_other {
            object.value("is_dm", &candidate.direct);
        }
        let lists = self.asked.lists.iter().enumerate();
        let names: Vec<_> = lists
            .filter(|(n, _)| candidate.lists >> n & 1 == 1)
            .map(|(_, list)| list.name.as_str())
            .collect();
        if !names.is_empty() {
            object.value("lists", &names);
        }
    }

    fn write_timeline(
        &self,
        timeline: &Timeline,
        since: Option<Position>,
        grown: bool,
        viewer: &mut Viewer<'_>,
        object: &mut Object<'_>,
    ) -> Result<()> {
        if since.is_none() {
            object.value("initial", &true);
        }
        if grown {
            object.value("unstable_expanded_timeline", &true);
        }
        if !timeline.events.is_empty() {
            write_list("timeline", &timeline.events, viewer, object)?;
        }
        if timeline.limited {
            object.value("limited", &true);
        }
        if timeline.limited || !timeline.events.is_empty() || since.is_none() {
            object.value("prev_batch", &timeline.prev_batch.to_string());
            let reached = self.connection.reached.position;
            let live = timeline.events.iter().rev();
            let live = live.take_while(|event| event.position > reached).count();
            let is_new = self.connection.is_new();
            object.value("num_live", &if is_new { 0 } else { live });
        }
        Ok(())
    }

    fn write_state(
        &self,
        state: &[Arc<StoredEvent>],
        viewer: &mut Viewer<'_>,
        object: &mut Object<'_>,
    ) -> Result<()> {
        if !state.is_empty() {
            write_list("required_state", state, viewer, object)?;
        }
        Ok(())
    }

    /// Writes how a room is called, what it looks like and how many are in it, as far as that changed.
    fn write_summary(
        &self,
        room: &Room,
        state: &State,
        since: Option<Position>,
        object: &mut Object<'_>,
    ) -> Result<()> {
        let changed = |kinds: &[TimelineEventType]| {
            let mut changes = state.changes.iter();
            since.is_none() || changes.any(|event| kinds.contains(&event.pdu.kind))
        };
        let rooms = &self.inner.rooms;
        let text = |kind: StateEventType, field: &str| -> Result<Option<String>> {
            let event = rooms.find_state(room, &kind, "")?;
            let text = event.and_then(|event| event.pdu.content_field::<String>(field));
            Ok(text.filter(|text| !text.is_empty()))
        };
        let members = changed(&[TimelineEventType::RoomMember]);
        let named = changed(&[
            TimelineEventType::RoomName,
            TimelineEventType::RoomCanonicalAlias,
        ]);
        if members || named {
            let summary = rooms.summary(room, &self.user_id)?;
            if members {
                object.value("joined_count", &summary.joined);
                object.value("invited_count", &summary.invited);
            }
            if let Some(heroes) = summary.heroes {
                if named && since.is_some() {
                    object.value("name", &Value::Null);
                }
                let heroes: Vec<Value> = heroes
                    .iter()
                    .map(|hero| self.hero(room, hero.as_str()))
                    .collect::<Result<_>>()?;
                if !heroes.is_empty() {
                    object.value("heroes", &heroes);
                }
            } else if named {
                let name = text(StateEventType::RoomName, "name")?;
                let name = match name {
                    Some(name) => Some(name),
                    None => text(StateEventType::RoomCanonicalAlias, "alias")?,
                };
                object.value("name", &name);
            }
        }
        if changed(&[TimelineEventType::RoomAvatar]) {
            let avatar = text(StateEventType::RoomAvatar, "url")?;
            if avatar.is_some() || since.is_some() {
                object.value("avatar", &avatar);
            }
        }
        Ok(())
    }

    /// Somebody by whom a room can be called.
    fn hero(&self, room: &Room, user_id: &str) -> Result<Value> {
        let member = self
            .inner
            .rooms
            .find_state(room, &StateEventType::RoomMember, user_id)?;
        let mut hero = json!({ "user_id": user_id });
        for field in ["displayname", "avatar_url"] {
            let value = member
                .as_ref()
                .and_then(|event| event.pdu.content_field::<String>(field));
            if let Some(value) = value {
                hero[field] = value.into();
            }
        }
        Ok(hero)
    }

    /// The position of the last event that makes a room recent, if that may be another than the client knows.
    fn bump(
        &self,
        room: &Room,
        timeline: &Timeline,
        since: Option<Position>,
    ) -> Result<Option<Position>> {
        let new = timeline.events.iter().rev();
        let mut new = new.filter(|event| since.is_none_or(|since| event.position > since));
        if let Some(event) = new.find(|event| bumps(event)) {
            return Ok(Some(event.position));
        }
        if since.is_some() && !timeline.limited {
            return Ok(None);
        }
        let mut from = Order::live(self.upto);
        let (mut looks, mut oldest) = (0, None);
        while looks < LOOKS {
            let page = self
                .inner
                .rooms
                .list_backwards(room, from, Order::START, 10)?;
            if let Some((_, event)) = page.iter().find(|(_, event)| bumps(event)) {
                return Ok(Some(event.position));
            }
            let Some((order, event)) = page.last() else {
                break;
            };
            (from, oldest) = (order.before(), Some(event.position));
            looks += page.len();
        }
        Ok(oldest)
    }
}

fn name_of(membership: Membership) -> &'static str {
    match membership {
        Membership::Invite => "invite",
        Membership::Join => "join",
        Membership::Knock => "knock",
        Membership::Leave => "leave",
        Membership::Ban => "ban",
    }
}

/// Whether an event makes its room recent.
fn bumps(event: &StoredEvent) -> bool {
    let kind = event.pdu.kind.to_string();
    let bumping = [
        "m.room.create",
        "m.room.message",
        "m.room.encrypted",
        "m.sticker",
        "m.call.invite",
        "m.poll.start",
        "org.matrix.msc3381.poll.start",
        "m.beacon_info",
        "org.matrix.msc3672.beacon_info",
    ];
    bumping.contains(&kind.as_str())
}

fn write_list(
    key: &str,
    events: &[Arc<StoredEvent>],
    viewer: &mut Viewer<'_>,
    object: &mut Object<'_>,
) -> Result<()> {
    let out = object.key(key);
    out.push(b'[');
    for (n, event) in events.iter().enumerate() {
        if n > 0 {
            out.push(b',');
        }
        let reader = viewer.reader(event)?;
        event.write_sync_format(&reader, out)?;
    }
    out.push(b']');
    Ok(())
}
