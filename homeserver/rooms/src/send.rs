//! Sending: messages, state, redactions.

use std::sync::Arc;

use orvale_storage::{
    Position,
    trees::rooms::{Membership, RELATIONS},
};
use ruma::{
    EventId, MilliSecondsSinceUnixEpoch, OwnedEventId, RoomId, UserId,
    events::{
        MessageLikeEventType, StateEventType, TimelineEventType, room::guest_access::GuestAccess,
    },
};
use serde::Deserialize;
use serde_json::{json, value::RawValue};

use crate::{
    Draft, Request, Room, Rooms, View,
    append::relation_in,
    error::{Error, Result},
    join::own_content,
    json::{Object, object, raw},
    member::MemberContent,
    moderate::forbidden,
    threads::THREAD,
};

/// An event that a user wants to send.
#[derive(Debug, Clone)]
pub struct Message {
    /// Its type.
    pub kind: MessageLikeEventType,
    /// Its content.
    pub content: Box<RawValue>,
    /// When it was sent, if that is not now.
    pub timestamp: Option<MilliSecondsSinceUnixEpoch>,
}

/// A state event that a user wants to send.
#[derive(Debug, Clone)]
pub struct NewState {
    /// Its type.
    pub kind: StateEventType,
    /// Its state key.
    pub state_key: String,
    /// Its content.
    pub content: Box<RawValue>,
    /// When it was sent, if that is not now.
    pub timestamp: Option<MilliSecondsSinceUnixEpoch>,
}

/// Which of a device's requests this is.
#[derive(Debug, Clone, Copy)]
pub struct Txn<'a> {
    /// The device.
    pub device: &'a str,
    /// The ID that it gave the request.
    pub id: &'a str,
}

/// What an annotation says.
#[derive(Deserialize)]
struct Annotation {
    #[serde(rename = "m.relates_to")]
    relates_to: Annotates,
}

#[derive(Deserialize)]
struct Annotates {
    event_id: OwnedEventId,
    rel_type: String,
    key: String,
}

const ANNOTATION: &str = "m.annotation";

impl Rooms {
    /// Sends a message-like event; the same request again finds the event it made.
    ///
    /// # Errors
    /// [`Error::NotJoined`], [`Error::Forbidden`], [`Error::BadContent`], [`Error::DuplicateAnnotation`].
    pub async fn send(
        &self,
        user: &UserId,
        room: &RoomId,
        message: Message,
        txn: Txn<'_>,
    ) -> Result<OwnedEventId> {
        let room = self.find(room)?.ok_or(Error::NotJoined)?;
        let kind = TimelineEventType::from(message.kind.to_string());
        let redacts = match kind {
            TimelineEventType::RoomRedaction => Some(redacted_by(&message.content)?),
            // As a message it would be no state, and no other server would take it.
            TimelineEventType::RoomCreate => return Err(forbidden("a room is created once")),
            _ => None,
        };
        if let Some(root) = thread(&message.content)
            && self.is_joined(user, &room)?
        {
            self.check_new_thread(room.number, &root)?;
        }
        let request = request(&room, txn, "send", &kind.to_string());
        let draft = Draft {
            redacts,
            timestamp: message.timestamp,
            request: Some(request),
            ..Draft::message(user, kind, message.content)
        };
        self.send_draft(user, &room, draft).await
    }

    /// Redacts an event; the same request again finds the redaction it made.
    ///
    /// # Errors
    /// [`Error::NotJoined`], [`Error::UnknownEvent`], [`Error::Forbidden`].
    pub async fn redact(
        &self,
        user: &UserId,
        room: &RoomId,
        event: &EventId,
        reason: Option<&str>,
        txn: Txn<'_>,
    ) -> Result<OwnedEventId> {
        let room = self.find(room)?.ok_or(Error::NotJoined)?;
        let content = match reason {
            Some(reason) => raw(&json!({"reason": reason})),
            None => raw(&json!({})),
        };
        let draft = Draft {
            redacts: Some(event.to_owned()),
            request: Some(request(&room, txn, "redact", event.as_str())),
            ..Draft::message(user, TimelineEventType::RoomRedaction, content)
        };
        self.send_draft(user, &room, draft).await
    }

    async fn send_draft(
        &self,
        user: &UserId,
        room: &Arc<Room>,
        draft: Draft,
    ) -> Result<OwnedEventId> {
        let annotation = annotation(&draft.content);
        // The many annotations that were there before are looked through before the lock is taken.
        let (seen, is_duplicate) = match &annotation {
            Some(annotation) => {
                let seen = self.store().visible();
                (
                    seen,
                    self.is_annotated(user, &draft.kind, annotation, Position::START, seen)?,
                )
            }
            None => (self.store().visible(), false),
        };
        let mut appended = self
            .append(room, |view| {
                if view.membership(user)? != Some(Membership::Join) {
                    return Err(Error::NotJoined);
                }
                // A request made again finds what it did, however late.
                if !view.has_request(&draft)? {
                    self.ask_policy(view, &draft)?;
                }
                if let Some(annotation) = &annotation
                    && !view.has_request(&draft)?
                {
                    let later =
                        self.is_annotated(user, &draft.kind, annotation, seen, Position::END)?;
                    if is_duplicate
                        || later
                        || view.is_being_annotated(user, &draft.kind, annotation)
                    {
                        return Err(Error::DuplicateAnnotation);
                    }
                }
                Ok(vec![draft])
            })
            .await?;
        self.typing().stop(room.number, user);
        metrics::counter!("orvale_rooms_events_sent").increment(1);
        Ok(appended
            .pop()
            .expect("one draft gives one outcome")
            .event_id)
    }

    /// Whether a user has annotated an event in this way, after one position and up to another.
    fn is_annotated(
        &self,
        user: &UserId,
        kind: &TimelineEventType,
        annotation: &Annotates,
        after: Position,
        up_to: Position,
    ) -> Result<bool> {
        let Annotates { event_id, key, .. } = annotation;
        let from = (event_id, ANNOTATION, after.next());
        let to = (event_id, ANNOTATION, up_to.next());
        let found = self
            .store()
            .range(&RELATIONS, from, to, false, usize::MAX)?;
        let kind = kind.to_string();
        Ok(found
            .iter()
            .any(|(_, r)| r.sender == user.as_str() && r.key == *key && r.kind == kind))
    }

    /// Sends a state event. A member event is the change of membership that it is.
    ///
    /// # Errors
    /// [`Error::NotJoined`], [`Error::Forbidden`], [`Error::BadContent`], [`Error::BadAlias`].
    pub async fn send_state(
        &self,
        user: &UserId,
        room: &RoomId,
        state: NewState,
    ) -> Result<OwnedEventId> {
        let room = self.find(room)?.ok_or(Error::NotJoined)?;
        let NewState {
            kind,
            state_key,
            content,
            timestamp,
        } = state;
        if kind == StateEventType::RoomMember {
            let content = object(&content)?;
            return self
                .send_member(user, &room, &state_key, content, timestamp)
                .await;
        }
        if kind == StateEventType::RoomCreate {
            return Err(forbidden("a room is created once"));
        }
        let closes_to_guests = closes_to_guests(&kind, &state_key, &content);
        let mut appended = self
            .append(&room, |view| {
                if view.membership(user)? != Some(Membership::Join) {
                    return Err(Error::NotJoined);
                }
                self.check_state_in(view, &kind, &state_key, &content)?;
                let draft = Draft::state(user, kind, &state_key, content);
                Ok(vec![Draft { timestamp, ..draft }])
            })
            .await?;
        if closes_to_guests {
            self.put_guests_out(&room).await?;
        }
        Ok(appended
            .pop()
            .expect("one draft gives one outcome")
            .event_id)
    }

    /// Makes the guests among this server's users leave a room that no longer admits them. None can have joined since.
    async fn put_guests_out(&self, room: &Arc<Room>) -> Result<()> {
        for (id, record) in self.list_state_keys(room, &StateEventType::RoomMember)? {
            let Ok(member) = UserId::parse(id) else {
                continue;
            };
            if record.membership != Some(Membership::Join)
                || !self.is_local(&member)
                || !self.users().is_guest(&member)?
            {
                continue;
            }
            let reason = "this room no longer admits guests";
            match self.leave(&member, room, Some(reason)).await {
                Ok(()) | Err(Error::NotJoined | Error::Forbidden(_)) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    async fn send_member(
        &self,
        sender: &UserId,
        room: &Arc<Room>,
        target: &str,
        content: Object,
        timestamp: Option<MilliSecondsSinceUnixEpoch>,
    ) -> Result<OwnedEventId> {
        let bad = |what: &str| Error::BadContent(what.to_owned());
        let target = UserId::parse(target)
            .map_err(|_| bad("the state key of m.room.member is a user ID"))?;
        let membership = content
            .get("membership")
            .and_then(|m| m.as_str())
            .map(ToOwned::to_owned);
        let membership = membership.ok_or_else(|| bad("m.room.member says a membership"))?;
        let content = own_content(content);
        let given = MemberContent::new(&membership).or(&content);
        if membership == "invite" {
            self.must_be_joined(sender, room)?;
            self.check_invitable(sender, &target)?;
        }
        let mut appended = self
            .append(room, |view| {
                let now = view.membership(&target)?;
                let draft = match membership.as_str() {
                    "join" if target != sender => {
                        return Err(forbidden("nobody joins for another"));
                    }
                    "join" if now == Some(Membership::Join) => given.draft(sender, &target),
                    "join" => self.join_draft(view, sender, given)?,
                    "leave" if target == sender && now.is_none() => return Err(Error::NotJoined),
                    "leave"
                        if target != sender && matches!(now, None | Some(Membership::Leave)) =>
                    {
                        return Err(forbidden("they are not in the room"));
                    }
                    "invite" if now == Some(Membership::Join) => {
                        return Err(forbidden("they are already in the room"));
                    }
                    "invite" | "leave" | "ban" | "knock" => given.draft(sender, &target),
                    _ => return Err(bad("a membership is invite, join, knock, leave or ban")),
                };
                Ok(vec![Draft { timestamp, ..draft }])
            })
            .await?;
        if membership == "leave" || membership == "ban" {
            self.typing().stop(room.number, &target);
        }
        Ok(appended
            .pop()
            .expect("one draft gives one outcome")
            .event_id)
    }
}

impl View<'_> {
    /// Whether an annotation like this is on its way to the disk.
    fn is_being_annotated(
        &self,
        user: &UserId,
        kind: &TimelineEventType,
        annotation: &Annotates,
    ) -> bool {
        let kind = kind.to_string();
        self.unwritten_relations(&annotation.event_id, ANNOTATION)
            .any(|r| r.sender == user.as_str() && r.key == annotation.key && r.kind == kind)
    }
}

/// Whether a state event keeps guests out.
fn closes_to_guests(kind: &StateEventType, state_key: &str, content: &RawValue) -> bool {
    #[derive(Deserialize)]
    struct Content {
        guest_access: GuestAccess,
    }
    *kind == StateEventType::RoomGuestAccess
        && state_key.is_empty()
        && serde_json::from_str::<Content>(content.get())
            .is_ok_and(|content| content.guest_access != GuestAccess::CanJoin)
}

/// The same transaction ID may be used in another room, for another type or endpoint.
fn request(room: &Room, txn: Txn<'_>, endpoint: &str, what: &str) -> Request {
    Request {
        device_id: txn.device.to_owned(),
        transaction_id: txn.id.to_owned(),
        scope: format!("{endpoint}|{}|{what}", room.number),
    }
}

fn annotation(content: &RawValue) -> Option<Annotates> {
    if !content.get().contains(ANNOTATION) {
        return None;
    }
    let annotation: Annotation = serde_json::from_str(content.get()).ok()?;
    Some(annotation.relates_to).filter(|relation| relation.rel_type == ANNOTATION)
}

/// The first event of the thread that a content belongs to.
fn thread(content: &RawValue) -> Option<OwnedEventId> {
    let (event_id, rel_type, _) = relation_in(content)?;
    (rel_type == THREAD).then_some(event_id)
}

/// The event that the content of a redaction names.
fn redacted_by(content: &RawValue) -> Result<OwnedEventId> {
    #[derive(Deserialize)]
    struct Content {
        redacts: OwnedEventId,
    }
    let content: Result<Content, _> = serde_json::from_str(content.get());
    content
        .map(|content| content.redacts)
        .map_err(|e| Error::BadContent(format!("a redaction names the event it redacts: {e}")))
}
