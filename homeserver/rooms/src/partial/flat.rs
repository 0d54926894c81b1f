//! The whole state before the join, made ready beside the room's lock: its trie is written by itself, and what is kept of its members flat is
//! put together, so that under the lock only what came since has to be looked at.

use std::collections::{BTreeSet, HashMap};

use orvale_storage::{
    Batch, Position,
    trees::rooms::{CURRENT_STATE, MEMBERSHIPS, Membership, MembershipRecord, StateRecord},
};
use ruma::{UserId, events::TimelineEventType};

use super::blocking;
use crate::{
    Room, Rooms, StoredEvent,
    append::membership,
    error::Result,
    room::{Head, MendedMembers},
    state::{Nodes, StateHash, StateId, Unwritten},
};

/// How many entries of a state are written at once.
const AT_ONCE: usize = 2_000;

/// An entry of a room's state.
#[derive(Debug, Clone)]
pub(super) struct Known {
    pub(super) place: StateHash,
    /// The event's number.
    event: Position,
    /// Of a member, who it is, and what the event says of them.
    member: Option<(String, Membership)>,
}

impl Known {
    /// The entry that an event makes; `None` if it is no state event.
    pub(super) fn of(event: &StoredEvent) -> Option<Self> {
        let member = match &event.pdu.state_key {
            Some(user) if event.pdu.kind == TimelineEventType::RoomMember => {
                membership(&event.pdu).map(|membership| (user.clone(), membership))
            }
            _ => None,
        };
        Some(Self {
            place: event.state_hash()?,
            event: event.position,
            member,
        })
    }
}

/// A room's whole state before the join.
pub(super) struct Whole {
    pub(super) state: StateId,
    /// Where its trie was written.
    at: Position,
    /// By place.
    entries: Vec<Known>,
    /// How many of them are of users of this server.
    pub(super) locals: u64,
}

/// What is kept flat of members of whom the room says nothing yet.
pub(super) struct Flat {
    /// The room's state that it is made for.
    pub(super) before: StateId,
    pub(super) batch: Batch,
    pub(super) members: HashMap<String, MembershipRecord>,
    joined: u64,
    invited: u64,
    /// What is to be looked at one by one: all else, and our own users.
    others: BTreeSet<StateHash>,
}

impl Whole {
    /// The entry in a place.
    fn find(&self, place: &StateHash) -> Option<&Known> {
        let found = self
            .entries
            .binary_search_by(|entry| entry.place.cmp(place));
        found.ok().and_then(|at| self.entries.get(at))
    }
}

impl Flat {
    /// How many entries are to be looked at one by one.
    pub(super) fn others(&self) -> usize {
        self.others.len()
    }
}

impl Rooms {
    fn is_local_name(&self, user: &str) -> bool {
        <&UserId>::try_from(user).is_ok_and(|user| self.is_local(user))
    }

    /// Writes the trie of a state. Resolves when it is durable.
    pub(super) async fn write_whole(&self, mut entries: Vec<Known>) -> Result<Whole> {
        entries.sort_unstable_by_key(|entry| entry.place);
        let mut state = StateId::EMPTY;
        let mut at = Position::START;
        let mut unwritten = Unwritten::default();
        // Neighbours share their nodes: each step makes its own, and the path to them.
        for some in entries.chunks(AT_ONCE) {
            let changes: Vec<_> = some
                .iter()
                .map(|entry| (entry.place, Some(entry.event)))
                .collect();
            let permit = self.inner.store.permit().await?;
            let pending = blocking(|| {
                let reserved = self.store().reserve(permit, 1);
                at = reserved.at(0);
                let mut nodes = Nodes::new(at);
                state = self
                    .inner
                    .states
                    .change(state, &changes, &mut nodes, &mut unwritten)?;
                let mut batch = Batch::new();
                nodes.put(&mut batch);
                Ok::<_, crate::Error>(self.store().submit(reserved, batch))
            })?;
            pending.await?;
            unwritten.forget(self.store().visible());
        }
        let users = entries.iter().filter_map(|entry| entry.member.as_ref());
        let locals = users.filter(|(user, _)| self.is_local_name(user)).count() as u64;
        Ok(Whole {
            state,
            at,
            entries,
            locals,
        })
    }

    /// Makes ready what is kept flat of the members in a state of whom the room's own state says nothing.
    pub(super) fn flatten(&self, room: &Room, head: &Head, whole: &Whole) -> Result<Flat> {
        let before = self.inner.states.list(head.state, &head.unwritten)?;
        self.flatten_but(room, (head.state, before), whole, |user| {
            head.membership(user)
        })
    }

    /// As [`Rooms::flatten`], of a room all of whose events are durable.
    pub(super) fn flatten_settled(
        &self,
        room: &Room,
        before: StateId,
        whole: &Whole,
    ) -> Result<Flat> {
        let known = self.inner.states.list(before, &Unwritten::default())?;
        self.flatten_but(room, (before, known), whole, |_| None)
    }

    fn flatten_but(
        &self,
        room: &Room,
        (before, known): (StateId, Vec<(StateHash, Position)>),
        whole: &Whole,
        unwritten: impl Fn(&str) -> Option<MembershipRecord>,
    ) -> Result<Flat> {
        let mut flat = Flat {
            before,
            batch: Batch::new(),
            members: HashMap::with_capacity(whole.entries.len()),
            joined: 0,
            invited: 0,
            others: known.into_iter().map(|(place, _)| place).collect(),
        };
        let kind = TimelineEventType::RoomMember.to_string();
        for entry in &whole.entries {
            let member = entry.member.as_ref();
            let Some((user, membership)) = member.filter(|(user, _)| !self.is_local_name(user))
            else {
                flat.others.insert(entry.place);
                continue;
            };
            if flat.others.contains(&entry.place) {
                continue;
            }
            let last = match unwritten(user) {
                Some(last) => Some(last),
                None => self.store().get(&MEMBERSHIPS, (user, room.number))?,
            };
            let record = MembershipRecord {
                event: entry.event,
                membership: *membership,
                before: None,
                was_joined: *membership == Membership::Join
                    || last.is_some_and(|last| last.was_joined),
                forgotten: false,
                since: Some(whole.at),
            };
            let state = StateRecord {
                event: entry.event,
                membership: Some(*membership),
            };
            flat.batch
                .put(&CURRENT_STATE, (room.number, &kind, user), &state)
                .put(&MEMBERSHIPS, (user, room.number), &record);
            flat.members.insert(user.clone(), record);
            flat.joined += u64::from(*membership == Membership::Join);
            flat.invited += u64::from(*membership == Membership::Invite);
        }
        Ok(flat)
    }

    /// Takes what changed in a room's state, by the whole state before the join and what happened since, over into what is kept of it flat: into
    /// a batch that has what was made ready.
    /// The users of this server who stand otherwise than they did.
    pub(super) fn flatten_changes(
        &self,
        room: &Room,
        head: &mut Head,
        (whole, flat): (&Whole, Flat),
        at: Position,
        batch: &mut Batch,
    ) -> Result<Vec<String>> {
        let Flat {
            before,
            members,
            joined,
            invited,
            mut others,
            ..
        } = flat;
        let states = &self.inner.states;
        let since = states.diff(whole.state, head.state, &head.unwritten)?;
        let since = since.into_iter().map(|difference| difference.hash);
        let ready_yet_changed: Vec<_> = since.filter(|place| others.insert(*place)).collect();
        head.joined += joined;
        head.invited += invited;
        // What the room looked up may be otherwise now.
        head.known.clear();
        head.mended = Some(MendedMembers {
            at,
            records: members,
        });
        for place in ready_yet_changed {
            if let Some((user, membership)) =
                whole.find(&place).and_then(|known| known.member.as_ref())
            {
                self.unready(room, head, (user, *membership), batch)?;
            }
        }
        let mut locals = Vec::new();
        for place in others {
            let states = &self.inner.states;
            let old = states.get(before, &place, &head.unwritten)?;
            let new = states.get(head.state, &place, &head.unwritten)?;
            if old == new {
                continue;
            }
            self.change_entry(room, head, (old, new), at, batch)?;
            for event in [old, new].into_iter().flatten().take(1) {
                let event = self.here_at(head, event)?;
                let is_member = event.pdu.kind == TimelineEventType::RoomMember;
                let user = event.pdu.state_key.as_deref().filter(|_| is_member);
                let user = user.filter(|user| self.is_local_name(user));
                locals.extend(user.map(str::to_owned));
            }
        }
        Ok(locals)
    }

    /// Takes back what was made ready of a member.
    fn unready(
        &self,
        room: &Room,
        head: &mut Head,
        (user, membership): (&String, Membership),
        batch: &mut Batch,
    ) -> Result<()> {
        let kind = TimelineEventType::RoomMember.to_string();
        let Some(mended) = &mut head.mended else {
            return Ok(());
        };
        if mended.records.remove(user).is_none() {
            return Ok(());
        }
        head.joined -= u64::from(membership == Membership::Join);
        head.invited -= u64::from(membership == Membership::Invite);
        batch.delete(&CURRENT_STATE, (room.number, &kind, user));
        let last = match head.memberships.get(user) {
            Some((_, record)) => Some(*record),
            None => self.store().get(&MEMBERSHIPS, (user, room.number))?,
        };
        match last {
            Some(last) => batch.put(&MEMBERSHIPS, (user, room.number), &last),
            None => batch.delete(&MEMBERSHIPS, (user, room.number)),
        };
        Ok(())
    }
}
