//! Upgrades, whole.

use ruma::{RoomVersionId, UserId, events::StateEventType};
use serde_json::{Value, json};

use crate::{
    NewRoom, Preset, Room, Rooms,
    error::Error,
    json::raw,
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
