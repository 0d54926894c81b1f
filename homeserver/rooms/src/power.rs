//! Power levels: what a user may do in a room.

use std::sync::Arc;

use orvale_events::Pdu;
use ruma::{
    events::{
        StateEventType,
        room::power_levels::{RoomPowerLevels, RoomPowerLevelsEventContent, RoomPowerLevelsSource},
    },
    state_res::events::RoomCreateEvent,
};

use crate::{
    Rooms, View,
    error::{Error, Result},
    room::Room,
};

/// The power levels that a state gives; those of a room without such an event if it has none, or one that is malformed.
///
/// # Errors
/// If the state has no valid `m.room.create`.
pub(crate) fn of_state(
    room: &Room,
    state: impl Fn(&StateEventType, &str) -> Option<Arc<Pdu>>,
) -> Result<RoomPowerLevels> {
    let create = state(&StateEventType::RoomCreate, "")
        .ok_or_else(|| Error::Internal("a room without create".to_owned()))?;
    let creators = RoomCreateEvent::new(&*create)
        .creators(&room.rules.authorization)
        .map_err(Error::Internal)?;
    let content = state(&StateEventType::RoomPowerLevels, "")
        .and_then(|pdu| pdu.content_as::<RoomPowerLevelsEventContent>().ok());
    let source = content.map_or(RoomPowerLevelsSource::None, RoomPowerLevelsSource::Original);
    Ok(RoomPowerLevels::new(
        source,
        &room.rules.authorization,
        creators,
    ))
}

impl Rooms {
    /// The power levels of a room now.
    ///
    /// # Errors
    /// Storage's.
    pub fn power_levels(&self, room: &Room) -> Result<RoomPowerLevels> {
        let create = self.find_state(room, &StateEventType::RoomCreate, "")?;
        let levels = self.find_state(room, &StateEventType::RoomPowerLevels, "")?;
        of_state(room, |kind, _| match kind {
            StateEventType::RoomCreate => create.as_ref().map(|e| e.pdu.clone()),
            StateEventType::RoomPowerLevels => levels.as_ref().map(|e| e.pdu.clone()),
            _ => None,
        })
    }
}

impl View<'_> {
    /// The power levels of the room as it stands.
    ///
    /// # Errors
    /// Storage's.
    pub fn power_levels(&mut self) -> Result<RoomPowerLevels> {
        let create = self.state(&StateEventType::RoomCreate, "")?;
        let levels = self.state(&StateEventType::RoomPowerLevels, "")?;
        of_state(self.room(), |kind, _| match kind {
            StateEventType::RoomCreate => create.clone(),
            StateEventType::RoomPowerLevels => levels.clone(),
            _ => None,
        })
    }
}
