//! Room aliases of this server.

use std::sync::Arc;

use orvale_storage::{
    Batch, Entry,
    trees::rooms::{ALIASES, AliasRecord, ROOM_ALIASES},
};
use ruma::{OwnedRoomAliasId, RoomAliasId, RoomOrAliasId, UserId, events::StateEventType};

use crate::{
    Draft, Room, Rooms,
    error::{Error, Result},
    json::{object, raw},
};

/// How long an ID may be, in bytes.
const MAX_ID: usize = 255;

impl Rooms {
    /// The alias of this server with this localpart.
    pub(crate) fn local_alias(&self, localpart: &str) -> Result<OwnedRoomAliasId> {
        let alias = RoomAliasId::parse(format!("#{localpart}:{}", self.server_name()));
        alias
            .ok()
            .filter(|alias| alias.alias() == localpart && alias.as_str().len() <= MAX_ID)
            .filter(|_| is_alias_localpart(localpart))
            .ok_or_else(|| {
                Error::InvalidParam(format!("{localpart:?} cannot be part of a room alias"))
            })
    }

    /// The room that an alias stands for.
    ///
    /// # Errors
    /// Storage's.
    pub fn find_alias(&self, alias: &RoomAliasId) -> Result<Option<Arc<Room>>> {
        let found = self.store().get(&ALIASES, (alias,))?;
        found.map(|record| self.get_number(record.room)).transpose()
    }

    /// The room that an alias stands for.
    ///
    /// # Errors
    /// [`Error::UnknownAlias`].
    pub fn get_alias(&self, alias: &RoomAliasId) -> Result<Arc<Room>> {
        self.find_alias(alias)?
            .ok_or_else(|| Error::UnknownAlias(alias.to_owned()))
    }

    /// The room of this ID or alias.
    ///
    /// # Errors
    /// [`Error::UnknownAlias`]; [`Error::Unreachable`] for a room that this server does not know.
    pub fn resolve(&self, id_or_alias: &RoomOrAliasId) -> Result<Arc<Room>> {
        match <&RoomAliasId>::try_from(id_or_alias) {
            Ok(alias) if alias.server_name() == self.server_name() => self.get_alias(alias),
            Ok(_) => Err(Error::Unreachable),
            Err(id) => self.find(id)?.ok_or(Error::Unreachable),
        }
    }

    /// Makes an alias for a room that the user is in.
    ///
    /// # Errors
    /// [`Error::AliasInUse`]; [`Error::InvalidParam`] for an alias of another server; [`Error::NotJoined`].
    pub async fn create_alias(
        &self,
        user: &UserId,
        alias: &RoomAliasId,
        room: &Room,
    ) -> Result<()> {
        if alias.server_name() != self.server_name() {
            let message = format!("aliases made here end in :{}", self.server_name());
            return Err(Error::InvalidParam(message));
        }
        let alias = self.local_alias(alias.alias())?;
        self.must_be_joined(user, room)?;
        let record = AliasRecord {
            room: room.number,
            creator: user.to_string(),
        };
        let mut batch = Batch::new();
        batch
            .expect::<_, AliasRecord>(&ALIASES, (&alias,), None)
            .put(&ALIASES, (&alias,), &record)
            .put(&ROOM_ALIASES, (room.number, &alias), &())
            .log(Entry::Directory {
                room_id: room.id.to_string(),
            });
        match self.store().commit(batch).await {
            Ok(_) => Ok(()),
            Err(orvale_storage::Error::Conflict { .. }) => Err(Error::AliasInUse(alias)),
            Err(error) => Err(error.into()),
        }
    }

    /// Removes an alias, from the room's `m.room.canonical_alias` too where the user may change that. Who made the alias may,
    /// who may change the room's canonical alias, and who administers this server.
    ///
    /// # Errors
    /// [`Error::UnknownAlias`], [`Error::Forbidden`].
    pub async fn remove_alias(
        &self,
        user: &UserId,
        alias: &RoomAliasId,
        is_admin: bool,
    ) -> Result<()> {
        let unknown = || Error::UnknownAlias(alias.to_owned());
        let record = self.store().get(&ALIASES, (alias,))?.ok_or_else(unknown)?;
        let room = self.get_number(record.room)?;
        let may_change = self.is_joined(user, &room)?
            && self
                .power_levels(&room)?
                .user_can_send_state(user, StateEventType::RoomCanonicalAlias);
        if !(is_admin || may_change || record.creator == user.as_str()) {
            let message =
                "an alias is removed by who made it or may change the room's canonical alias";
            return Err(Error::Forbidden(message.to_owned()));
        }
        let mut batch = Batch::new();
        batch
            .expect(&ALIASES, (alias,), Some(&record))
            .delete(&ALIASES, (alias,))
            .delete(&ROOM_ALIASES, (room.number, alias))
            .log(Entry::Directory {
                room_id: room.id.to_string(),
            });
        match self.store().commit(batch).await {
            Ok(_) => {}
            Err(orvale_storage::Error::Conflict { .. }) => return Err(unknown()),
            Err(error) => return Err(error.into()),
        }
        if may_change {
            self.drop_canonical_alias(user, &room, alias).await?;
        }
        Ok(())
    }

    /// Takes an alias out of `m.room.canonical_alias`.
    async fn drop_canonical_alias(
        &self,
        user: &UserId,
        room: &Arc<Room>,
        alias: &RoomAliasId,
    ) -> Result<()> {
        let dropped = self
            .append(room, |view| {
                let kind = StateEventType::RoomCanonicalAlias;
                let Some(event) = view.state(&kind, "")? else {
                    return Ok(Vec::new());
                };
                let mut content = object(&event.content)?;
                let before = content.clone();
                if content.get("alias").is_some_and(|a| a == alias.as_str()) {
                    content.remove("alias");
                }
                if let Some(others) = content
                    .get_mut("alt_aliases")
                    .and_then(|a| a.as_array_mut())
                {
                    others.retain(|other| other != alias.as_str());
                }
                Ok(if content == before {
                    Vec::new()
                } else {
                    vec![Draft::state(user, kind, "", raw(&content))]
                })
            })
            .await;
        match dropped {
            // They lost the power meanwhile; the alias is gone all the same.
            Ok(_) | Err(Error::Forbidden(_)) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// The local aliases of a room, for its members, and for all where its history is open to all.
    ///
    /// # Errors
    /// [`Error::NotJoined`].
    pub fn list_aliases(&self, user: &UserId, room: &Room) -> Result<Vec<OwnedRoomAliasId>> {
        if !self.is_joined(user, room)? && !self.is_world_readable(room)? {
            return Err(Error::NotJoined);
        }
        self.local_aliases(room)
    }

    /// The local aliases of a room.
    ///
    /// # Errors
    /// Storage's.
    pub fn local_aliases(&self, room: &Room) -> Result<Vec<OwnedRoomAliasId>> {
        let found = self
            .store()
            .prefix(&ROOM_ALIASES, (room.number,), usize::MAX)?;
        let aliases = found
            .into_iter()
            .filter_map(|((_, alias), ())| alias.try_into().ok());
        Ok(aliases.collect())
    }
}

/// Whether a text can be the localpart of a new alias. What separates the parts of an ID, and what cannot be seen, is left
/// out.
fn is_alias_localpart(text: &str) -> bool {
    !text.is_empty()
        && !text
            .chars()
            .any(|c| c.is_whitespace() || c.is_control() || c == ':')
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::{NewRoom, Preset, testing::rooms};

    fn alias(name: &str) -> OwnedRoomAliasId {
        RoomAliasId::parse(format!("#{name}:orvale.test")).unwrap()
    }

    #[tokio::test]
    async fn an_alias_stands_for_one_room_until_it_is_removed() {
        let rooms = rooms();
        let [alice, bob] = rooms.people(["alice", "bob"]).await;
        let new = NewRoom {
            preset: Preset::Public,
            ..NewRoom::default()
        };
        let room = rooms.create(&alice, new).await.unwrap();
        assert!(matches!(
            rooms.create_alias(&bob, &alias("tea"), &room).await,
            Err(Error::NotJoined)
        ));
        rooms
            .create_alias(&alice, &alias("tea"), &room)
            .await
            .unwrap();
        let taken = rooms.create_alias(&alice, &alias("tea"), &room).await;
        assert!(matches!(taken, Err(Error::AliasInUse(_))));
        let far = RoomAliasId::parse("#tea:elsewhere.org").unwrap();
        assert!(matches!(
            rooms.create_alias(&alice, &far, &room).await,
            Err(Error::InvalidParam(_))
        ));
        let long = alias(&"a".repeat(255 - "#:orvale.test".len() + 1));
        assert!(matches!(
            rooms.create_alias(&alice, &long, &room).await,
            Err(Error::InvalidParam(_))
        ));
        assert_eq!(rooms.get_alias(&alias("tea")).unwrap().id, room.id);
        assert_eq!(rooms.list_aliases(&alice, &room).unwrap(), [alias("tea")]);
        assert!(matches!(
            rooms.list_aliases(&bob, &room),
            Err(Error::NotJoined)
        ));

        rooms.join(&bob, &room, None).await.unwrap();
        let refused = rooms.remove_alias(&bob, &alias("tea"), false).await;
        assert!(matches!(refused, Err(Error::Forbidden(_))));
        rooms
            .remove_alias(&alice, &alias("tea"), false)
            .await
            .unwrap();
        assert!(matches!(
            rooms.get_alias(&alias("tea")),
            Err(Error::UnknownAlias(_))
        ));
        let gone = rooms.remove_alias(&alice, &alias("tea"), false).await;
        assert!(matches!(gone, Err(Error::UnknownAlias(_))));
        assert!(rooms.local_aliases(&room).unwrap().is_empty());
    }

    #[tokio::test]
    async fn who_made_an_alias_may_remove_it_but_not_from_the_rooms_own_names() {
        let rooms = rooms();
        let [alice, bob] = rooms.people(["alice", "bob"]).await;
        let new = NewRoom {
            preset: Preset::Public,
            ..NewRoom::default()
        };
        let room = rooms.create(&alice, new).await.unwrap();
        rooms.join(&bob, &room, None).await.unwrap();
        for name in ["one", "two"] {
            rooms.create_alias(&bob, &alias(name), &room).await.unwrap();
        }
        let names = json!({"alias": alias("one"), "alt_aliases": [alias("two")]});
        let state = crate::testing::state(&alice, "m.room.canonical_alias", "", &names);
        rooms.did(&room, state).await.unwrap();
        let content = || -> Value {
            let event = rooms
                .find_state(&room, &StateEventType::RoomCanonicalAlias, "")
                .unwrap()
                .unwrap();
            serde_json::from_str(event.pdu.content.get()).unwrap()
        };
        rooms
            .remove_alias(&bob, &alias("two"), false)
            .await
            .unwrap();
        assert_eq!(content(), names);
        rooms
            .remove_alias(&alice, &alias("one"), false)
            .await
            .unwrap();
        assert_eq!(content(), json!({"alt_aliases": [alias("two")]}));
    }

    #[tokio::test]
    async fn an_alias_wanted_by_many_at_once_goes_to_one() {
        let rooms = rooms();
        let [alice] = rooms.people(["alice"]).await;
        let mut tasks = Vec::new();
        for _ in 0..5 {
            let room = rooms.create(&alice, NewRoom::default()).await.unwrap();
            let (rooms, alice) = (rooms.clone(), alice.clone());
            tasks.push(tokio::spawn(async move {
                rooms.create_alias(&alice, &alias("tea"), &room).await
            }));
        }
        let mut made = 0;
        for task in tasks {
            made += usize::from(task.await.unwrap().is_ok());
        }
        assert_eq!(made, 1);
    }

    #[test]
    fn localparts_have_no_spaces_and_no_colons() {
        for name in ["tea", "tea-time", "téa", "#tea"] {
            assert!(is_alias_localpart(name), "{name}");
        }
        for name in ["", "tea time", "tea:time", "tea\0"] {
            assert!(!is_alias_localpart(name), "{name}");
        }
    }
}
