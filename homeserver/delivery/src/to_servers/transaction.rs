//! A transaction: what a server is told at once.

use std::collections::BTreeSet;

use orvale_rooms::Receipt;
use orvale_storage::{
    Entry, Position,
    trees::{
        delivery::{TO_SERVERS, ToServer},
        system::LOG,
    },
};
use orvale_users::CROSS_SIGNING_KEYS;
use ruma::{
    MilliSecondsSinceUnixEpoch, OwnedDeviceId, OwnedUserId, RoomId, ServerName, UserId,
    api::federation::transactions::{edu::Edu, send_transaction_message::v1::Request},
    serde::Raw,
};
use serde_json::{Value, json, value::RawValue};

use super::queue::Queues;
use crate::{Error, Result, delivery::Inner};

/// The most PDUs in a transaction.
pub(super) const MOST_PDUS: usize = 50;
/// The most EDUs in a transaction.
pub(super) const MOST_EDUS: usize = 100;

/// What a server is told at once.
pub(super) struct Transaction {
    /// `None` if what was to be told is no news any more.
    pub(super) request: Option<Request>,
    /// The places in the queue that it tells.
    pub(super) entries: Vec<Position>,
    /// Those of them that are messages to devices.
    pub(super) to_device: Vec<Position>,
}

/// What there is to tell of a place in the queue.
#[derive(Default)]
struct Parts {
    pdu: Option<Box<RawValue>>,
    edus: Vec<Raw<Edu>>,
    is_to_device: bool,
}

impl Inner {
    /// What a server is to be told next, from at most so many places of the queue; `None` for nothing.
    pub(super) fn next_transaction(
        &self,
        queues: &Queues,
        server: &ServerName,
        most: usize,
    ) -> Result<Option<Transaction>> {
        let (typing, presence) = queues.take_passing(server);
        let mut edus = Vec::new();
        for ((room_id, user_id), typing) in typing {
            let content = json!({ "room_id": room_id, "user_id": user_id, "typing": typing });
            edus.push(edu("m.typing", &content)?);
        }
        if !presence.is_empty() {
            edus.push(edu("m.presence", &self.presence_of(&presence)?)?);
        }
        let (from, to) = ((server, Position::START), (server, Position::END));
        let limit = most.min(MOST_PDUS + MOST_EDUS);
        let places = self
            .rooms
            .store()
            .range(&TO_SERVERS, from, to, false, limit)?;
        let mut pdus = Vec::new();
        let (mut entries, mut to_device) = (Vec::new(), Vec::new());
        for ((_, at), what) in places {
            let parts = self.parts(at, what)?;
            let fits = pdus.len() + usize::from(parts.pdu.is_some()) <= MOST_PDUS
                && edus.len() + parts.edus.len() <= MOST_EDUS;
            if !fits && !entries.is_empty() {
                break;
            }
            pdus.extend(parts.pdu);
            edus.extend(parts.edus);
            entries.push(at);
            if parts.is_to_device {
                to_device.push(at);
            }
        }
        if entries.is_empty() && edus.is_empty() {
            return Ok(None);
        }
        let request = (!pdus.is_empty() || !edus.is_empty()).then(|| {
            let mut request = Request::new(
                queues.next_transaction_id(),
                self.rooms.server_name_owned(),
                MilliSecondsSinceUnixEpoch::now(),
            );
            (request.pdus, request.edus) = (pdus, edus);
            request
        });
        Ok(Some(Transaction {
            request,
            entries,
            to_device,
        }))
    }

    fn parts(&self, at: Position, what: ToServer) -> Result<Parts> {
        let mut parts = Parts::default();
        match self.rooms.store().get(&LOG, (at,))? {
            Some(Entry::Event(_)) => {
                let event = self.rooms.event(at)?;
                parts.pdu = Some(pdu(&event.record.pdu)?);
                if what == ToServer::EntryAndDevices {
                    parts.edus.extend(self.all_devices(&event.pdu.sender, at)?);
                }
            }
            Some(Entry::Forward { event, .. }) => {
                parts.pdu = Some(pdu(&self.rooms.event(event)?.record.pdu)?);
            }
            Some(Entry::Receipt { room, .. }) => {
                if let Some(receipt) = self.rooms.public_receipt_at(room, at)? {
                    let room = self.rooms.get_number(room)?;
                    parts.edus.push(receipt_edu(&room.id, &receipt)?);
                }
            }
            Some(Entry::DeviceList { user_id }) => {
                if let Ok(user_id) = UserId::parse(user_id) {
                    parts.edus.extend(self.device_update(&user_id, at)?);
                }
            }
            Some(Entry::ToDeviceElsewhere { .. }) => {
                if let Some(content) = self.users.to_device_elsewhere(at)? {
                    let content: Value = content.parse().map_err(malformed)?;
                    parts.edus.push(edu("m.direct_to_device", &content)?);
                    parts.is_to_device = true;
                }
            }
            _ => {}
        }
        Ok(parts)
    }

    fn presence_of(&self, users: &BTreeSet<OwnedUserId>) -> Result<Value> {
        let mut push = Vec::new();
        for user_id in users {
            let now = self.users.presence().get(user_id)?;
            let mut update = json!({
                "user_id": user_id,
                "presence": now.presence,
                "last_active_ago": now.last_active_ago.unwrap_or_default(),
                "currently_active": now.currently_active,
            });
            if let Some(status) = now.status_msg {
                update["status_msg"] = status.into();
            }
            push.push(update);
        }
        Ok(json!({ "push": push }))
    }

    /// What changed of a user's devices at a position.
    fn device_update(&self, user_id: &UserId, at: Position) -> Result<Option<Raw<Edu>>> {
        let Some(device_id) = self.users.device_update(user_id, at)? else {
            return Ok(None);
        };
        if device_id == CROSS_SIGNING_KEYS {
            return self.signing_key_update(user_id);
        }
        let before = Position(at.0.saturating_sub(1));
        let prev = self.users.device_stream_id(user_id, before)?;
        let prev: Vec<u64> = (prev > 0).then_some(prev).into_iter().collect();
        self.device_edu(user_id, device_id.into(), at.0, &prev)
            .map(Some)
    }

    /// Something of a user's devices from which a server that does not follow them sees that it has to ask for all.
    fn all_devices(&self, user_id: &UserId, at: Position) -> Result<Option<Raw<Edu>>> {
        let stream_id = self.users.device_stream_id(user_id, at)?;
        let first = self.users.devices(user_id)?.into_iter().next();
        match first {
            Some(device) if stream_id > 0 => self
                .device_edu(user_id, device.device_id, stream_id, &[])
                .map(Some),
            _ => Ok(None),
        }
    }

    /// A device as it is now. (Its name is nobody's business elsewhere.)
    fn device_edu(
        &self,
        user_id: &UserId,
        device_id: OwnedDeviceId,
        stream_id: u64,
        prev: &[u64],
    ) -> Result<Raw<Edu>> {
        let mut content = json!({
            "user_id": user_id, "device_id": device_id, "stream_id": stream_id, "prev_id": prev,
        });
        let devices = self.users.devices(user_id)?;
        if devices.iter().any(|device| device.device_id == device_id) {
            let ids = [device_id];
            let keys = self.users.query_keys(user_id, &ids, user_id)?;
            if let Some(keys) = keys.get(&ids[0]) {
                let mut keys: Value = serde_json::from_str(keys.json().get()).map_err(malformed)?;
                if let Some(keys) = keys.as_object_mut() {
                    keys.remove("unsigned");
                }
                content["keys"] = keys;
            }
        } else {
            content["deleted"] = true.into();
        }
        edu("m.device_list_update", &content)
    }

    fn signing_key_update(&self, user_id: &UserId) -> Result<Option<Raw<Edu>>> {
        let keys = self.users.cross_signing_keys(user_id, user_id)?;
        if keys.master.is_none() {
            return Ok(None);
        }
        let mut content = json!({ "user_id": user_id });
        for (name, key) in [
            ("master_key", keys.master),
            ("self_signing_key", keys.self_signing),
        ] {
            if let Some(key) = key {
                content[name] = serde_json::from_str(key.json().get()).map_err(malformed)?;
            }
        }
        edu("m.signing_key_update", &content).map(Some)
    }
}

fn receipt_edu(room: &RoomId, receipt: &Receipt) -> Result<Raw<Edu>> {
    let mut data = json!({ "ts": receipt.timestamp });
    if let Some(thread) = &receipt.thread {
        data["thread_id"] = thread.as_str().into();
    }
    let of_user = json!({ "event_ids": [receipt.event_id], "data": data });
    let content = json!({
        room.as_str(): { "m.read": { receipt.user_id.as_str(): of_user } },
    });
    edu("m.receipt", &content)
}

fn edu(edu_type: &str, content: &Value) -> Result<Raw<Edu>> {
    let json = json!({ "edu_type": edu_type, "content": content });
    Raw::from_json_string(json.to_string()).map_err(malformed)
}

fn pdu(bytes: &[u8]) -> Result<Box<RawValue>> {
    let text = String::from_utf8_lossy(bytes).into_owned();
    RawValue::from_string(text).map_err(malformed)
}

fn malformed(error: serde_json::Error) -> Error {
    orvale_rooms::Error::Internal(format!("what is stored: {error}")).into()
}
