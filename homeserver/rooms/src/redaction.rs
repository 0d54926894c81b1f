//! Redactions: who may redact what, and what becomes of the redacted event.

use std::sync::Arc;

use bytes::Bytes;
use orvale_events::Pdu;
use orvale_storage::{Batch, Entry, Position, trees::rooms::RELATIONS};
use ruma::{EventId, events::StateEventType};

use crate::{
    Rooms,
    error::{Error, Result},
    event::StoredEvent,
    room::{Head, Room},
};

/// The event that is to be redacted.
///
/// # Errors
/// [`Error::UnknownEvent`] if it is none of this room.
pub(crate) fn target(rooms: &Rooms, room: &Room, id: &EventId) -> Result<Option<Arc<StoredEvent>>> {
    let found = rooms
        .find_event(id)?
        .filter(|event| event.room == room.number);
    found
        .map(Some)
        .ok_or_else(|| Error::UnknownEvent(id.to_owned()))
}

/// Whether a local user may redact this event: their own, or any with the power to redact.
pub(crate) fn allowed(
    room: &Room,
    redaction: &Pdu,
    target: &StoredEvent,
    state: impl Fn(&StateEventType, &str) -> Option<Arc<Pdu>>,
) -> Result<()> {
    if redaction.sender == target.pdu.sender {
        return Ok(());
    }
    if crate::power::of_state(room, state)?.user_can_redact_event_of_other(&redaction.sender) {
        return Ok(());
    }
    Err(Error::Forbidden(
        "you may redact your own events; others' need the power to redact".to_owned(),
    ))
}

/// Takes the target's content away, in what is stored and in what is remembered.
pub(crate) fn apply(
    rooms: &Rooms,
    room: &Room,
    head: &mut Head,
    target: &StoredEvent,
    (redaction, at): (&Arc<Pdu>, Position),
    batch: &mut Batch,
) -> Result<()> {
    if target.record.unsigned.starts_with(REDACTED) {
        return Ok(());
    }
    if head.is_partial {
        let whole = target.record.pdu.clone();
        Rooms::keep_redacted(room, head, (target.position, whole), at, batch);
    }
    let mut record = target.record.clone();
    record.pdu = orvale_events::redact(&target.record.pdu, &room.rules)?.into();
    record.unsigned = unsigned(redaction)?;
    batch.rewrite(target.position, &Entry::Event(record.clone()));
    if let Some((parent, rel_type, _)) = crate::append::relation(&target.pdu) {
        batch.delete(&RELATIONS, (parent, rel_type, target.position));
    }
    let redacted = Arc::new(StoredEvent::new(
        target.position,
        &room.id,
        &room.rules,
        record,
        None,
    )?);
    if let Some(key) = &target.pdu.state_key {
        let known = (target.pdu.kind.to_string().into(), key.clone());
        if let Some((known_at, Some(pdu))) = head.known.get(&known)
            && pdu.event_id == target.pdu.event_id
        {
            let known_at = *known_at;
            head.known.set(known, known_at, Some(redacted.pdu.clone()));
        }
        // Events that replaced it show its former content.
        rooms
            .inner
            .events
            .retain(|_, event| event.room != room.number || event.pdu.state_key.is_none());
    }
    rooms.inner.events.insert(target.position, redacted);
    Ok(())
}

const REDACTED: &[u8] = b"\"redacted_because\":";

/// `unsigned` of an event that was redacted, as it is stored.
pub(crate) fn unsigned(redaction: &Pdu) -> Result<Bytes> {
    Ok([REDACTED, because(redaction)?.as_bytes()].concat().into())
}

/// The redaction as `unsigned.redacted_because` shows it.
fn because(redaction: &Pdu) -> Result<String> {
    let content = redaction.content.get();
    let text = serde_json::json!({
        "content": serde_json::from_str::<serde_json::Value>(content).map_err(|e| Error::Internal(e.to_string()))?,
        "event_id": redaction.event_id,
        "origin_server_ts": redaction.origin_server_ts,
        "redacts": redaction.redacts,
        "room_id": redaction.room_id,
        "sender": redaction.sender,
        "type": redaction.kind,
        "unsigned": {},
    });
    Ok(text.to_string())
}

impl StoredEvent {
    /// Whether it was redacted.
    #[must_use]
    pub fn is_redacted(&self) -> bool {
        self.record.unsigned.starts_with(REDACTED)
    }
}
