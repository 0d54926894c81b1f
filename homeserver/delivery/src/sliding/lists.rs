//! Which rooms belong to which list, and which of them stand in its ranges.
//!
//! Rooms are ordered by their last event, the latest first. That order is not kept: it follows from the order of all news in
//! the user's session, a few steps for a few rooms. Which rooms a filter takes is found out once for all rooms, and then only for
//! those that changed.

use std::{
    collections::{BinaryHeap, HashMap, HashSet},
    iter::Peekable,
};

use orvale_rooms::{InviteVerdict, Membership, Room};
use orvale_storage::Position;
use ruma::{RoomId, UserId, events::StateEventType};
use serde::Deserialize;

use super::{
    connection::Matches,
    request::{Asked, Filters, List},
};
use crate::{
    Result,
    delivery::Inner,
    follow::{Session, Standing},
};

/// How many rooms that changed are looked at one by one; if there are more, all are.
const FEW: usize = 64;

/// A user's rooms by their last event, the latest first.
pub(super) struct Ranked<'a, I: Iterator<Item = (Position, &'a Standing)>> {
    /// By their last news, which is no earlier than their last event.
    latest: Peekable<I>,
    heap: BinaryHeap<(Position, Position)>,
}

pub(super) fn ranked(session: &Session) -> impl Iterator<Item = Position> {
    Ranked {
        latest: session.latest().peekable(),
        heap: BinaryHeap::new(),
    }
}

impl<'a, I: Iterator<Item = (Position, &'a Standing)>> Iterator for Ranked<'a, I> {
    type Item = Position;

    fn next(&mut self) -> Option<Position> {
        loop {
            let top = self.heap.peek().map(|(events, _)| *events);
            match self.latest.peek() {
                Some((_, standing)) if top.is_none_or(|top| standing.last > top) => {
                    let (room, standing) = self.latest.next()?;
                    self.heap.push((standing.events, room));
                }
                _ => return self.heap.pop().map(|(_, room)| room),
            }
        }
    }
}

/// Which rooms stand in the ranges of lists.
#[derive(Debug, Default)]
pub(super) struct Windows {
    /// The lists in whose ranges all their rooms stand.
    pub(super) covered: u128,
    /// Of the other lists, the rooms that do.
    placed: HashMap<Position, u128>,
}

impl Windows {
    pub(super) fn new(lists: &[List], matches: &Matches, session: &Session) -> Self {
        let mut windows = Self::default();
        let mut walked = Vec::new();
        for (n, list) in lists.iter().enumerate() {
            if list.covers(matches.counts[n]) {
                windows.covered |= 1 << n;
            } else if !list.ranges.is_empty() {
                walked.push((n, list, 0_u64));
            }
        }
        if walked.is_empty() {
            return windows;
        }
        for room in ranked(session) {
            let bits = matches.rooms.get(&room).copied().unwrap_or(0);
            walked.retain_mut(|(n, list, place)| {
                if bits & 1 << *n != 0 {
                    if list.takes(*place) {
                        *windows.placed.entry(room).or_default() |= 1 << *n;
                    }
                    *place += 1;
                }
                *place <= list.end()
            });
            if walked.is_empty() {
                break;
            }
        }
        windows
    }

    /// The rooms of lists that do not hold all their rooms.
    pub(super) fn placed(&self) -> impl Iterator<Item = Position> {
        self.placed.keys().copied()
    }

    /// The lists in whose ranges a room stands.
    pub(super) fn lists(&self, matches: &Matches, room: Position) -> u128 {
        let all = matches.rooms.get(&room).copied().unwrap_or(0);
        all & self.covered | self.placed.get(&room).copied().unwrap_or(0)
    }
}

/// What the filters of one user's lists are decided by.
pub(super) struct Sorter<'a> {
    pub(super) inner: &'a Inner,
    pub(super) user_id: &'a UserId,
    pub(super) asked: &'a Asked,
}

impl Sorter<'_> {
    /// Whether all rooms have to be looked at, not only those that changed.
    pub(super) fn is_full(&self, matches: &Matches, session: &Session) -> Result<bool> {
        if matches.at == Position::START || matches.filters != self.asked.filters {
            return Ok(true);
        }
        let mut changed = 0;
        let mut fresh = 0;
        for (room, standing) in session.changed(matches.at) {
            changed += 1;
            fresh += usize::from(!matches.rooms.contains_key(&room));
            let is_space = matches.spaces.contains(&room) && standing.events > matches.at;
            if is_space || changed > FEW {
                return Ok(true);
            }
        }
        if matches.rooms.len() + fresh != session.rooms.len() {
            return Ok(true);
        }
        Ok(session.account_data > matches.at && self.direct()? != matches.direct)
    }

    /// Brings up to date which rooms belong to which list.
    pub(super) fn bring_up(
        &self,
        matches: &mut Matches,
        session: &Session,
        at: Position,
        full: bool,
    ) -> Result<()> {
        let mut found = Vec::new();
        if full {
            let direct = self.direct()?;
            let (children, spaces) = self.children(session)?;
            *matches = Matches {
                at: Position::START,
                filters: self.asked.filters,
                rooms: HashMap::with_capacity(session.rooms.len()),
                counts: vec![0; self.asked.lists.len()],
                direct,
                spaces,
                children,
            };
            for (room, standing) in &session.rooms {
                found.push((*room, self.sort(matches, *room, standing)));
            }
        } else {
            for (room, standing) in session.changed(matches.at) {
                found.push((room, self.sort(matches, room, standing)));
            }
        }
        for (room, bits) in found {
            let before = matches.rooms.insert(room, bits).unwrap_or(0);
            for (n, count) in matches.counts.iter_mut().enumerate() {
                let is = |bits: u128| bits >> n & 1 == 1;
                match (is(before), is(bits)) {
                    (false, true) => *count += 1,
                    (true, false) => *count = count.saturating_sub(1),
                    _ => {}
                }
            }
        }
        matches.at = at;
        Ok(())
    }

    /// The lists that a room belongs to. One that cannot be read belongs to none.
    fn sort(&self, matches: &Matches, room: Position, standing: &Standing) -> u128 {
        let bits = || {
            if self.asked.lists.is_empty() || !self.is_listed(room, standing)? {
                return Ok(0);
            }
            let lists = self.asked.lists.iter().enumerate();
            let mut facts = Facts::default();
            let mut bits = 0;
            for (n, list) in lists {
                if self.takes(&list.filters, matches, room, standing, &mut facts)? {
                    bits |= 1 << n;
                }
            }
            Ok::<_, crate::Error>(bits)
        };
        bits().unwrap_or_else(|error| {
            tracing::error!(%error, room = room.0, "a room is left out of lists");
            0
        })
    }

    /// Whether a room is in lists at all: one that the user is in, is asked into, asks to come into, or was made to leave.
    fn is_listed(&self, room: Position, standing: &Standing) -> Result<bool> {
        let rooms = &self.inner.rooms;
        Ok(match standing.membership {
            Membership::Join | Membership::Knock => true,
            Membership::Invite => {
                let sender = &rooms.event(standing.event)?.pdu.sender;
                rooms.invite_verdict(self.user_id, sender)? == InviteVerdict::Allow
            }
            Membership::Leave | Membership::Ban => {
                let room = rooms.get_number(room)?;
                let record = rooms.find_membership(&room, self.user_id)?;
                record.is_some_and(|record| record.was_joined)
                    && rooms.event(standing.event)?.pdu.sender != *self.user_id
            }
        })
    }

    fn takes(
        &self,
        filters: &Filters,
        matches: &Matches,
        room: Position,
        standing: &Standing,
        facts: &mut Facts,
    ) -> Result<bool> {
        let is = |wanted: Option<bool>, is: bool| wanted.is_none_or(|wanted| wanted == is);
        if !is(filters.is_invite, standing.membership == Membership::Invite)
            || !is(filters.is_dm, matches.direct.contains(&room))
        {
            return Ok(false);
        }
        if let Some(spaces) = &filters.spaces {
            let id = &self.inner.rooms.get_number(room)?.id;
            let holds = |space: &String| {
                let children = matches.children.get(space);
                children.is_some_and(|children| children.contains(id.as_str()))
            };
            if !spaces.iter().any(holds) {
                return Ok(false);
            }
        }
        if filters.is_encrypted.is_some() {
            let encrypted = match facts.encrypted {
                Some(encrypted) => encrypted,
                None => self.is_encrypted(&*self.inner.rooms.get_number(room)?)?,
            };
            facts.encrypted = Some(encrypted);
            if !is(filters.is_encrypted, encrypted) {
                return Ok(false);
            }
        }
        if filters.room_types.is_some() || filters.not_room_types.is_some() {
            let kind = match &facts.kind {
                Some(kind) => kind.clone(),
                None => self.kind(&*self.inner.rooms.get_number(room)?)?,
            };
            let among = |kinds: &Option<Vec<Option<String>>>| {
                kinds.as_ref().map(|kinds| kinds.contains(&kind))
            };
            let taken = among(&filters.room_types) != Some(false)
                && among(&filters.not_room_types) != Some(true);
            facts.kind = Some(kind);
            if !taken {
                return Ok(false);
            }
        }
        if filters.tags.is_some() || filters.not_tags.is_some() {
            let tags = match facts.tags.take() {
                Some(tags) => tags,
                None => self.tags(room)?,
            };
            let among = |names: &Option<Vec<String>>| {
                names
                    .as_ref()
                    .map(|names| names.iter().any(|name| tags.contains(name)))
            };
            let taken =
                among(&filters.tags) != Some(false) && among(&filters.not_tags) != Some(true);
            facts.tags = Some(tags);
            if !taken {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn is_encrypted(&self, room: &Room) -> Result<bool> {
        let keys = self
            .inner
            .rooms
            .list_state_keys(room, &StateEventType::RoomEncryption)?;
        Ok(keys.iter().any(|(key, _)| key.is_empty()))
    }

    /// The type in a room's create event, which never changes.
    fn kind(&self, room: &Room) -> Result<Option<String>> {
        if let Some(kind) = self.inner.kinds.get(&room.number) {
            return Ok(kind);
        }
        let create = self
            .inner
            .rooms
            .find_state(room, &StateEventType::RoomCreate, "")?;
        let kind = create.and_then(|create| create.pdu.content_field::<String>("type"));
        self.inner.kinds.insert(room.number, kind.clone());
        Ok(kind)
    }

    fn tags(&self, room: Position) -> Result<HashSet<String>> {
        #[derive(Deserialize)]
        struct Content {
            tags: serde_json::Map<String, serde_json::Value>,
        }
        let content = self
            .inner
            .users
            .account_data(self.user_id, Some(room), "m.tag")?;
        let tags = content.and_then(|content| content.parse::<Content>().ok());
        Ok(tags
            .map(|content| content.tags.into_iter().map(|(name, _)| name).collect())
            .unwrap_or_default())
    }

    /// The rooms that the user's account data calls direct chats.
    fn direct(&self) -> Result<HashSet<Position>> {
        let content = self
            .inner
            .users
            .account_data(self.user_id, None, "m.direct")?;
        // A client may have written anything: what is no list of rooms is passed over.
        let people = content
            .and_then(|content| content.parse::<HashMap<String, serde_json::Value>>().ok())
            .unwrap_or_default();
        let mut direct = HashSet::new();
        for id in people
            .values()
            .filter_map(|rooms| rooms.as_array())
            .flatten()
        {
            let id = id.as_str().and_then(|id| <&RoomId>::try_from(id).ok());
            if let Some(room) = id
                .map(|id| self.inner.rooms.find(id))
                .transpose()?
                .flatten()
            {
                direct.insert(room.number);
            }
        }
        Ok(direct)
    }

    /// What is directly in the spaces that filters ask about, of those that the user is in; and these.
    fn children(&self, session: &Session) -> Result<(Children, HashSet<Position>)> {
        let (mut all, mut spaces) = (HashMap::new(), HashSet::new());
        let rooms = &self.inner.rooms;
        for name in self.asked.spaces() {
            let id = <&RoomId>::try_from(name).ok();
            let Some(space) = id.map(|id| rooms.find(id)).transpose()?.flatten() else {
                continue;
            };
            spaces.insert(space.number);
            if !session.is_joined(space.number) {
                continue;
            }
            let mut children = HashSet::new();
            for (key, record) in rooms.list_state_keys(&space, &StateEventType::SpaceChild)? {
                // A child without servers is none any more.
                let via = rooms
                    .event(record.event)?
                    .pdu
                    .content_field::<Vec<String>>("via");
                if via.is_some_and(|via| !via.is_empty()) {
                    children.insert(key);
                }
            }
            all.insert(name.to_owned(), children);
        }
        Ok((all, spaces))
    }
}

/// What is directly in spaces: space → rooms, by their IDs.
pub(super) type Children = HashMap<String, HashSet<String>>;

/// What is known of a room that several filters may ask about.
#[derive(Debug, Default)]
struct Facts {
    encrypted: Option<bool>,
    kind: Option<Option<String>>,
    tags: Option<HashSet<String>>,
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::follow::News;

    fn session(news: &[(u64, bool)]) -> Session {
        let mut session = Session::new("@alice:orvale.test".try_into().unwrap());
        for (at, (room, is_event)) in (1..).zip(news) {
            let room = Position(1000 + room);
            if !session.rooms.contains_key(&room) {
                session.set_membership(room, Position(at), Membership::Join);
            }
            let news = if *is_event {
                News::Event
            } else {
                News::Receipt
            };
            session.touch(room, Position(at), news);
        }
        session
    }

    proptest! {
        #[test]
        fn rooms_are_ranked_by_their_last_event(news in prop::collection::vec((0..9_u64, any::<bool>()), 0..60)) {
            let session = session(&news);
            let mut expected: Vec<_> = session.rooms.iter().map(|(room, standing)| (standing.events, *room)).collect();
            expected.sort_unstable();
            let expected: Vec<_> = expected.into_iter().rev().map(|(_, room)| room).collect();
            prop_assert_eq!(ranked(&session).collect::<Vec<_>>(), expected);
        }
    }
}
