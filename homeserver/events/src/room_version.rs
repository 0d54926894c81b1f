//! The room versions we know, and who made a room.

use std::collections::HashSet;

use ruma::{
    OwnedUserId, RoomVersionId, UserId,
    room_version_rules::{AuthorizationRules, RoomVersionRules},
    state_res::events::RoomCreateEvent,
};

use crate::{Error, Pdu};

/// The room versions we know, oldest first. All are stable.
pub const SUPPORTED_ROOM_VERSIONS: [RoomVersionId; 7] = [
    RoomVersionId::V6,
    RoomVersionId::V7,
    RoomVersionId::V8,
    RoomVersionId::V9,
    RoomVersionId::V10,
    RoomVersionId::V11,
    RoomVersionId::V12,
];

/// The room version of new rooms, unless somebody asks for another.
pub const DEFAULT_ROOM_VERSION: RoomVersionId = RoomVersionId::V12;

/// The rules of a room version, if we know it.
pub fn rules(version: &RoomVersionId) -> Result<RoomVersionRules, Error> {
    let known = SUPPORTED_ROOM_VERSIONS.contains(version);
    known
        .then(|| version.rules())
        .flatten()
        .ok_or_else(|| Error::UnsupportedRoomVersion(version.clone()))
}

/// The room's creators by its `m.room.create`: the sender (`content.creator` before version 11), and since version 12
/// also `additional_creators`.
pub fn creators(create: &Pdu, rules: &AuthorizationRules) -> Result<HashSet<OwnedUserId>, Error> {
    RoomCreateEvent::new(create)
        .creators(rules)
        .map_err(Error::Format)
}

/// Whether `user_id` is a creator who stands above all power levels. Nobody does before version 12.
pub fn is_creator(create: &Pdu, user_id: &UserId, rules: &AuthorizationRules) -> bool {
    rules.explicitly_privilege_room_creators
        && creators(create, rules).is_ok_and(|creators| creators.contains(user_id))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_are_known_for_the_supported_versions_alone() {
        for version in SUPPORTED_ROOM_VERSIONS {
            assert!(rules(&version).unwrap().state_res.v2_rules().is_some());
        }
        for version in ["1", "5", "13", "org.example"] {
            let version = RoomVersionId::try_from(version).unwrap();
            assert!(matches!(
                rules(&version),
                Err(Error::UnsupportedRoomVersion(_))
            ));
        }
        assert!(SUPPORTED_ROOM_VERSIONS.contains(&DEFAULT_ROOM_VERSION));
    }
}
