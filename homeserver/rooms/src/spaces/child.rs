//! What puts a room into a space.

use std::sync::Arc;

use ruma::{MilliSecondsSinceUnixEpoch, OwnedRoomId, OwnedServerName, events::StateEventType};
use serde::Deserialize;
use serde_json::{Value, value::RawValue};

use crate::{Room, Rooms, StoredEvent, error::Result};

/// How many servers of a child are remembered.
const MAX_VIA: usize = 5;

/// The longest `order` that counts.
const MAX_ORDER: usize = 50;

/// A room in a space, as the space's state says.
#[derive(Debug, Clone)]
pub(crate) struct Child {
    pub(crate) room_id: OwnedRoomId,
    pub(crate) is_suggested: bool,
    order: Option<String>,
    timestamp: MilliSecondsSinceUnixEpoch,
    /// Servers that know it.
    pub(super) via: Vec<OwnedServerName>,
    /// The stripped event.
    pub(crate) json: Arc<RawValue>,
}

impl Child {
    pub(crate) fn bytes(&self) -> usize {
        2 * self.room_id.as_str().len() + self.json.get().len() + 150
    }
}

impl Rooms {
    /// The rooms that a space's state puts into it, in the order they are shown in.
    pub(crate) fn children(&self, space: &Room) -> Result<Vec<Child>> {
        let keys = self.list_state_keys(space, &StateEventType::SpaceChild)?;
        let mut children = Vec::with_capacity(keys.len());
        for (room_id, record) in keys {
            let event = self.event(record.event)?;
            if let Ok(room_id) = OwnedRoomId::try_from(room_id) {
                children.extend(child(room_id, &event));
            }
        }
        children.sort_by(|a, b| place(a).cmp(&place(b)));
        Ok(children)
    }
}

/// Those with an order come first.
pub(super) fn place(child: &Child) -> impl Ord + use<'_> {
    let Child {
        order,
        timestamp,
        room_id,
        ..
    } = child;
    (order.is_none(), order, timestamp, room_id)
}

/// The room that an event puts into a space. Without servers to reach it by, it is taken out.
fn child(room_id: OwnedRoomId, event: &StoredEvent) -> Option<Child> {
    let json = serde_json::json!({
        "type": event.pdu.kind,
        "state_key": room_id,
        "sender": event.pdu.sender,
        "origin_server_ts": event.pdu.origin_server_ts,
        "content": &event.pdu.content,
    });
    child_of_json(&serde_json::value::to_raw_value(&json).ok()?)
}

/// The room that a stripped event puts into a space.
pub(super) fn child_of_json(json: &RawValue) -> Option<Child> {
    #[derive(Deserialize)]
    struct Event {
        state_key: OwnedRoomId,
        origin_server_ts: MilliSecondsSinceUnixEpoch,
        content: Content,
    }
    #[derive(Deserialize)]
    struct Content {
        via: Vec<String>,
        #[serde(default)]
        suggested: Value,
        #[serde(default)]
        order: Value,
    }
    let event: Event = serde_json::from_str(json.get()).ok()?;
    let Content {
        via,
        suggested,
        order,
    } = event.content;
    if via.is_empty() {
        return None;
    }
    let is_valid = |order: &&str| {
        order.len() <= MAX_ORDER && order.bytes().all(|byte| (b' '..=b'~').contains(&byte))
    };
    let via = via.into_iter().filter_map(|server| server.try_into().ok());
    Some(Child {
        is_suggested: suggested.as_bool().unwrap_or(false),
        order: order.as_str().filter(is_valid).map(ToOwned::to_owned),
        timestamp: event.origin_server_ts,
        via: via.take(MAX_VIA).collect(),
        json: json.to_owned().into(),
        room_id: event.state_key,
    })
}
