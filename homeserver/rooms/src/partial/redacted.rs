//! Redactions while not all members of a room are known: what they take is shown to nobody, and kept aside until it can be said whether
//! they may.

use std::sync::Arc;

use bytes::Bytes;
use orvale_storage::{
    Batch, Entry, Position, Standing,
    trees::rooms::{PARTIAL_REDACTED, RedactedRecord},
};

use super::mend::Mending;
use crate::{Room, Rooms, StoredEvent, append::put_relation, error::Result, redaction, room::Head};

impl Rooms {
    /// Keeps an event as it is before a redaction: its number, and the PDU.
    pub(crate) fn keep_redacted(
        room: &Room,
        head: &mut Head,
        (number, pdu): (Position, Bytes),
        at: Position,
        batch: &mut Batch,
    ) {
        let record = RedactedRecord { pdu };
        batch.put(&PARTIAL_REDACTED, (room.number, number), &record);
        head.redacted.push((at, number, record));
    }

    /// The events of a room that were redacted since the join, as they were.
    pub(super) fn kept_redacted(
        &self,
        room: &Room,
        head: &Head,
    ) -> Result<Vec<(Position, RedactedRecord)>> {
        let noted = self
            .store()
            .prefix(&PARTIAL_REDACTED, (room.number,), usize::MAX)?;
        let noted = noted
            .into_iter()
            .map(|((_, number), record)| (number, record));
        let flying = head.redacted.iter();
        let flying = flying.map(|(_, number, record)| (*number, record.clone()));
        Ok(noted.chain(flying).collect())
    }
}

impl Mending<'_> {
    /// Sets an event right that was redacted since the join: it stays so by the first of the redactions that may, and is as it was if none of
    /// them may.
    pub(super) fn redacted(
        &mut self,
        number: Position,
        kept: RedactedRecord,
        mended: &[Arc<StoredEvent>],
        slot: Position,
    ) -> Result<Arc<StoredEvent>> {
        let (rooms, room) = (self.rooms, self.room);
        let found = mended.iter().find(|event| event.position == number);
        let event = match found {
            Some(event) => event.clone(),
            None => rooms.here_at(self.head, number)?,
        };
        let mut record = event.record.clone();
        let before = match &event.pdu.state_key {
            Some(key) if event.has_state() => {
                let kind = event.pdu.kind.to_string().into();
                rooms.state_here(self.head, event.state_before(), &kind, key)?
            }
            _ => None,
        };
        match self.redaction_of(&event, mended)? {
            Some(by) => record.unsigned = redaction::unsigned(&by.pdu)?,
            None => {
                tracing::info!(event_id = %event.event_id(), "the redaction of an event turns out to be forbidden");
                record.pdu = kept.pdu;
                let replaced = before.as_ref().map(|before| before.event_id());
                record.unsigned = replaced
                    .map(StoredEvent::unsigned_replacing)
                    .unwrap_or_default();
            }
        }
        let is_accepted = record.standing == Standing::Accepted;
        let event = StoredEvent::new(number, &room.id, &room.rules, record, before.as_deref())?;
        let event = Arc::new(event);
        self.batch
            .rewrite(number, &Entry::Event(event.record.clone()));
        if is_accepted
            && let Some((parent, rel_type, record)) =
                put_relation(room, &event.pdu, number, self.batch)
        {
            rooms.inner.relations.gained(self.at());
            let related = (self.at(), parent, rel_type, record);
            self.head.relations.push(related);
        }
        if event.pdu.state_key.is_some() {
            // Events that replaced it show its content.
            let others = |_: &Position, other: &Arc<StoredEvent>| {
                other.room != room.number || other.pdu.state_key.is_none()
            };
            rooms.inner.events.retain(others);
        }
        self.head.flight.insert(slot, event.clone());
        Ok(event)
    }

    /// The first redaction of an event that may.
    fn redaction_of(
        &self,
        event: &StoredEvent,
        mended: &[Arc<StoredEvent>],
    ) -> Result<Option<Arc<StoredEvent>>> {
        for by in mended {
            let is_meant = by.pdu.redacts.as_deref() == Some(event.event_id())
                && by.record.standing == Standing::Accepted;
            if is_meant
                && self
                    .rooms
                    .redacted_by(self.room, self.head, &by.pdu, by.state_before())?
                    .is_some()
            {
                return Ok(Some(by.clone()));
            }
        }
        Ok(None)
    }
}
