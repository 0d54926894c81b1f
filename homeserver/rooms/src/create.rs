//! Making rooms.

use orvale_storage::{
    Batch,
    trees::rooms::{ALIASES, AliasRecord, PUBLISHED, ROOM_ALIASES},
};
use ruma::{MilliSecondsSinceUnixEpoch, OwnedRoomAliasId, OwnedUserId, RoomVersionId, UserId};
use serde_json::value::RawValue;
use std::{collections::HashSet, sync::Arc};

use crate::{
    Draft, Room, Rooms,
    error::{Error, Result},
    member::MemberContent,
};

/// How many people may be invited as a room is made.
const MAX_INVITES: usize = 1000;
/// A room to be made.
#[derive(Debug, Clone, Default)]
pub struct NewRoom {
    /// Its version, if not the default.
    pub version: Option<RoomVersionId>,
    /// What it starts with.
    pub preset: Preset,
    /// Whether the public directory lists it.
    pub is_published: bool,
    /// The localpart of its alias.
    pub alias: Option<String>,
    /// Its name.
    pub name: Option<String>,
    /// Its topic.
    pub topic: Option<String>,
    /// More of the content of its `m.room.create`.
    pub creation_content: Option<Box<RawValue>>,
    /// State it starts with.
    pub initial_state: Vec<Box<RawValue>>,
    /// Put on top of its first `m.room.power_levels`.
    pub power_levels: Option<Box<RawValue>>,
    /// Who is invited.
    pub invite: Vec<OwnedUserId>,
    /// Whether the invites say that it is a direct chat.
    pub is_direct: bool,
    /// When it was made, if that is not now.
    pub created: Option<MilliSecondsSinceUnixEpoch>,
}

/// What a room starts with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Preset {
    /// For those who are invited.
    #[default]
    Private,
    /// For those who are invited, who may do as much as the creator.
    TrustedPrivate,
    /// For all.
    Public,
}

impl Rooms {
    /// Makes a room, with all its first events at once.
    ///
    /// # Errors
    /// [`Error::UnsupportedRoomVersion`], [`Error::AliasInUse`], [`Error::InvalidRoomState`] if the room's own rules do not
    /// allow what it shall start with, [`Error::UnknownUser`] and [`Error::RemoteUser`] for who cannot be invited.
    pub async fn create(&self, creator: &UserId, new: NewRoom) -> Result<Arc<Room>> {
        self.create_with(creator, new, |_, _| {}).await
    }

    /// As [`Rooms::create`], with more that is to be in the same batch; if a precondition of that does not hold, there is no room.
    pub(crate) async fn create_with(
        &self,
        creator: &UserId,
        new: NewRoom,
        also: impl FnOnce(&Room, &mut Batch) + Send,
    ) -> Result<Arc<Room>> {
        self.ask_about_creation(creator, &new)?;
        let version = new
            .version
            .clone()
            .unwrap_or_else(|| self.config().default_room_version.clone());
        if !orvale_events::SUPPORTED_ROOM_VERSIONS.contains(&version) {
            return Err(Error::UnsupportedRoomVersion(version.to_string()));
        }
        let alias = new
            .alias
            .as_deref()
            .map(|name| self.new_alias(name))
            .transpose()?;
        let mut drafts = self.first_events(creator, &version, alias.as_deref(), &new)?;
        for draft in &mut drafts {
            draft.timestamp = new.created;
        }
        let room = self
            .make_room(creator, version, drafts, alias, new.is_published, also)
            .await;
        metrics::counter!("orvale_rooms_created").increment(u64::from(room.is_ok()));
        let room = room?;
        // Their servers have to take the invites, and are asked when there is a room.
        for user in new.invite.iter().filter(|user| !self.is_local(user)) {
            let content = invite_content(&new);
            if let Err(error) = self.invite_remote(creator, user, &room, content).await {
                tracing::info!(%error, user_id = %user, room_id = %room.id, "an invite was not taken");
            }
        }
        Ok(room)
    }

    /// Makes a room of its first events, its alias and directory entry with it.
    pub(crate) async fn make_room(
        &self,
        creator: &UserId,
        version: RoomVersionId,
        drafts: Vec<Draft>,
        alias: Option<OwnedRoomAliasId>,
        is_published: bool,
        also: impl FnOnce(&Room, &mut Batch) + Send,
    ) -> Result<Arc<Room>> {
        let made = self
            .append_new_with(version, drafts, |room, batch| {
                if let Some(alias) = &alias {
                    let creator = creator.to_string();
                    let record = AliasRecord {
                        room: room.number,
                        creator,
                    };
                    batch
                        .expect::<_, AliasRecord>(&ALIASES, (alias,), None)
                        .put(&ALIASES, (alias,), &record)
                        .put(&ROOM_ALIASES, (room.number, alias), &());
                }
                if is_published {
                    batch.put(&PUBLISHED, (room.number,), &());
                }
                also(room, batch);
            })
            .await;
        match (made, alias) {
            (Err(Error::Storage(orvale_storage::Error::Conflict { .. })), Some(alias)) => {
                Err(Error::AliasInUse(alias))
            }
            (Err(Error::Forbidden(reason) | Error::BadContent(reason)), _) => {
                Err(Error::InvalidRoomState(reason))
            }
            (made, _) => made,
        }
    }

    /// The alias of this localpart, unless it is taken already.
    fn new_alias(&self, localpart: &str) -> Result<OwnedRoomAliasId> {
        let alias = self.local_alias(localpart)?;
        match self.find_alias(&alias)? {
            Some(_) => Err(Error::AliasInUse(alias)),
            None => Ok(alias),
        }
    }

    /// Whom the room invites, each once, if they can be invited.
    pub(crate) fn invited(&self, creator: &UserId, new: &NewRoom) -> Result<Vec<OwnedUserId>> {
        if new.invite.len() > MAX_INVITES {
            let message = format!("at most {MAX_INVITES} people can be invited as a room is made");
            return Err(Error::InvalidParam(message));
        }
        let mut seen = HashSet::new();
        let invited: Vec<_> = new
            .invite
            .iter()
            .filter(|user| seen.insert(*user))
            .cloned()
            .collect();
        for user in &invited {
            if user == creator {
                return Err(Error::Forbidden("you cannot invite yourself".to_owned()));
            }
            if self.is_local(user) || !self.is_federated() {
                self.check_invitable(creator, user)?;
            }
        }
        Ok(invited)
    }
}

/// What the invites to a new room say.
pub(crate) fn invite_content(new: &NewRoom) -> MemberContent {
    let content = MemberContent::new("invite");
    if new.is_direct {
        content.with("is_direct", true)
    } else {
        content
    }
}

#[cfg(test)]
mod tests {
    use ruma::{
        events::{StateEventType, TimelineEventType},
        room_version_rules::RoomIdFormatVersion,
    };
    use serde_json::{Value, json};

    use super::*;
    use crate::{
        Order, StoredEvent,
        first_events::MAX_INITIAL_STATE,
        testing::{raw, rooms, user},
    };

    fn timeline(rooms: &Rooms, room: &Room) -> Vec<Arc<StoredEvent>> {
        let events = rooms
            .list_forwards(room, Order::START, Order::END, 100)
            .unwrap();
        events.into_iter().map(|(_, event)| event).collect()
    }

    fn content(rooms: &Rooms, room: &Room, kind: &str) -> Value {
        let event = rooms.find_state(room, &kind.into(), "").unwrap().unwrap();
        serde_json::from_str(event.pdu.content.get()).unwrap()
    }

    #[tokio::test]
    async fn creators_whom_a_client_gives_all_power_have_it_by_themselves() {
        let rooms = rooms();
        let [alice, bob, carol] = rooms.people(["alice", "bob", "carol"]).await;
        let levels = raw(&json!({
            "users": { (alice.as_str()): 100, (bob.as_str()): 9001, (carol.as_str()): 50 },
        }));
        let state = json!({ "type": "m.room.power_levels", "content": &levels });
        let listed = async |version: &str, given: NewRoom| {
            let new = NewRoom {
                version: Some(version.try_into().unwrap()),
                preset: Preset::TrustedPrivate,
                invite: vec![bob.clone()],
                ..given
            };
            let room = rooms.create(&alice, new).await.unwrap();
            let levels = content(&rooms, &room, "m.room.power_levels");
            levels["users"].as_object().unwrap().clone()
        };
        for given in [
            NewRoom {
                power_levels: Some(levels.clone()),
                ..NewRoom::default()
            },
            NewRoom {
                initial_state: vec![raw(&state)],
                ..NewRoom::default()
            },
        ] {
            assert_eq!(listed("11", given.clone()).await.len(), 3);
            let listed = listed("12", given).await;
            assert_eq!(
                listed.into_iter().collect::<Vec<_>>(),
                [(carol.to_string(), json!(50))]
            );
        }
    }

    #[tokio::test]
    async fn the_first_events_come_in_the_order_of_the_specification_in_every_version() {
        let rooms = rooms();
        let [alice, bob] = rooms.people(["alice", "bob"]).await;
        for version in orvale_events::SUPPORTED_ROOM_VERSIONS {
            let new = NewRoom {
                version: Some(version.clone()),
                alias: Some(format!("v{version}")),
                name: Some("Tea".to_owned()),
                topic: Some("Leaves".to_owned()),
                initial_state: vec![raw(
                    &json!({"type": "m.room.encryption", "content": {"algorithm": "x"}}),
                )],
                invite: vec![bob.clone(), bob.clone()],
                is_direct: true,
                ..NewRoom::default()
            };
            let room = rooms.create(&alice, new).await.unwrap();
            let events = timeline(&rooms, &room);
            let kinds: Vec<_> = events
                .iter()
                .map(|event| event.pdu.kind.to_string())
                .collect();
            let expected = [
                "create",
                "member",
                "power_levels",
                "canonical_alias",
                "join_rules",
                "history_visibility",
                "guest_access",
                "encryption",
                "name",
                "topic",
                "member",
            ];
            assert_eq!(
                kinds,
                expected.map(|kind| format!("m.room.{kind}")),
                "{version}"
            );
            let invite: Value = serde_json::from_str(events[10].pdu.content.get()).unwrap();
            assert_eq!(invite, json!({"membership": "invite", "is_direct": true}));
            let is_named_by_create = room.rules.room_id_format != RoomIdFormatVersion::V1;
            assert_eq!(is_named_by_create, version == RoomVersionId::V12);
            assert_eq!(
                is_named_by_create,
                room.id.as_str()[1..] == events[0].event_id().as_str()[1..]
            );
        }
    }

    #[tokio::test]
    async fn presets_set_who_may_come_and_what_they_may_do() {
        let rooms = rooms();
        let [alice, bob] = rooms.people(["alice", "bob"]).await;
        let create = async |preset, version: RoomVersionId| {
            let new = NewRoom {
                preset,
                version: Some(version),
                invite: vec![bob.clone()],
                ..NewRoom::default()
            };
            rooms.create(&alice, new).await.unwrap()
        };
        let public = create(Preset::Public, RoomVersionId::V12).await;
        assert_eq!(
            content(&rooms, &public, "m.room.join_rules")["join_rule"],
            "public"
        );
        assert_eq!(
            content(&rooms, &public, "m.room.guest_access")["guest_access"],
            "forbidden"
        );
        let private = create(Preset::Private, RoomVersionId::V12).await;
        assert_eq!(
            content(&rooms, &private, "m.room.join_rules")["join_rule"],
            "invite"
        );
        assert_eq!(
            content(&rooms, &private, "m.room.create").get("additional_creators"),
            None
        );
        let trusted = create(Preset::TrustedPrivate, RoomVersionId::V12).await;
        assert_eq!(
            content(&rooms, &trusted, "m.room.create")["additional_creators"],
            json!([bob])
        );
        assert_eq!(
            content(&rooms, &trusted, "m.room.power_levels")["users"],
            json!({})
        );
        let older = create(Preset::TrustedPrivate, RoomVersionId::V11).await;
        let levels = content(&rooms, &older, "m.room.power_levels");
        assert_eq!(
            levels["users"],
            json!({alice.as_str(): 100, bob.as_str(): 100})
        );
    }

    #[tokio::test]
    async fn what_is_given_goes_before_what_the_preset_says() {
        let rooms = rooms();
        let [alice] = rooms.people(["alice"]).await;
        let new = NewRoom {
            preset: Preset::Public,
            creation_content: Some(raw(
                &json!({"m.federate": false, "creator": "@mallory:a", "room_version": "1"}),
            )),
            initial_state: vec![
                raw(&json!({"type": "m.room.join_rules", "content": {"join_rule": "knock"}})),
                raw(&json!({"type": "m.room.name", "content": {"name": "one"}})),
            ],
            name: Some("two".to_owned()),
            power_levels: Some(raw(&json!({"events_default": 25}))),
            ..NewRoom::default()
        };
        let room = rooms.create(&alice, new).await.unwrap();
        assert_eq!(
            content(&rooms, &room, "m.room.join_rules")["join_rule"],
            "knock"
        );
        assert_eq!(content(&rooms, &room, "m.room.name")["name"], "two");
        assert_eq!(
            content(&rooms, &room, "m.room.create"),
            json!({"m.federate": false, "room_version": "12"})
        );
        let levels = content(&rooms, &room, "m.room.power_levels");
        assert_eq!(
            (&levels["events_default"], &levels["ban"]),
            (&json!(25), &json!(50))
        );
        let joins = timeline(&rooms, &room)
            .iter()
            .filter(|e| e.pdu.kind == TimelineEventType::RoomJoinRules)
            .count();
        assert_eq!(joins, 1);
    }

    #[tokio::test]
    async fn a_taken_alias_makes_no_room_and_one_of_two_at_once_gets_it() {
        let rooms = rooms();
        let [alice] = rooms.people(["alice"]).await;
        let new = || NewRoom {
            alias: Some("tea".to_owned()),
            ..NewRoom::default()
        };
        let make = || {
            let rooms = rooms.clone();
            let alice = alice.clone();
            tokio::spawn(async move { rooms.create(&alice, new()).await })
        };
        let tasks = [make(), make(), make()];
        let mut made = Vec::new();
        for task in tasks {
            match task.await.unwrap() {
                Ok(room) => made.push(room),
                Err(error) => assert!(matches!(error, Error::AliasInUse(_)), "{error}"),
            }
        }
        assert_eq!(made.len(), 1);
        assert_eq!(
            rooms.list_joined_rooms(&alice).unwrap(),
            [made[0].id.clone()]
        );
        let again = NewRoom {
            alias: Some("tea".to_owned()),
            ..NewRoom::default()
        };
        assert!(matches!(
            rooms.create(&alice, again).await,
            Err(Error::AliasInUse(_))
        ));
    }

    #[tokio::test]
    async fn impossible_rooms_are_refused_and_leave_nothing() {
        let rooms = rooms();
        let [alice] = rooms.people(["alice"]).await;
        let with_state = |state: Value| NewRoom {
            initial_state: vec![raw(&state)],
            ..NewRoom::default()
        };
        let with_levels = |levels: Value| NewRoom {
            power_levels: Some(raw(&levels)),
            ..NewRoom::default()
        };
        for new in [
            with_state(json!({"type": "m.room.create", "content": {}})),
            with_state(json!({"type": "m.room.encryption", "content": {}})),
            with_state(
                json!({"type": "m.room.member", "state_key": "@bob:orvale.test", "content": {"membership": "join"}}),
            ),
            // A creator stands above all.
            with_levels(json!({"users": {"@alice:orvale.test": 99}})),
            with_levels(json!({"ban": "many"})),
            // The creator could not set the name.
            NewRoom {
                version: Some(RoomVersionId::V11),
                name: Some("Tea".to_owned()),
                ..with_levels(json!({"users": {}}))
            },
        ] {
            let refused = rooms.create(&alice, new).await.map(|room| room.id.clone());
            assert!(
                matches!(refused, Err(Error::InvalidRoomState(_))),
                "{refused:?}"
            );
        }
        let version = NewRoom {
            version: Some("1".try_into().unwrap()),
            ..NewRoom::default()
        };
        assert!(matches!(
            rooms.create(&alice, version).await,
            Err(Error::UnsupportedRoomVersion(_))
        ));
        let alias = NewRoom {
            alias: Some("a b".to_owned()),
            ..NewRoom::default()
        };
        assert!(matches!(
            rooms.create(&alice, alias).await,
            Err(Error::InvalidParam(_))
        ));
        let one = json!({"type": "org.example.one", "state_key": "", "content": {}});
        let much = NewRoom {
            initial_state: vec![raw(&one); MAX_INITIAL_STATE + 1],
            ..NewRoom::default()
        };
        assert!(matches!(
            rooms.create(&alice, much).await,
            Err(Error::InvalidParam(_))
        ));
        let invite = |user: OwnedUserId| NewRoom {
            invite: vec![user],
            ..NewRoom::default()
        };
        assert!(matches!(
            rooms.create(&alice, invite(user("nobody"))).await,
            Err(Error::UnknownUser(_))
        ));
        let far = UserId::parse("@carol:elsewhere.org").unwrap();
        assert!(matches!(
            rooms.create(&alice, invite(far)).await,
            Err(Error::RemoteUser(_))
        ));
        assert!(matches!(
            rooms.create(&alice, invite(alice.clone())).await,
            Err(Error::Forbidden(_))
        ));
        assert!(rooms.list_joined_rooms(&alice).unwrap().is_empty());
    }

    #[tokio::test]
    async fn member_events_show_the_profile() {
        let rooms = rooms();
        let [alice, bob] = rooms.people(["alice", "bob"]).await;
        rooms
            .users()
            .set_profile_field(&bob, "displayname", "Bob".into())
            .await
            .unwrap();
        let room = rooms
            .create(
                &alice,
                NewRoom {
                    invite: vec![bob.clone()],
                    ..NewRoom::default()
                },
            )
            .await
            .unwrap();
        let member = rooms
            .find_state(&room, &StateEventType::RoomMember, bob.as_str())
            .unwrap()
            .unwrap();
        assert_eq!(
            member.pdu.content_field::<String>("displayname").as_deref(),
            Some("Bob")
        );
    }
}
