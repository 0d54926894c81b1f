//! Who may come, go, and put others out.

use std::sync::Arc;

use ruma::{
    OwnedUserId, RoomVersionId, UserId,
    events::{StateEventType, TimelineEventType},
};
use serde_json::{Value, json};

use crate::{
    Error, Membership, NewRoom, NewState, Preset, Room, Rooms,
    testing::{raw, rooms, state, text},
};

async fn room_of(rooms: &Rooms, alice: &UserId, preset: Preset) -> Arc<Room> {
    rooms
        .create(
            alice,
            NewRoom {
                preset,
                ..NewRoom::default()
            },
        )
        .await
        .unwrap()
}

fn membership_of(rooms: &Rooms, room: &Room, user: &UserId) -> Option<Membership> {
    rooms
        .find_membership(room, user)
        .unwrap()
        .map(|record| record.membership)
}

/// A room which the members of another may join, if its creator made it so.
async fn restricted(
    rooms: &Rooms,
    alice: &UserId,
    version: RoomVersionId,
    rule: &str,
    allow: &Room,
) -> Arc<Room> {
    let rules =
        json!({"join_rule": rule, "allow": [{"type": "m.room_membership", "room_id": allow.id}]});
    let new = NewRoom {
        version: Some(version),
        initial_state: vec![raw(&json!({"type": "m.room.join_rules", "content": rules}))],
        ..NewRoom::default()
    };
    rooms.create(alice, new).await.unwrap()
}

#[tokio::test]
async fn joining_needs_an_open_door_or_an_invite_and_happens_once() {
    let rooms = rooms();
    let [alice, bob] = rooms.people(["alice", "bob"]).await;
    let public = room_of(&rooms, &alice, Preset::Public).await;
    rooms.join(&bob, &public, Some("tea")).await.unwrap();
    let end = rooms.store().visible();
    rooms.join(&bob, &public, None).await.unwrap();
    assert_eq!(rooms.store().visible(), end);
    assert_eq!(rooms.count_joined(public.number).unwrap(), 2);

    let private = room_of(&rooms, &alice, Preset::Private).await;
    assert!(matches!(
        rooms.join(&bob, &private, None).await,
        Err(Error::Forbidden(_))
    ));
    rooms.invite(&alice, &bob, &private, None).await.unwrap();
    rooms.join(&bob, &private, None).await.unwrap();
    assert_eq!(rooms.list_joined_rooms(&bob).unwrap().len(), 2);
}

#[tokio::test]
async fn two_joins_at_once_make_one_member() {
    let rooms = rooms();
    let [alice, bob] = rooms.people(["alice", "bob"]).await;
    let room = room_of(&rooms, &alice, Preset::Public).await;
    let before = rooms.store().visible();
    let join = || {
        let (rooms, room, bob) = (rooms.clone(), room.clone(), bob.clone());
        tokio::spawn(async move { rooms.join(&bob, &room, None).await })
    };
    for task in [join(), join(), join()] {
        task.await.unwrap().unwrap();
    }
    assert_eq!(rooms.store().log(before, 10).unwrap().len(), 1);
    assert_eq!(rooms.count_joined(room.number).unwrap(), 2);
}

#[tokio::test]
async fn banned_users_come_back_only_after_the_ban_is_lifted() {
    let rooms = rooms();
    let [alice, bob] = rooms.people(["alice", "bob"]).await;
    let room = room_of(&rooms, &alice, Preset::Public).await;
    rooms.join(&bob, &room, None).await.unwrap();
    rooms.ban(&alice, &bob, &room, Some("spam")).await.unwrap();
    for refused in [
        rooms.join(&bob, &room, None).await,
        rooms.knock(&bob, &room, None).await,
        rooms.leave(&bob, &room, None).await,
        rooms.invite(&alice, &bob, &room, None).await,
        // It would lift the ban.
        rooms.kick(&alice, &bob, &room, None).await,
    ] {
        assert!(matches!(refused, Err(Error::Forbidden(_))), "{refused:?}");
    }
    let join = NewState {
        kind: StateEventType::RoomMember,
        state_key: bob.to_string(),
        content: raw(&json!({"membership": "join"})),
        timestamp: None,
    };
    assert!(matches!(
        rooms.send_state(&bob, &room.id, join).await,
        Err(Error::Forbidden(_))
    ));
    rooms.unban(&alice, &bob, &room, None).await.unwrap();
    assert!(matches!(
        rooms.unban(&alice, &bob, &room, None).await,
        Err(Error::Forbidden(_))
    ));
    rooms.join(&bob, &room, None).await.unwrap();
}

#[tokio::test]
async fn only_members_with_the_power_put_others_out() {
    let rooms = rooms();
    let [alice, bob, carol] = rooms.people(["alice", "bob", "carol"]).await;
    let room = room_of(&rooms, &alice, Preset::Public).await;
    assert!(matches!(
        rooms.kick(&bob, &alice, &room, None).await,
        Err(Error::NotJoined)
    ));
    rooms.join(&bob, &room, None).await.unwrap();
    assert!(matches!(
        rooms.kick(&bob, &alice, &room, None).await,
        Err(Error::Forbidden(_))
    ));
    assert!(matches!(
        rooms.ban(&bob, &carol, &room, None).await,
        Err(Error::Forbidden(_))
    ));
    assert!(matches!(
        rooms.kick(&alice, &carol, &room, None).await,
        Err(Error::Forbidden(_))
    ));
    rooms
        .kick(&alice, &bob, &room, Some("noise"))
        .await
        .unwrap();
    assert_eq!(membership_of(&rooms, &room, &bob), Some(Membership::Leave));
    rooms.ban(&alice, &carol, &room, None).await.unwrap();
    assert_eq!(membership_of(&rooms, &room, &carol), Some(Membership::Ban));
}

#[tokio::test]
async fn invites_go_to_people_who_exist_and_are_not_there() {
    let rooms = rooms();
    let [alice, bob] = rooms.people(["alice", "bob"]).await;
    let room = room_of(&rooms, &alice, Preset::Public).await;
    let invite = async |by: &UserId, whom: &str| {
        rooms
            .invite(by, &UserId::parse(whom).unwrap(), &room, None)
            .await
    };
    assert!(matches!(
        invite(&bob, "@nobody:orvale.test").await,
        Err(Error::NotJoined)
    ));
    assert!(matches!(
        invite(&alice, "@nobody:orvale.test").await,
        Err(Error::UnknownUser(_))
    ));
    assert!(matches!(
        invite(&alice, "@bob:elsewhere.org").await,
        Err(Error::RemoteUser(_))
    ));
    assert!(matches!(
        invite(&alice, alice.as_str()).await,
        Err(Error::Forbidden(_))
    ));
    invite(&alice, bob.as_str()).await.unwrap();
    rooms.leave(&bob, &room, Some("no")).await.unwrap();
    invite(&alice, bob.as_str()).await.unwrap();
    rooms.kick(&alice, &bob, &room, None).await.unwrap();
    assert!(matches!(rooms.read(&bob, &room.id), Err(Error::NotJoined)));
}

#[tokio::test]
async fn leaving_twice_is_leaving_once_and_strangers_do_not_leave() {
    let rooms = rooms();
    let [alice, bob] = rooms.people(["alice", "bob"]).await;
    let room = room_of(&rooms, &alice, Preset::Public).await;
    assert!(matches!(
        rooms.leave(&bob, &room, None).await,
        Err(Error::NotJoined)
    ));
    rooms.join(&bob, &room, None).await.unwrap();
    rooms.leave(&bob, &room, None).await.unwrap();
    let end = rooms.store().visible();
    rooms.leave(&bob, &room, None).await.unwrap();
    assert_eq!(rooms.store().visible(), end);
}

#[tokio::test]
async fn a_forgotten_room_is_closed_until_one_comes_back() {
    let rooms = rooms();
    let [alice, bob] = rooms.people(["alice", "bob"]).await;
    let room = room_of(&rooms, &alice, Preset::Public).await;
    assert!(matches!(
        rooms.forget(&bob, &room).await,
        Err(Error::NotJoined)
    ));
    rooms.join(&bob, &room, None).await.unwrap();
    assert!(matches!(
        rooms.forget(&bob, &room).await,
        Err(Error::StillInRoom)
    ));
    rooms.leave(&bob, &room, None).await.unwrap();
    assert!(rooms.read(&bob, &room.id).is_ok());
    rooms.forget(&bob, &room).await.unwrap();
    rooms.forget(&bob, &room).await.unwrap();
    assert!(matches!(rooms.read(&bob, &room.id), Err(Error::NotJoined)));
    rooms.join(&bob, &room, None).await.unwrap();
    assert!(rooms.read(&bob, &room.id).is_ok());
}

#[tokio::test]
async fn members_of_an_allowed_room_join_by_the_power_of_a_local_member() {
    for version in [RoomVersionId::V8, RoomVersionId::V11, RoomVersionId::V12] {
        let rooms = rooms();
        let [alice, bob, carol] = rooms.people(["alice", "bob", "carol"]).await;
        let club = room_of(&rooms, &alice, Preset::Public).await;
        let room = restricted(&rooms, &alice, version, "restricted", &club).await;
        assert!(matches!(
            rooms.join(&bob, &room, None).await,
            Err(Error::Forbidden(_))
        ));
        rooms.join(&bob, &club, None).await.unwrap();
        rooms.join(&bob, &room, None).await.unwrap();
        let member = rooms
            .find_state(&room, &StateEventType::RoomMember, bob.as_str())
            .unwrap()
            .unwrap();
        let by: Option<OwnedUserId> = member.pdu.content_field("join_authorised_via_users_server");
        assert_eq!(by, Some(alice.clone()));
        // Being invited is enough too, and then nobody vouches.
        rooms.invite(&alice, &carol, &room, None).await.unwrap();
        rooms.join(&carol, &room, None).await.unwrap();
        // A new display name needs no voucher.
        rooms.leave(&bob, &club, None).await.unwrap();
        rooms
            .users()
            .set_profile_field(&bob, "displayname", "Bob".into())
            .await
            .unwrap();
        rooms.update_profile(&bob).await.unwrap();
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

#[tokio::test]
async fn where_nobody_here_may_invite_nobody_is_let_in() {
    let rooms = rooms();
    let [alice, bob, carol] = rooms.people(["alice", "bob", "carol"]).await;
    let club = room_of(&rooms, &alice, Preset::Public).await;
    let room = restricted(&rooms, &alice, RoomVersionId::V11, "restricted", &club).await;
    for user in [&bob, &carol] {
        rooms.join(user, &club, None).await.unwrap();
    }
    rooms.join(&bob, &room, None).await.unwrap();
    let levels = json!({"users": {alice.as_str(): 100}, "invite": 100});
    rooms
        .did(&room, state(&alice, "m.room.power_levels", "", &levels))
        .await
        .unwrap();
    rooms.leave(&alice, &room, None).await.unwrap();
    assert!(matches!(
        rooms.join(&carol, &room, None).await,
        Err(Error::UnableToGrantJoin)
    ));
    // With the power for all, any member vouches.
    let room = restricted(&rooms, &alice, RoomVersionId::V11, "restricted", &club).await;
    rooms.join(&bob, &room, None).await.unwrap();
    rooms.leave(&alice, &room, None).await.unwrap();
    rooms.join(&carol, &room, None).await.unwrap();
}

#[tokio::test]
async fn rooms_we_know_nothing_of_let_us_decide_nothing() {
    let rooms = rooms();
    let [alice, bob] = rooms.people(["alice", "bob"]).await;
    let rules = json!({"join_rule": "restricted", "allow": [{"type": "m.room_membership", "room_id": "!far:elsewhere.org"}]});
    let new = NewRoom {
        initial_state: vec![raw(&json!({"type": "m.room.join_rules", "content": rules}))],
        ..NewRoom::default()
    };
    let room = rooms.create(&alice, new).await.unwrap();
    assert!(matches!(
        rooms.join(&bob, &room, None).await,
        Err(Error::UnableToAuthoriseJoin)
    ));
}

#[tokio::test]
async fn knocks_are_for_rooms_that_take_them_and_are_answered_by_an_invite() {
    let rooms = rooms();
    let [alice, bob] = rooms.people(["alice", "bob"]).await;
    let closed = room_of(&rooms, &alice, Preset::Private).await;
    assert!(matches!(
        rooms.knock(&bob, &closed, None).await,
        Err(Error::Forbidden(_))
    ));
    let rules = json!({"type": "m.room.join_rules", "content": {"join_rule": "knock"}});
    let room = rooms
        .create(
            &alice,
            NewRoom {
                initial_state: vec![raw(&rules)],
                ..NewRoom::default()
            },
        )
        .await
        .unwrap();
    rooms.knock(&bob, &room, Some("it is me")).await.unwrap();
    rooms.knock(&bob, &room, None).await.unwrap();
    assert!(matches!(
        rooms.join(&bob, &room, None).await,
        Err(Error::Forbidden(_))
    ));
    rooms.leave(&bob, &room, None).await.unwrap();
    rooms.knock(&bob, &room, None).await.unwrap();
    rooms.invite(&alice, &bob, &room, None).await.unwrap();
    assert!(matches!(
        rooms.knock(&bob, &room, None).await,
        Err(Error::Forbidden(_))
    ));
    rooms.join(&bob, &room, None).await.unwrap();
    assert!(matches!(
        rooms.knock(&bob, &room, None).await,
        Err(Error::Forbidden(_))
    ));
}

#[tokio::test]
async fn a_member_event_put_as_state_is_the_change_it_is() {
    let rooms = rooms();
    let [alice, bob] = rooms.people(["alice", "bob"]).await;
    let room = room_of(&rooms, &alice, Preset::Public).await;
    let put = async |sender: &UserId, target: &UserId, content: Value| {
        let state = NewState {
            kind: StateEventType::RoomMember,
            state_key: target.to_string(),
            content: raw(&content),
            timestamp: None,
        };
        rooms.send_state(sender, &room.id, state).await
    };
    assert!(matches!(
        put(&alice, &bob, json!({"membership": "join"})).await,
        Err(Error::Forbidden(_))
    ));
    assert!(matches!(
        put(&bob, &bob, json!({"membership": "leave"})).await,
        Err(Error::NotJoined)
    ));
    assert!(matches!(
        put(&bob, &bob, json!({})).await,
        Err(Error::BadContent(_))
    ));
    assert!(matches!(
        put(&alice, &bob, json!({"membership": "friend"})).await,
        Err(Error::BadContent(_))
    ));
    put(&bob, &bob, json!({"membership": "join", "displayname": "Bobby", "join_authorised_via_users_server": alice})).await.unwrap();
    let member = rooms
        .find_state(&room, &StateEventType::RoomMember, bob.as_str())
        .unwrap()
        .unwrap();
    let content: Value = serde_json::from_str(member.pdu.content.get()).unwrap();
    assert_eq!(
        content,
        json!({"membership": "join", "displayname": "Bobby"})
    );
    assert!(matches!(
        put(&alice, &bob, json!({"membership": "invite"})).await,
        Err(Error::Forbidden(_))
    ));
    put(
        &alice,
        &bob,
        json!({"membership": "leave", "reason": "noise"}),
    )
    .await
    .unwrap();
    assert_eq!(membership_of(&rooms, &room, &bob), Some(Membership::Leave));
}

#[tokio::test]
async fn guests_come_where_guests_are_welcome() {
    let rooms = rooms();
    let [alice] = rooms.people(["alice"]).await;
    let guest = orvale_users::NewAccount {
        localpart: Some("1"),
        guest: true,
        ..Default::default()
    };
    let guest = rooms.users().create_account(guest).await.unwrap();
    let room = room_of(&rooms, &alice, Preset::Public).await;
    assert!(matches!(
        rooms.join(&guest, &room, None).await,
        Err(Error::GuestsForbidden)
    ));
    rooms
        .did(
            &room,
            state(
                &alice,
                "m.room.guest_access",
                "",
                &json!({"guest_access": "can_join"}),
            ),
        )
        .await
        .unwrap();
    rooms.join(&guest, &room, None).await.unwrap();
    rooms.did(&room, text(&guest, "hello")).await.unwrap();

    rooms.join(&alice, &room, None).await.unwrap();
    let closed = crate::NewState {
        kind: StateEventType::RoomGuestAccess,
        state_key: String::new(),
        content: crate::testing::raw(&json!({"guest_access": "forbidden"})),
        timestamp: None,
    };
    rooms.send_state(&alice, &room.id, closed).await.unwrap();
    assert_eq!(
        membership_of(&rooms, &room, &guest),
        Some(Membership::Leave)
    );
    assert_eq!(membership_of(&rooms, &room, &alice), Some(Membership::Join));
}

#[tokio::test]
async fn leaving_ends_typing() {
    let rooms = rooms();
    let [alice] = rooms.people(["alice"]).await;
    let room = room_of(&rooms, &alice, Preset::Public).await;
    let a_while = Some(std::time::Duration::from_secs(30));
    rooms.set_typing(&alice, &room.id, a_while).unwrap();
    rooms.leave(&alice, &room, None).await.unwrap();
    assert!(rooms.typing().list(room.number).is_empty());
    assert!(matches!(
        rooms.set_typing(&alice, &room.id, a_while),
        Err(Error::NotJoined)
    ));
    let last = rooms.event(rooms.last_event(room.number).unwrap()).unwrap();
    assert_eq!(last.pdu.kind, TimelineEventType::RoomMember);
}

#[tokio::test]
async fn who_takes_no_invites_gets_none() {
    let rooms = rooms();
    let [alice, bob] = rooms.people(["alice", "bob"]).await;
    let room = room_of(&rooms, &alice, Preset::Private).await;
    let set = async |content: &str| {
        let set = rooms
            .users()
            .set_account_data(&bob, None, "m.invite_permission_config", content);
        set.await.unwrap();
    };
    set(r#"{"default_action": "block"}"#).await;
    let invited = rooms.invite(&alice, &bob, &room, None).await;
    assert!(matches!(invited, Err(Error::InviteBlocked(_))));
    let put = NewState {
        kind: StateEventType::RoomMember,
        state_key: bob.to_string(),
        content: raw(&json!({"membership": "invite"})),
        timestamp: None,
    };
    assert!(matches!(
        rooms.send_state(&alice, &room.id, put).await,
        Err(Error::InviteBlocked(_))
    ));
    let new = NewRoom {
        invite: vec![bob.clone()],
        ..NewRoom::default()
    };
    assert!(matches!(
        rooms.create(&alice, new).await,
        Err(Error::InviteBlocked(_))
    ));
    set(r#"{"default_action": "block", "allowed_users": ["@alice:*"]}"#).await;
    rooms.invite(&alice, &bob, &room, None).await.unwrap();
    rooms.leave(&bob, &room, None).await.unwrap();
    set("{}").await;
    rooms.invite(&alice, &bob, &room, None).await.unwrap();
}

#[tokio::test]
async fn who_ignores_somebody_is_invited_and_does_not_hear_of_it() {
    let rooms = rooms();
    let [alice, bob, carol] = rooms.people(["alice", "bob", "carol"]).await;
    let room = room_of(&rooms, &alice, Preset::Private).await;
    let ignoring = [
        (
            &bob,
            "m.ignored_user_list",
            json!({"ignored_users": {alice.as_str(): {}}}),
        ),
        (
            &carol,
            "org.matrix.msc4155.invite_permission_config",
            json!({"ignored_users": [alice]}),
        ),
    ];
    for (user, kind, content) in ignoring {
        let users = rooms.users();
        let content = content.to_string();
        users
            .set_account_data(user, None, kind, &content)
            .await
            .unwrap();
        rooms.invite(&alice, user, &room, None).await.unwrap();
        let verdict = rooms.invite_verdict(user, &alice).unwrap();
        assert_eq!(verdict, crate::InviteVerdict::Ignore);
    }
    assert_eq!(
        rooms.invite_verdict(&bob, &carol).unwrap(),
        crate::InviteVerdict::Allow
    );
}
