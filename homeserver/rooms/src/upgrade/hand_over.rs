//! What a room that is closed hands over: its aliases, its places in the directory and in spaces, its voice.

use std::sync::Arc;

use orvale_storage::{
    Batch, Entry,
    trees::rooms::{ALIASES, AliasRecord, PUBLISHED, ROOM_ALIASES},
};
use ruma::{OwnedRoomId, UserId, events::StateEventType};
use serde_json::{Value, json};

use crate::{
    Draft, Room, Rooms,
    error::{Error, Result},
    json::{Object, object, raw, state},
};

impl Rooms {
    /// Makes the local aliases of one room those of another, and takes it out of the directory.
    pub(super) async fn move_aliases(&self, old: &Room, new: &Room) -> Result<()> {
        for alias in self.local_aliases(old)? {
            let Some(before) = self.store().get(&ALIASES, (&alias,))? else {
                continue;
            };
            let after = AliasRecord {
                room: new.number,
                ..before.clone()
            };
            let mut batch = Batch::new();
            batch
                .expect(&ALIASES, (&alias,), Some(&before))
                .put(&ALIASES, (&alias,), &after)
                .delete(&ROOM_ALIASES, (old.number, &alias))
                .put(&ROOM_ALIASES, (new.number, &alias), &())
                .log(Entry::Directory {
                    room_id: old.id.to_string(),
                })
                .log(Entry::Directory {
                    room_id: new.id.to_string(),
                });
            match self.store().commit(batch).await {
                // Somebody has removed it meanwhile.
                Ok(_) | Err(orvale_storage::Error::Conflict { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
        if self.is_published(old)? {
            let mut batch = Batch::new();
            batch
                .delete(&PUBLISHED, (old.number,))
                .log(Entry::Directory {
                    room_id: old.id.to_string(),
                });
            self.store().commit(batch).await?;
        }
        Ok(())
    }

    /// Puts the new room where the old one was in the spaces that the old one names as its parents, as far as the user may.
    pub(super) async fn take_place_in_spaces(
        &self,
        user: &UserId,
        old: &Room,
        new: &Room,
    ) -> Result<()> {
        let child = StateEventType::SpaceChild;
        for (parent, _) in self.list_state_keys(old, &StateEventType::SpaceParent)? {
            let Ok(parent) = OwnedRoomId::try_from(parent) else {
                continue;
            };
            let Some(space) = self.find(&parent)? else {
                continue;
            };
            if !self.is_joined(user, &space)? {
                continue;
            }
            let moved = self
                .append(&space, |view| {
                    let before = view.state(&child, old.id.as_str())?;
                    let is_child =
                        |content: &Object| content.get("via").is_some_and(Value::is_array);
                    let content = before.map(|event| object(&event.content)).transpose()?;
                    let Some(content) = content.filter(is_child) else {
                        return Ok(Vec::new());
                    };
                    let none = raw(&json!({}));
                    Ok(vec![
                        Draft::state(user, child.clone(), new.id.as_str(), raw(&content)),
                        Draft::state(user, child.clone(), old.id.as_str(), none),
                    ])
                })
                .await;
            match moved {
                Ok(_) => {}
                Err(Error::Forbidden(why)) => {
                    tracing::debug!(space = %space.id, why, "an upgraded room keeps its old place in a space");
                }
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Makes a closed room silent as far as the user may: no more messages and invites by ordinary members, no alias.
    pub(super) async fn still(&self, user: &UserId, room: &Arc<Room>) -> Result<()> {
        let silent = self
            .append(room, |view| {
                let event = view.state(&StateEventType::RoomPowerLevels, "")?;
                let mut levels = event
                    .map(|event| object(&event.content))
                    .transpose()?
                    .unwrap_or_default();
                let ordinary = levels
                    .get("users_default")
                    .and_then(Value::as_i64)
                    .unwrap_or(0);
                let least = ordinary.saturating_add(1).max(50);
                for key in ["events_default", "invite"] {
                    let level = levels
                        .get(key)
                        .and_then(Value::as_i64)
                        .unwrap_or(0)
                        .max(least);
                    levels.insert(key.to_owned(), level.into());
                }
                Ok(vec![state(user, StateEventType::RoomPowerLevels, &levels)])
            })
            .await;
        let nameless = self
            .append(room, |view| {
                let has_one = view
                    .state(&StateEventType::RoomCanonicalAlias, "")?
                    .is_some();
                let none = state(user, StateEventType::RoomCanonicalAlias, &json!({}));
                Ok(if has_one { vec![none] } else { Vec::new() })
            })
            .await;
        for done in [silent, nameless] {
            match done {
                // They may close the room but not change this.
                Ok(_) | Err(Error::Forbidden(_)) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}
