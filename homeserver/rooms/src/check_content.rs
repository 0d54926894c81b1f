//! What the content of an event must be like for a local user to send it.
//!
//! The auth rules ask little. What is checked here is what would break a room for everybody if it were sent by mistake, and
//! what the specification says servers refuse. Events of other servers are not held to it.

use orvale_events::{PolicyServer, ServerAcl};
use ruma::{
    RoomAliasId,
    events::{
        StateEventType,
        room::{
            canonical_alias::RoomCanonicalAliasEventContent, guest_access::GuestAccess,
            history_visibility::HistoryVisibility, join_rules::JoinRule,
            power_levels::RoomPowerLevelsEventContent,
        },
    },
};
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

use crate::{
    Rooms, View,
    error::{Error, Result},
    json::object,
    room::Room,
};

impl Rooms {
    /// Checks the content of a state event as far as that needs no room.
    pub(crate) fn check_state_content(
        &self,
        kind: &StateEventType,
        content: &RawValue,
    ) -> Result<()> {
        match kind {
            StateEventType::RoomPowerLevels => {
                parse::<RoomPowerLevelsEventContent>(kind, content).map(drop)
            }
            StateEventType::RoomJoinRules => parse::<JoinRule>(kind, content).map(drop),
            StateEventType::RoomHistoryVisibility => {
                known(content, "history_visibility", |text: &HistoryVisibility| {
                    matches!(
                        text,
                        HistoryVisibility::Invited
                            | HistoryVisibility::Joined
                            | HistoryVisibility::Shared
                            | HistoryVisibility::WorldReadable
                    )
                })
            }
            StateEventType::RoomGuestAccess => {
                known(content, "guest_access", |text: &GuestAccess| {
                    matches!(text, GuestAccess::CanJoin | GuestAccess::Forbidden)
                })
            }
            StateEventType::RoomEncryption => {
                if object(content)?
                    .get("algorithm")
                    .is_some_and(|a| a.as_str().is_some())
                {
                    Ok(())
                } else {
                    Err(Error::BadContent(
                        "m.room.encryption names an algorithm; encryption cannot be turned off"
                            .to_owned(),
                    ))
                }
            }
            StateEventType::RoomServerAcl => {
                if ServerAcl::parse(content).is_allowed(self.server_name()) {
                    Ok(())
                } else {
                    Err(Error::BadContent(
                        "this m.room.server_acl would shut this server out of the room".to_owned(),
                    ))
                }
            }
            StateEventType::RoomPolicy => {
                let named = PolicyServer::parse(content);
                if named.is_some_and(|named| named.name() == self.server_name()) {
                    Err(Error::BadContent(
                        "this server is no policy server: nothing could be sent any more"
                            .to_owned(),
                    ))
                } else {
                    Ok(())
                }
            }
            StateEventType::RoomCanonicalAlias => canonical_aliases(content).map(drop),
            _ => Ok(()),
        }
    }

    /// Checks the content of a state event that a user wants to send to a room.
    pub(crate) fn check_state_in(
        &self,
        view: &mut View<'_>,
        kind: &StateEventType,
        state_key: &str,
        content: &RawValue,
    ) -> Result<()> {
        self.check_state_content(kind, content)?;
        if *kind == StateEventType::RoomCanonicalAlias && state_key.is_empty() {
            let before = view.state(kind, "")?;
            let before = before.map(|before| canonical_aliases(&before.content));
            let before = before.and_then(Result::ok).unwrap_or_default();
            // Only what is new: an alias that has since gone elsewhere must not keep others from being changed.
            for alias in canonical_aliases(content)? {
                if !before.contains(&alias) {
                    self.check_alias_of(view.room(), &alias)?;
                }
            }
        }
        Ok(())
    }

    fn check_alias_of(&self, room: &Room, alias: &RoomAliasId) -> Result<()> {
        match self.find_alias(alias)? {
            Some(found) if found.number == room.number => Ok(()),
            Some(_) => Err(Error::BadAlias(format!("{alias} stands for another room"))),
            None => Err(Error::BadAlias(format!("{alias} does not exist"))),
        }
    }
}

fn parse<T: DeserializeOwned>(kind: &StateEventType, content: &RawValue) -> Result<T> {
    serde_json::from_str(content.get())
        .map_err(|e| Error::BadContent(format!("this is not the content of {kind}: {e}")))
}

/// Checks that a text is one of those the specification knows.
fn known<T: DeserializeOwned>(
    content: &RawValue,
    key: &str,
    is_known: impl FnOnce(&T) -> bool,
) -> Result<()> {
    let value = object(content)?.remove(key).unwrap_or_default();
    match serde_json::from_value(value) {
        Ok(value) if is_known(&value) => Ok(()),
        _ => Err(Error::BadContent(format!(
            "{key} has none of the values that it may have"
        ))),
    }
}

/// All aliases that the content of `m.room.canonical_alias` names.
fn canonical_aliases(content: &RawValue) -> Result<Vec<ruma::OwnedRoomAliasId>> {
    let content: RoomCanonicalAliasEventContent = serde_json::from_str(content.get())
        .map_err(|e| Error::InvalidParam(format!("an alias is not valid: {e}")))?;
    Ok(content
        .alias
        .into_iter()
        .chain(content.alt_aliases)
        .collect())
}
