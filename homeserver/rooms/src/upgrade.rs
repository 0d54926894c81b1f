//! Upgrading a room: a new one takes its place.

use std::{collections::HashSet, sync::Arc};

use orvale_storage::{
    Batch, Entry,
    trees::rooms::{ALIASES, AliasRecord, Membership, PUBLISHED, ROOM_ALIASES},
};
use ruma::{
    OwnedRoomId, OwnedUserId, RoomVersionId, UserId, events::StateEventType,
    room_version_rules::AuthorizationRules,
};
use serde_json::{Value, json, value::RawValue};

use crate::{
    Draft, Room, Rooms,
    error::{Error, Result},
    json::{Object, object, raw, state},
    member::MemberContent,
    moderate::forbidden,
};

/// State that the new room takes over, in this order; power levels come last, after all that they might forbid.
const TRANSFERRED: [StateEventType; 9] = [
    StateEventType::RoomJoinRules,
    StateEventType::RoomHistoryVisibility,
    StateEventType::RoomGuestAccess,
    StateEventType::RoomEncryption,
    StateEventType::RoomServerAcl,
    StateEventType::RoomName,
    StateEventType::RoomAvatar,
    StateEventType::RoomTopic,
    StateEventType::RoomCanonicalAlias,
];

/// Orvale's own state: what a room is (a channel, a ticket) it stays.
const OWN_PREFIX: &str = "com.orvale.";

/// How many bans the new room takes over; those before the last ones are old.
const MAX_BANS: usize = 5000;

impl Rooms {
    /// Makes a new room of another version in the place of one, which is closed.
    ///
    /// # Errors
    /// [`Error::UnsupportedRoomVersion`], [`Error::NotJoined`], [`Error::Forbidden`] for who may not close the room.
    pub async fn upgrade(
        &self,
        user: &UserId,
        old: &Arc<Room>,
        version: RoomVersionId,
        additional_creators: &[OwnedUserId],
    ) -> Result<Arc<Room>> {
        let rules = orvale_events::rules(&version)
            .map_err(|_| Error::UnsupportedRoomVersion(version.to_string()))?;
        self.must_be_joined(user, old)?;
        if !self
            .power_levels(old)?
            .user_can_send_state(user, StateEventType::RoomTombstone)
        {
            return Err(forbidden("you may not close this room"));
        }
        let closed = self.find_state(old, &StateEventType::RoomTombstone, "")?;
        let successor = closed
            .as_ref()
            .and_then(|event| event.pdu.content_field::<OwnedRoomId>("replacement_room"));
        if let Some(successor) = successor.map(|id| self.find(&id)).transpose()?.flatten()
            && self.count_joined(successor.number)? > 0
        {
            return Err(Error::Forbidden(format!(
                "{} has taken the place of this room",
                successor.id
            )));
        }
        let drafts = self.successor_events(
            user,
            old,
            &version,
            &rules.authorization,
            additional_creators,
        )?;
        let is_published = self.is_published(old)?;
        let new = self
            .make_room(user, version, drafts, None, is_published, |_, _| {})
            .await?;

        let closed = closed.map(|event| event.event_id().to_owned());
        let tombstone = json!({"body": "This room has been replaced", "replacement_room": new.id});
        self.append(old, |view| {
            let now = view
                .state(&StateEventType::RoomTombstone, "")?
                .map(|event| event.event_id.clone());
            if now != closed {
                return Err(forbidden("somebody else has just upgraded this room"));
            }
            Ok(vec![state(user, StateEventType::RoomTombstone, &tombstone)])
        })
        .await?;
        self.move_aliases(old, &new).await?;
        self.take_place_in_spaces(user, old, &new).await?;
        self.still(user, old).await?;
        self.carry_over(user, &new).await;
        tracing::info!(old = %old.id, new = %new.id, "room upgraded");
        Ok(new)
    }

    /// The first events of a room that takes another's place.
    fn successor_events(
        &self,
        user: &UserId,
        old: &Room,
        version: &RoomVersionId,
        rules: &AuthorizationRules,
        additional_creators: &[OwnedUserId],
    ) -> Result<Vec<Draft>> {
        let create = self.successor_create(user, old, version, rules, additional_creators)?;
        let profile = self.member_profile(user)?;
        let mut drafts = vec![
            state(user, StateEventType::RoomCreate, &create),
            MemberContent::new("join").or(&profile).draft(user, user),
        ];
        for kind in TRANSFERRED {
            if let Some(event) = self.find_state(old, &kind, "")? {
                let content = match kind {
                    StateEventType::RoomJoinRules => join_rules(&event.pdu.content, rules)?,
                    _ => event.pdu.content.clone(),
                };
                drafts.push(Draft::state(user, kind, "", content));
            }
        }
        let is_space = create.get("type").is_some_and(|kind| kind == "m.space");
        let space_child = StateEventType::SpaceChild.to_string();
        let space_parent = StateEventType::SpaceParent.to_string();
        for (kind, key) in self.list_state_keys_but_members(old)? {
            if kind.starts_with(OWN_PREFIX)
                || kind == space_parent
                || is_space && kind == space_child
            {
                let kind = StateEventType::from(kind);
                if let Some(event) = self.find_state(old, &kind, &key)? {
                    drafts.push(Draft::state(user, kind, &key, event.pdu.content.clone()));
                }
            }
        }
        drafts.extend(self.bans(user, old)?);
        if let Some(event) = self.find_state(old, &StateEventType::RoomPowerLevels, "")? {
            let before = object(&event.pdu.content)?;
            let levels = if rules.explicitly_privilege_room_creators {
                let others = additional_creators.iter().map(|creator| &**creator);
                above_creators(before, &[user].into_iter().chain(others).collect())
            } else {
                let above = self
                    .power_levels(old)?
                    .rules
                    .privileged_creators
                    .unwrap_or_default();
                with_former_creators(before, &above)
            };
            drafts.push(state(user, StateEventType::RoomPowerLevels, &levels));
        }
        Ok(drafts)
    }

    fn successor_create(
        &self,
        user: &UserId,
        old: &Room,
        version: &RoomVersionId,
        rules: &AuthorizationRules,
        additional_creators: &[OwnedUserId],
    ) -> Result<Object> {
        let before = self.find_state(old, &StateEventType::RoomCreate, "")?;
        let before = before
            .map(|event| object(&event.pdu.content))
            .transpose()?
            .unwrap_or_default();
        let mut create = Object::new();
        for key in ["type", "m.federate"] {
            if let Some(value) = before.get(key) {
                create.insert(key.to_owned(), value.clone());
            }
        }
        let mut predecessor = json!({"room_id": old.id});
        if !rules.room_create_event_id_as_room_id {
            let last = self.event(self.last_event(old.number)?)?;
            predecessor["event_id"] = last.event_id().as_str().into();
        }
        create.insert("predecessor".to_owned(), predecessor);
        create.insert("room_version".to_owned(), version.as_str().into());
        if !rules.use_room_create_sender {
            create.insert("creator".to_owned(), user.as_str().into());
        }
        let more: Vec<_> = additional_creators
            .iter()
            .filter(|creator| *creator != user)
            .collect();
        if rules.additional_room_creators && !more.is_empty() {
            create.insert("additional_creators".to_owned(), json!(more));
        }
        Ok(create)
    }

    fn bans(&self, user: &UserId, old: &Room) -> Result<Vec<Draft>> {
        let members = self
            .list_state_keys(old, &StateEventType::RoomMember)?
            .into_iter();
        let mut banned: Vec<_> = members
            .filter(|(_, record)| record.membership == Some(Membership::Ban))
            .collect();
        banned.sort_unstable_by_key(|(_, record)| std::cmp::Reverse(record.event));
        banned.truncate(MAX_BANS);
        let mut drafts = Vec::with_capacity(banned.len());
        for (target, record) in banned {
            let reason = self
                .event(record.event)?
                .pdu
                .content_field::<String>("reason");
            let content = MemberContent::new("ban").reason(reason.as_deref());
            if let Ok(target) = UserId::parse(target) {
                drafts.push(content.draft(user, &target));
            }
        }
        Ok(drafts)
    }

    /// Makes the local aliases of one room those of another, and takes it out of the directory.
    async fn move_aliases(&self, old: &Room, new: &Room) -> Result<()> {
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
    async fn take_place_in_spaces(&self, user: &UserId, old: &Room, new: &Room) -> Result<()> {
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
    async fn still(&self, user: &UserId, room: &Arc<Room>) -> Result<()> {
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

/// The join rules as the version can say them; what it cannot say closes the room.
fn join_rules(content: &RawValue, rules: &AuthorizationRules) -> Result<Box<RawValue>> {
    let before = object(content)?;
    let is_known = match before.get("join_rule").and_then(Value::as_str) {
        Some("knock") => rules.knocking,
        Some("restricted") => rules.restricted_join_rule,
        Some("knock_restricted") => rules.knock_restricted_join_rule,
        _ => true,
    };
    Ok(if is_known {
        content.to_owned()
    } else {
        raw(&json!({"join_rule": "invite"}))
    })
}

fn level(levels: &Object, key: &str, default: i64) -> i64 {
    levels.get(key).and_then(Value::as_i64).unwrap_or(default)
}

/// Power levels for a room whose creators stand above all of them.
fn above_creators(mut levels: Object, creators: &HashSet<&UserId>) -> Object {
    if let Some(users) = levels.get_mut("users").and_then(Value::as_object_mut) {
        users.retain(|user, _| !creators.iter().any(|creator| creator.as_str() == user));
    }
    let least = level(&levels, "state_default", 50)
        .saturating_add(1)
        .max(150);
    if let Some(events) = levels
        .entry("events")
        .or_insert_with(|| json!({}))
        .as_object_mut()
    {
        let kind = StateEventType::RoomTombstone.to_string();
        let tombstone = level(events, &kind, least).max(least);
        events.insert(kind, tombstone.into());
    }
    levels
}

/// Power levels for a room whose creators have none of their own: those who stood above all get the highest.
fn with_former_creators(mut levels: Object, creators: &HashSet<OwnedUserId>) -> Object {
    if creators.is_empty() {
        return levels;
    }
    let of = |key: &str| {
        levels
            .get(key)
            .and_then(Value::as_object)
            .into_iter()
            .flatten()
    };
    let listed = of("users")
        .chain(of("events"))
        .filter_map(|(_, level)| level.as_i64());
    let named = [
        "ban",
        "kick",
        "redact",
        "invite",
        "state_default",
        "events_default",
        "users_default",
    ];
    let highest = named
        .iter()
        .map(|key| level(&levels, key, 0))
        .chain(listed)
        .fold(100, i64::max);
    if let Some(users) = levels
        .entry("users")
        .or_insert_with(|| json!({}))
        .as_object_mut()
    {
        users.extend(
            creators
                .iter()
                .map(|creator| (creator.to_string(), highest.into())),
        );
    }
    levels
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        NewRoom, Preset,
        testing::{member, rooms, text},
    };

    fn content(rooms: &Rooms, room: &Room, kind: &str) -> Value {
        let event = rooms.find_state(room, &kind.into(), "").unwrap();
        event.map_or(Value::Null, |event| {
            serde_json::from_str(event.pdu.content.get()).unwrap()
        })
    }

    fn tea(version: RoomVersionId) -> NewRoom {
        NewRoom {
            version: Some(version),
            name: Some("Tea".to_owned()),
            alias: Some("tea".to_owned()),
            preset: Preset::Public,
            is_published: true,
            creation_content: Some(raw(&json!({"type": "m.space"}))),
            initial_state: vec![
                raw(
                    &json!({"type": "m.room.encryption", "content": {"algorithm": "m.megolm.v1.aes-sha2"}}),
                ),
                raw(
                    &json!({"type": "m.space.child", "state_key": "!child:a", "content": {"via": ["a"]}}),
                ),
                raw(&json!({"type": "com.orvale.channel", "content": {"archived": false}})),
            ],
            ..NewRoom::default()
        }
    }

    #[tokio::test]
    async fn the_new_room_is_what_the_old_one_was_and_the_old_one_is_closed() {
        for (from, to) in [
            (RoomVersionId::V11, RoomVersionId::V12),
            (RoomVersionId::V12, RoomVersionId::V10),
            (RoomVersionId::V12, RoomVersionId::V12),
            (RoomVersionId::V6, RoomVersionId::V11),
        ] {
            let rooms = rooms();
            let [alice, bob, mallory] = rooms.people(["alice", "bob", "mallory"]).await;
            let old = rooms.create(&alice, tea(from.clone())).await.unwrap();
            rooms.join(&bob, &old, None).await.unwrap();
            rooms
                .ban(&alice, &mallory, &old, Some("spam"))
                .await
                .unwrap();
            let new = rooms.upgrade(&alice, &old, to.clone(), &[]).await.unwrap();

            let create = content(&rooms, &new, "m.room.create");
            assert_eq!(create["predecessor"]["room_id"], old.id.as_str());
            assert_eq!(create["type"], "m.space");
            assert_eq!(new.version, to);
            for kind in [
                "m.room.name",
                "m.room.encryption",
                "m.room.join_rules",
                "com.orvale.channel",
            ] {
                assert_eq!(
                    content(&rooms, &new, kind),
                    content(&rooms, &old, kind),
                    "{kind}"
                );
            }
            assert_eq!(
                content(&rooms, &new, "m.room.canonical_alias")["alias"],
                "#tea:orvale.test"
            );
            assert_eq!(content(&rooms, &old, "m.room.canonical_alias"), json!({}));
            let alias = ruma::RoomAliasId::parse("#tea:orvale.test").unwrap();
            assert_eq!(rooms.get_alias(&alias).unwrap().id, new.id);
            assert!(rooms.is_published(&new).unwrap() && !rooms.is_published(&old).unwrap());
            assert_eq!(
                content(&rooms, &old, "m.room.tombstone")["replacement_room"],
                new.id.as_str()
            );
            assert!(
                rooms.join(&mallory, &new, None).await.is_err(),
                "bans are taken over"
            );

            assert!(rooms.did(&old, text(&bob, "still here")).await.is_err());
            rooms.join(&bob, &new, None).await.unwrap();
            rooms.did(&new, text(&bob, "hello")).await.unwrap();
            // Alice is as powerful as she was.
            let topic =
                crate::testing::state(&alice, "m.room.server_acl", "", &json!({"allow": ["*"]}));
            rooms.did(&new, topic).await.unwrap();
        }
    }

    #[tokio::test]
    async fn the_new_room_takes_the_place_of_the_old_one_in_its_space() {
        let rooms = rooms();
        let [alice] = rooms.people(["alice"]).await;
        let space = NewRoom {
            creation_content: Some(raw(&json!({"type": "m.space"}))),
            ..NewRoom::default()
        };
        let space = rooms.create(&alice, space).await.unwrap();
        let parent = json!({"type": "m.space.parent", "state_key": space.id, "content": {"via": ["a"], "canonical": true}});
        let old = NewRoom {
            initial_state: vec![raw(&parent)],
            ..NewRoom::default()
        };
        let old = rooms.create(&alice, old).await.unwrap();
        let listed = json!({"via": ["a"], "order": "b", "suggested": true});
        let child = |room: &Room| {
            let found = rooms.find_state(&space, &StateEventType::SpaceChild, room.id.as_str());
            let found = found.unwrap().unwrap();
            serde_json::from_str::<Value>(found.pdu.content.get()).unwrap()
        };
        let put = crate::testing::state(&alice, "m.space.child", old.id.as_str(), &listed);
        rooms.did(&space, put).await.unwrap();
        let new = rooms
            .upgrade(&alice, &old, RoomVersionId::V12, &[])
            .await
            .unwrap();
        assert_eq!((child(&new), child(&old)), (listed, json!({})));
        let kind = StateEventType::SpaceParent;
        let parent = rooms.find_state(&new, &kind, space.id.as_str()).unwrap();
        assert!(parent.is_some());
    }

    #[tokio::test]
    async fn who_may_not_close_a_room_does_not_upgrade_it() {
        let rooms = rooms();
        let [alice, bob] = rooms.people(["alice", "bob"]).await;
        let old = rooms.create(&alice, tea(RoomVersionId::V11)).await.unwrap();
        let upgrade = async |user: &UserId, version: &str| {
            rooms
                .upgrade(user, &old, version.try_into().unwrap(), &[])
                .await
                .map(drop)
        };
        assert!(matches!(upgrade(&bob, "12").await, Err(Error::NotJoined)));
        rooms.join(&bob, &old, None).await.unwrap();
        assert!(matches!(
            upgrade(&bob, "12").await,
            Err(Error::Forbidden(_))
        ));
        assert!(matches!(
            upgrade(&alice, "77").await,
            Err(Error::UnsupportedRoomVersion(_))
        ));
    }

    #[tokio::test]
    async fn a_moderator_who_upgrades_gains_no_power_in_versions_without_privileged_creators() {
        let rooms = rooms();
        let [alice, bob] = rooms.people(["alice", "bob"]).await;
        let levels = json!({"users": {"@alice:orvale.test": 100, "@bob:orvale.test": 50}, "events": {"m.room.tombstone": 50}});
        let new = NewRoom {
            power_levels: Some(raw(&levels)),
            ..tea(RoomVersionId::V10)
        };
        let old = rooms.create(&alice, new).await.unwrap();
        rooms.did(&old, member(&bob, &bob, "join")).await.unwrap();
        let new = rooms
            .upgrade(&bob, &old, RoomVersionId::V11, &[])
            .await
            .unwrap();
        assert_eq!(
            content(&rooms, &new, "m.room.power_levels")["users"]["@bob:orvale.test"],
            50
        );
    }

    #[tokio::test]
    async fn of_two_who_upgrade_at_once_one_does() {
        let rooms = rooms();
        let [alice] = rooms.people(["alice"]).await;
        let old = rooms.create(&alice, tea(RoomVersionId::V11)).await.unwrap();
        let (a, b) = tokio::join!(
            rooms.upgrade(&alice, &old, RoomVersionId::V12, &[]),
            rooms.upgrade(&alice, &old, RoomVersionId::V12, &[]),
        );
        assert!(a.is_ok() != b.is_ok());
    }

    #[tokio::test]
    async fn join_rules_that_the_version_does_not_know_close_the_room() {
        let rules = RoomVersionId::V6.rules().unwrap().authorization;
        for rule in ["knock", "restricted", "knock_restricted"] {
            let closed = join_rules(&raw(&json!({"join_rule": rule})), &rules).unwrap();
            assert_eq!(closed.get(), r#"{"join_rule":"invite"}"#);
        }
        assert!(
            join_rules(&raw(&json!({"join_rule": "public"})), &rules)
                .unwrap()
                .get()
                .contains("public")
        );
    }
}
