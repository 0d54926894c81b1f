//! An event as it is read: what is stored, and the form clients get.

use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use orvale_events::Pdu;
use orvale_storage::{EventRecord, Place, Position, Standing};
use ruma::{
    EventId, OwnedEventId, OwnedRoomId, RoomId, UserId, room_version_rules::RoomVersionRules,
};
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::{
    error::{Error, Result},
    state::StateId,
    timeline::Order,
};

/// An event of a room, with its number. Shared by all who read it; its form for clients is made once.
#[derive(Debug)]
pub struct StoredEvent {
    /// Its number: its position in the log.
    pub position: Position,
    /// Its room's number.
    pub room: Position,
    /// Its room's ID.
    pub room_id: OwnedRoomId,
    /// The event itself.
    pub pdu: Arc<Pdu>,
    /// What is stored.
    pub record: EventRecord,
    /// `unsigned` for every reader, as the inside of a JSON object.
    unsigned: Bytes,
    client: OnceLock<Bytes>,
}

/// What may be added to an event for one reader.
#[derive(Debug, Default, Clone)]
pub struct Reader<'a> {
    /// The device that reads: it is told the transaction ID of what it sent.
    pub device: Option<(&'a UserId, &'a str)>,
    /// The reader's membership when the event was sent (`unsigned.membership`).
    pub membership: Option<&'static str>,
    /// The time now in milliseconds, for `unsigned.age`.
    pub now: u64,
    /// More of `unsigned`, as the inside of a JSON object: bundled aggregations (`"m.relations":{…}`).
    pub bundled: Option<Box<str>>,
    /// What this reader is shown in the place of the event: the redacted copy of one whose sender was erased.
    pub instead: Option<Arc<StoredEvent>>,
}

const REPLACES: &str = "\"replaces_state\":\"";

/// The parts of a PDU that clients see, unparsed.
#[derive(Deserialize)]
struct Parts<'a> {
    #[serde(borrow)]
    content: &'a RawValue,
    #[serde(borrow)]
    origin_server_ts: &'a RawValue,
    #[serde(borrow)]
    sender: &'a RawValue,
    #[serde(borrow, default)]
    state_key: Option<&'a RawValue>,
    #[serde(borrow, rename = "type")]
    kind: &'a RawValue,
    #[serde(borrow, default)]
    redacts: Option<&'a RawValue>,
}

impl StoredEvent {
    /// The event of a record. `replaced` is the state event before it, if it [replaces](Self::replaces) one.
    pub(crate) fn new(
        position: Position,
        room_id: &RoomId,
        rules: &RoomVersionRules,
        record: EventRecord,
        replaced: Option<&Self>,
    ) -> Result<Self> {
        let corrupt = |reason: String| orvale_storage::Error::Corrupt {
            tree: "log",
            reason,
        };
        let id =
            OwnedEventId::try_from(record.event_id.as_str()).map_err(|e| corrupt(e.to_string()))?;
        let mut pdu = Pdu::parse(id, room_id.to_owned(), &record.pdu, rules)
            .map_err(|e| corrupt(e.to_string()))?;
        pdu.rejected = record.standing == Standing::Rejected;
        Ok(Self::with_pdu(
            position,
            Arc::new(pdu),
            record,
            replaced.map(|e| &*e.pdu),
        ))
    }

    pub(crate) fn with_pdu(
        position: Position,
        pdu: Arc<Pdu>,
        record: EventRecord,
        replaced: Option<&Pdu>,
    ) -> Self {
        let room_id = pdu.room_id.clone();
        // Looked up when read, not stored: a redaction of the former event must take its content from here too.
        let unsigned = match replaced {
            Some(before) => {
                let (stored, content) = (
                    String::from_utf8_lossy(&record.unsigned),
                    before.content.get(),
                );
                let sender = before.sender.as_str();
                format!("{stored},\"prev_content\":{content},\"prev_sender\":\"{sender}\"").into()
            }
            None => record.unsigned.clone(),
        };
        Self {
            position,
            room: record.room,
            room_id,
            pdu,
            record,
            unsigned,
            client: OnceLock::new(),
        }
    }

    /// `unsigned` of a state event that replaces another.
    pub(crate) fn unsigned_replacing(before: &EventId) -> Bytes {
        format!("{REPLACES}{before}\"").into()
    }

    /// The state event that a record's event replaced.
    pub(crate) fn replaces(record: &EventRecord) -> Option<&EventId> {
        let id = std::str::from_utf8(&record.unsigned)
            .ok()?
            .strip_prefix(REPLACES)?
            .strip_suffix('"')?;
        <&EventId>::try_from(id).ok()
    }

    /// Its ID.
    #[must_use]
    pub fn event_id(&self) -> &EventId {
        &self.pdu.event_id
    }

    /// The state before it.
    #[must_use]
    pub fn state_before(&self) -> StateId {
        StateId(self.record.state_before)
    }

    /// The state after it.
    #[must_use]
    pub fn state_after(&self) -> StateId {
        StateId(self.record.state_after)
    }

    /// The room's state before it came: with what was in the room besides, if it did not follow all of that.
    #[must_use]
    pub fn room_before(&self) -> StateId {
        StateId(match self.record.place {
            Place::Live | Place::Past { .. } => self.record.state_before,
            Place::Merged { before, .. } | Place::Late { before, .. } => before,
        })
    }

    /// The room's state after it came.
    #[must_use]
    pub fn room_after(&self) -> StateId {
        StateId(match self.record.place {
            Place::Live | Place::Past { .. } => self.record.state_after,
            Place::Merged { after, .. } | Place::Late { after, .. } => after,
        })
    }

    /// Its place in the timeline, if it is accepted.
    #[must_use]
    pub fn order(&self) -> Order {
        match self.record.place {
            Place::Live | Place::Merged { .. } => Order::live(self.position),
            Place::Late { order, .. } | Place::Past { order } => Order(order),
        }
    }

    /// The client form up to the inside of `unsigned`, without the first brace.
    fn client(&self) -> Result<&Bytes> {
        if let Some(made) = self.client.get() {
            return Ok(made);
        }
        let malformed =
            |e: serde_json::Error| Error::Internal(format!("event {}: {e}", self.pdu.event_id));
        let parts: Parts<'_> = serde_json::from_slice(&self.record.pdu).map_err(malformed)?;
        let mut out = String::with_capacity(self.record.pdu.len() + self.unsigned.len());
        let content = parts.content.get();
        out.push_str("\"content\":");
        // Clients find what a redaction redacts both at the top and in the content, whatever the room version.
        let redacts = self
            .pdu
            .redacts
            .as_ref()
            .map(|id| serde_json::to_string(id).expect("an ID is a string"));
        match (&redacts, parts.redacts) {
            (Some(id), Some(_)) if content == "{}" => {
                out.push_str(&format!("{{\"redacts\":{id}}}"));
            }
            (Some(id), Some(_)) if !content.contains("\"redacts\"") => {
                out.push_str(&format!(
                    "{},\"redacts\":{id}}}",
                    &content[..content.len() - 1]
                ));
            }
            _ => out.push_str(content),
        }
        out.push_str(",\"event_id\":\"");
        out.push_str(self.pdu.event_id.as_str());
        out.push_str("\",\"origin_server_ts\":");
        out.push_str(parts.origin_server_ts.get());
        if let Some(id) = redacts {
            out.push_str(",\"redacts\":");
            out.push_str(&id);
        }
        out.push_str(",\"sender\":");
        out.push_str(parts.sender.get());
        if let Some(key) = parts.state_key {
            out.push_str(",\"state_key\":");
            out.push_str(key.get());
        }
        out.push_str(",\"type\":");
        out.push_str(parts.kind.get());
        out.push_str(",\"unsigned\":{");
        out.push_str(std::str::from_utf8(&self.unsigned).unwrap_or_default());
        Ok(self.client.get_or_init(|| out.into()))
    }

    /// Appends the event as `/sync` shows it (without `room_id`).
    ///
    /// # Errors
    /// If what is stored is no event.
    pub fn write_sync_format(&self, reader: &Reader<'_>, out: &mut Vec<u8>) -> Result<()> {
        out.push(b'{');
        self.write_rest(reader, out)
    }

    /// Appends the event as every other endpoint shows it (with `room_id`).
    ///
    /// # Errors
    /// If what is stored is no event.
    pub fn write_client_format(&self, reader: &Reader<'_>, out: &mut Vec<u8>) -> Result<()> {
        out.extend_from_slice(b"{\"room_id\":\"");
        out.extend_from_slice(self.room_id.as_bytes());
        out.extend_from_slice(b"\",");
        self.write_rest(reader, out)
    }

    fn write_rest(&self, reader: &Reader<'_>, out: &mut Vec<u8>) -> Result<()> {
        use std::io::Write as _;
        if let Some(instead) = &reader.instead {
            let reader = Reader {
                instead: None,
                ..reader.clone()
            };
            return instead.write_rest(&reader, out);
        }
        let client = self.client()?;
        out.extend_from_slice(client);
        let mut comma = !self.unsigned.is_empty();
        let mut separate = |out: &mut Vec<u8>| {
            if std::mem::replace(&mut comma, true) {
                out.push(b',');
            }
        };
        if reader.now > 0 {
            let age = reader
                .now
                .saturating_sub(u64::from(self.pdu.origin_server_ts.get()));
            separate(out);
            write!(out, "\"age\":{age}").expect("writing to memory");
        }
        if let (Some((user, device)), Some(transaction)) = (reader.device, &self.record.transaction)
            && transaction.device_id == device
            && self.pdu.sender == user
        {
            separate(out);
            out.extend_from_slice(b"\"transaction_id\":");
            serde_json::to_writer(&mut *out, &transaction.transaction_id).expect("a string");
        }
        if let Some(membership) = reader.membership {
            separate(out);
            write!(out, "\"membership\":\"{membership}\"").expect("writing to memory");
        }
        if let Some(bundled) = &reader.bundled {
            separate(out);
            out.extend_from_slice(bundled.as_bytes());
        }
        out.extend_from_slice(b"}}");
        Ok(())
    }

    /// The event as every endpoint but `/sync` shows it.
    ///
    /// # Errors
    /// If what is stored is no event.
    pub fn client_format(&self, reader: &Reader<'_>) -> Result<Box<RawValue>> {
        let mut out = Vec::with_capacity(self.record.pdu.len() + 128);
        self.write_client_format(reader, &mut out)?;
        raw(out)
    }

    /// The event as `/sync` shows it.
    ///
    /// # Errors
    /// If what is stored is no event.
    pub fn sync_format(&self, reader: &Reader<'_>) -> Result<Box<RawValue>> {
        let mut out = Vec::with_capacity(self.record.pdu.len() + 128);
        self.write_sync_format(reader, &mut out)?;
        raw(out)
    }

    /// The event as a stripped state event: sender, type, state key, content.
    ///
    /// # Errors
    /// If what is stored is no event.
    pub fn stripped_format(&self) -> Result<Box<RawValue>> {
        let malformed =
            |e: serde_json::Error| Error::Internal(format!("event {}: {e}", self.pdu.event_id));
        let parts: Parts<'_> = serde_json::from_slice(&self.record.pdu).map_err(malformed)?;
        let state_key = parts.state_key.map_or("\"\"", RawValue::get);
        let (content, sender, kind) = (parts.content.get(), parts.sender.get(), parts.kind.get());
        raw(format!("{{\"content\":{content},\"sender\":{sender},\"state_key\":{state_key},\"type\":{kind}}}").into_bytes())
    }
}

fn raw(json: Vec<u8>) -> Result<Box<RawValue>> {
    let text = String::from_utf8(json).map_err(|e| Error::Internal(e.to_string()))?;
    RawValue::from_string(text).map_err(|e| Error::Internal(e.to_string()))
}

impl StoredEvent {
    /// Whether it is shown to clients at all: accepted, neither rejected nor soft-failed nor an outlier.
    #[must_use]
    pub fn is_shown(&self) -> bool {
        self.record.standing == Standing::Accepted
    }
}
