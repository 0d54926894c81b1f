//! Who may see which event: the history visibility at the event, and the reader's membership then and since.

use std::{collections::BTreeSet, sync::Arc};

use orvale_storage::trees::rooms::{Membership, MembershipRecord};
use ruma::{
    EventId, OwnedUserId, UserId,
    events::{StateEventType, TimelineEventType, room::history_visibility::HistoryVisibility},
};

use crate::{
    Rooms,
    append::membership,
    error::{Error, Result},
    event::{Reader, StoredEvent},
    room::Room,
    state::StateId,
    timeline::Order,
};

/// A reader of many events of one room. What is looked up for one event is kept for the next, which mostly shares its state.
pub struct Viewer<'a> {
    rooms: &'a Rooms,
    user: &'a UserId,
    device: Option<&'a str>,
    now: Option<MembershipRecord>,
    time: u64,
    last: Option<(StateId, Circumstances)>,
    ignored: Option<Arc<BTreeSet<OwnedUserId>>>,
}

/// What decides whether an event is shown, in one state of the room.
#[derive(Debug, Clone)]
struct Circumstances {
    visibility: HistoryVisibility,
    membership: Option<Membership>,
}

impl<'a> Viewer<'a> {
    /// A reader who stands in the room like this now.
    #[must_use]
    pub fn new(rooms: &'a Rooms, user: &'a UserId, now: Option<MembershipRecord>) -> Self {
        let time = u64::from(rooms.now().get());
        Self {
            rooms,
            user,
            device: None,
            now,
            time,
            last: None,
            ignored: None,
        }
    }

    /// Reads with a device, which is told the transaction IDs of what it sent.
    #[must_use]
    pub fn on(self, device: &'a str) -> Self {
        Self {
            device: Some(device),
            ..self
        }
    }

    /// Whether the reader may see an event of the room.
    ///
    /// # Errors
    /// Storage's.
    pub fn sees(&mut self, event: &StoredEvent) -> Result<bool> {
        let joined = |now: MembershipRecord| {
            now.membership == Membership::Join && event.order() >= Order::live(now.at())
        };
        if self.now.is_some_and(joined) || self.state_shows(event, event.state_before())? {
            return Ok(true);
        }
        // Who came or left, or opened or closed the history, sees the event that did it.
        let changes_visibility = event.pdu.kind == TimelineEventType::RoomHistoryVisibility
            || event.pdu.state_key.as_deref() == Some(self.user.as_str())
                && event.pdu.kind == TimelineEventType::RoomMember;
        Ok(changes_visibility && self.state_shows(event, event.state_after())?)
    }

    /// What is added to an event for this reader.
    ///
    /// # Errors
    /// Storage's.
    pub fn reader(&mut self, event: &StoredEvent) -> Result<Reader<'a>> {
        Ok(Reader {
            bundled: self.bundle(event)?,
            ..self.reader_alone(event)?
        })
    }

    pub(crate) fn rooms(&self) -> &'a Rooms {
        self.rooms
    }

    pub(crate) fn user(&self) -> &'a UserId {
        self.user
    }

    /// Whether the reader ignores somebody.
    ///
    /// # Errors
    /// Storage's.
    pub fn ignores(&mut self, user: &UserId) -> Result<bool> {
        let ignored = match &self.ignored {
            Some(ignored) => ignored,
            None => {
                let local = self.user.server_name() == self.rooms.server_name();
                let ignored = match local {
                    true => self.rooms.users().ignored_users(self.user)?,
                    false => Arc::default(),
                };
                self.ignored.insert(ignored)
            }
        };
        Ok(ignored.contains(user))
    }

    /// What is added to an event for this reader, but for what is bundled with it.
    pub(crate) fn reader_alone(&mut self, event: &StoredEvent) -> Result<Reader<'a>> {
        let membership = match self.now {
            Some(now) if event.order() >= Order::live(now.at()) => Some(now.membership),
            // A stranger never had another one.
            None => None,
            Some(_) => self.circumstances(event.state_after())?.membership,
        };
        Ok(Reader {
            device: self.device.map(|device| (self.user, device)),
            membership: Some(membership.unwrap_or(Membership::Leave).as_str()),
            now: self.time,
            bundled: None,
            instead: self.erased(event, membership)?,
        })
    }

    /// The redacted copy of an event whose sender was erased, for a reader who came after that: who was there then, or when it was sent, has seen it.
    fn erased(
        &self,
        event: &StoredEvent,
        then: Option<Membership>,
    ) -> Result<Option<Arc<StoredEvent>>> {
        let sender = &event.pdu.sender;
        let has_seen = then == Some(Membership::Join);
        // State stays what it is, or the room would be another for those who come later.
        if has_seen || event.pdu.state_key.is_some() || !self.rooms.users().is_erased(sender) {
            return Ok(None);
        }
        let room = self.rooms.get_number(event.room)?;
        // Erased users leave their rooms at once: who was there when this one left was there before.
        let left = self.rooms.find_membership(&room, sender)?;
        if let Some(left) = left {
            let state = self.rooms.event(left.event)?.state_before();
            let kind = StateEventType::RoomMember;
            let member = self.rooms.find_state_at(state, &kind, self.user.as_str())?;
            if member.and_then(|event| membership(&event.pdu)) == Some(Membership::Join) {
                return Ok(None);
            }
        }
        let mut record = event.record.clone();
        record.pdu = orvale_events::redact(&record.pdu, &room.rules)?.into();
        let (at, id, rules) = (event.position, &room.id, &room.rules);
        Ok(Some(Arc::new(StoredEvent::new(
            at, id, rules, record, None,
        )?)))
    }

    fn state_shows(&mut self, event: &StoredEvent, state: StateId) -> Result<bool> {
        let Circumstances {
            visibility,
            membership,
        } = self.circumstances(state)?;
        Ok(match (visibility, membership) {
            (HistoryVisibility::WorldReadable, _)
            | (_, Some(Membership::Join))
            | (HistoryVisibility::Invited, Some(Membership::Invite)) => true,
            (HistoryVisibility::Shared, _) => self.joined_after(event)?,
            _ => false,
        })
    }

    fn circumstances(&mut self, state: StateId) -> Result<Circumstances> {
        if let Some((of, known)) = &self.last
            && *of == state
        {
            return Ok(known.clone());
        }
        let visibility =
            self.rooms
                .find_state_at(state, &StateEventType::RoomHistoryVisibility, "")?;
        let visibility = visibility.and_then(|event| event.pdu.content_field("history_visibility"));
        let member =
            self.rooms
                .find_state_at(state, &StateEventType::RoomMember, self.user.as_str())?;
        let found = Circumstances {
            visibility: visibility.unwrap_or(HistoryVisibility::Shared),
            membership: member.and_then(|event| membership(&event.pdu)),
        };
        self.last = Some((state, found.clone()));
        Ok(found)
    }

    /// Whether the reader was joined at any time after an event.
    fn joined_after(&self, event: &StoredEvent) -> Result<bool> {
        let Some(now) = self.now.filter(|now| now.was_joined) else {
            return Ok(false);
        };
        let mut at = Some(self.rooms.event(now.event)?);
        while let Some(member) = at.filter(|member| member.order() > event.order()) {
            if membership(&member.pdu) == Some(Membership::Join) {
                return Ok(true);
            }
            at = self.rooms.member_before(&member)?;
        }
        Ok(false)
    }
}

impl Rooms {
    /// Whether a user may see an event.
    ///
    /// # Errors
    /// Storage's.
    pub fn may_see(&self, user: &UserId, event: &StoredEvent) -> Result<bool> {
        let room = self.get_number(event.room)?;
        let now = self.find_membership(&room, user)?;
        self.may_see_as(user, now.as_ref(), &room, event)
    }

    /// As [`Rooms::may_see`], the user's membership now being known. For many events, [`Viewer::sees`].
    ///
    /// # Errors
    /// Storage's.
    pub fn may_see_as(
        &self,
        user: &UserId,
        now: Option<&MembershipRecord>,
        room: &Room,
        event: &StoredEvent,
    ) -> Result<bool> {
        debug_assert_eq!(room.number, event.room);
        Viewer::new(self, user, now.copied()).sees(event)
    }

    /// The event of this ID if it is in this room and the user may see it.
    ///
    /// # Errors
    /// [`Error::UnknownEvent`] else: whether it exists is not told.
    pub fn visible_event(
        &self,
        user: &UserId,
        room: &Room,
        id: &EventId,
    ) -> Result<Arc<StoredEvent>> {
        let event = self.find_event(id)?;
        let event = event.filter(|event| event.room == room.number && event.is_shown());
        match event {
            Some(event) if self.may_see(user, &event)? => Ok(event),
            _ => Err(Error::UnknownEvent(id.to_owned())),
        }
    }
}
