//! Many things at once, of which only one may come true.

use std::collections::BTreeSet;

use futures_util::future::join_all;
use orvale_tests::{Client, Server, encode};
use serde_json::{Value, json};

use super::{of, people, public_room};

/// How many at once.
const MANY: usize = 12;

#[tokio::test(flavor = "multi_thread")]
async fn line_01_lost_power_stays_lost_however_much_is_sent_meanwhile() {
    let server = Server::start().await;
    let [alice, bob, _] = people(&server).await;
    let room = public_room(&alice).await;
    bob.join(&room).await;
    let mut levels = alice.state(&room, "m.room.power_levels", "").await;
    levels["users"][&bob.user_id] = json!(100);
    let _ = alice
        .set_state(&room, "m.room.power_levels", "", levels.clone())
        .await;
    let topics = (0..MANY).map(async |n| {
        bob.put(
            &of(&room, "state/m.room.topic"),
            json!({ "topic": n.to_string() }),
        )
        .await
        .status
    });
    let mut risen = levels.clone();
    risen["users_default"] = json!(50);
    let power = of(&room, "state/m.room.power_levels");
    let rises = (0..MANY).map(|_| bob.put(&power, risen.clone()));
    let mut fallen = levels.clone();
    fallen["users"][&bob.user_id] = json!(0);
    let falls = alice.put(&power, fallen.clone());
    // Equals do not lower each other: in rooms whose creator stands above all this succeeds.
    let (_, _, fell) = tokio::join!(join_all(topics), join_all(rises), falls);
    let fell = fell.ok()["event_id"].as_str().unwrap().to_owned();

    let history = alice.messages(&room, 200).await;
    let since = history
        .iter()
        .take_while(|event| event["event_id"] != fell.as_str());
    let late: Vec<&Value> = since
        .filter(|event| event["sender"] == bob.user_id.as_str())
        .collect();
    assert!(late.is_empty(), "sent without the power to: {late:?}");
    assert_eq!(alice.state(&room, "m.room.power_levels", "").await, fallen);
    server.restart().await;
    assert_eq!(alice.state(&room, "m.room.power_levels", "").await, fallen);
    bob.put(&of(&room, "state/m.room.topic"), json!({ "topic": "x" }))
        .await
        .refused(403, "M_FORBIDDEN");
}

#[tokio::test(flavor = "multi_thread")]
async fn line_01_who_is_banned_says_nothing_more_and_who_is_unbanned_stays_unbanned() {
    let server = Server::start().await;
    let [alice, bob, _] = people(&server).await;
    let room = public_room(&alice).await;
    bob.join(&room).await;
    let who = json!({ "user_id": bob.user_id });
    let flood = (0..2 * MANY).map(|_| {
        bob.try_send(
            &room,
            "m.room.message",
            json!({ "msgtype": "m.text", "body": "spam" }),
        )
    });
    let ban = of(&room, "ban");
    let (_, banned) = tokio::join!(join_all(flood), alice.post(&ban, who.clone()));
    let _ = banned.ok();
    let after = alice.messages(&room, 1).await;
    assert_eq!(after[0]["content"]["membership"], "ban");
    bob.post(&of(&room, "join"), json!({}))
        .await
        .refused(403, "M_FORBIDDEN");
    let _ = alice.post(&of(&room, "unban"), who).await.ok();
    let join = of(&room, "join");
    let rejoin = (0..MANY).map(|_| bob.post(&join, json!({})));
    join_all(rejoin)
        .await
        .into_iter()
        .for_each(|answer| drop(answer.ok()));
    server.kill();
    server.start_again().await;
    assert_eq!(
        alice.state(&room, "m.room.member", &bob.user_id).await["membership"],
        "join"
    );
    let _ = bob.send_text(&room, "back").await;
}

#[tokio::test]
async fn line_02_event_that_is_refused_leaves_nothing_behind() {
    let server = Server::start().await;
    let [alice, bob, _] = people(&server).await;
    let room = public_room(&alice).await;
    bob.join(&room).await;
    let state = async || {
        let mut state = alice.get(&of(&room, "state")).await.ok();
        for event in state.as_array_mut().unwrap() {
            event["unsigned"] = Value::Null;
        }
        state
    };
    let before = state().await;
    let _ = alice.sync().await;
    let refused = [
        ("state/m.room.name", json!({ "name": "mine" })),
        (
            "state/m.room.power_levels",
            json!({ "users": { &bob.user_id: 100 } }),
        ),
        ("state/m.room.create", json!({ "room_version": "12" })),
        (
            "state/m.room.tombstone",
            json!({ "replacement_room": "!x" }),
        ),
        ("state/org.example.state/%40alice%3Atest.example", json!({})),
        ("send/m.room.create/t", json!({})),
    ];
    for (path, content) in refused {
        let answer = bob.put(&of(&room, path), content).await;
        assert!(answer.status.is_client_error(), "{path}: {}", answer.json);
    }
    assert_eq!(state().await, before);
    let sent = bob.send_text(&room, "hello").await;
    let sync = alice.sync_until(|sync| sync.has_event(&room, &sent)).await;
    assert_eq!(sync.timeline(&room).len(), 1, "{}", sync.0);
    server.restart().await;
    assert_eq!(alice.messages(&room, 2).await[0]["event_id"], sent.as_str());
    assert_eq!(alice.messages(&room, 2).await[1]["type"], "m.room.member");
}

#[tokio::test(flavor = "multi_thread")]
async fn line_12_joining_and_leaving_at_once_ends_in_one_membership_that_all_agree_on() {
    let server = Server::start().await;
    let [alice, bob, _] = people(&server).await;
    let room = public_room(&alice).await;
    let both = (0..4 * MANY).map(async |n| {
        let path = of(&room, if n % 2 == 0 { "join" } else { "leave" });
        bob.post(&path, json!({})).await.status
    });
    let statuses = join_all(both).await;
    assert!(
        statuses.iter().all(|status| status.as_u16() < 500),
        "{statuses:?}"
    );
    bob.join(&room).await;
    let joined = alice.get(&of(&room, "joined_members")).await.ok();
    assert_eq!(joined["joined"].as_object().unwrap().len(), 2);
    assert_eq!(
        bob.get("joined_rooms").await.ok()["joined_rooms"],
        json!([room])
    );
    let sync = bob.sync().await;
    assert!(
        sync.joined(&room).is_object() && sync.left(&room).is_null(),
        "{}",
        sync.0
    );
    assert_eq!(sync.joined(&room)["summary"]["m.joined_member_count"], 2);
    // Each change of membership follows from the one before.
    let mut history = alice.messages(&room, 500).await;
    history.reverse();
    let his = history
        .iter()
        .filter(|event| event["state_key"] == bob.user_id.as_str());
    let memberships: Vec<&Value> = his.map(|event| &event["content"]["membership"]).collect();
    assert!(
        memberships.windows(2).all(|pair| pair[0] != pair[1]),
        "{memberships:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn line_12_many_join_at_once_and_all_are_in() {
    let server = Server::start().await;
    let alice = server.register("alice").await;
    let room = public_room(&alice).await;
    let names: Vec<String> = (0..2 * MANY).map(|n| format!("user{n}")).collect();
    let people: Vec<Client> = join_all(names.iter().map(|name| server.register(name))).await;
    join_all(people.iter().map(|person| person.join(&room))).await;
    let joined = alice.get(&of(&room, "joined_members")).await.ok();
    assert_eq!(joined["joined"].as_object().unwrap().len(), 2 * MANY + 1);
    let members = alice.get(&of(&room, "members?membership=join")).await.ok();
    assert_eq!(members["chunk"].as_array().unwrap().len(), 2 * MANY + 1);
    let summary = &alice.sync().await.joined(&room)["summary"]["m.joined_member_count"].clone();
    assert_eq!(*summary, 2 * MANY + 1);
    for person in &people {
        let _ = person.send_text(&room, "here").await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn line_12_who_is_invited_and_uninvited_at_once_is_in_or_out() {
    let server = Server::start().await;
    let [alice, bob, _] = people(&server).await;
    for _ in 0..6 {
        let room = alice
            .create_room(json!({ "preset": "private_chat", "invite": [bob.user_id] }))
            .await;
        let who = json!({ "user_id": bob.user_id });
        let (join, kick) = (of(&room, "join"), of(&room, "kick"));
        let (joined, kicked) = tokio::join!(bob.post(&join, json!({})), alice.post(&kick, who));
        let _ = kicked.ok();
        assert!(
            joined.status.is_success() || joined.status == 403,
            "{}",
            joined.json
        );
        assert_eq!(
            alice.state(&room, "m.room.member", &bob.user_id).await["membership"],
            "leave"
        );
        assert_eq!(
            bob.get("joined_rooms").await.ok()["joined_rooms"],
            json!([])
        );
        bob.post(&of(&room, "join"), json!({}))
            .await
            .refused(403, "M_FORBIDDEN");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_name_wanted_by_many_at_once_is_given_once() {
    let server = Server::start().await;
    let register = |name: &str| json!({ "username": name, "password": "long enough", "auth": { "type": "m.login.dummy" } });
    let stranger = server.stranger();
    let answers = join_all((0..MANY).map(|_| stranger.post("register", register("popular")))).await;
    let (got, refused): (Vec<_>, Vec<_>) = answers
        .into_iter()
        .partition(|answer| answer.status.is_success());
    assert_eq!(got.len(), 1);
    for answer in refused {
        answer.refused(400, "M_USER_IN_USE");
    }
    let loud = stranger.post("register", register("POPULAR")).await;
    assert_eq!(loud.status, 400, "{}", loud.json);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_alias_wanted_by_many_at_once_stands_for_one_room() {
    let server = Server::start().await;
    let [alice, ..] = people(&server).await;
    let path = format!("directory/room/{}", encode("#popular:test.example"));
    let rooms = join_all((0..MANY).map(|_| public_room(&alice))).await;
    let answers = join_all(
        rooms
            .iter()
            .map(|room| alice.put(&path, json!({ "room_id": room }))),
    )
    .await;
    let won: Vec<&String> = rooms
        .iter()
        .zip(&answers)
        .filter(|(_, answer)| answer.status.is_success())
        .map(|(room, _)| room)
        .collect();
    assert_eq!(won.len(), 1);
    assert_eq!(alice.get(&path).await.ok()["room_id"], won[0].as_str());
    let lost = answers
        .into_iter()
        .filter(|answer| !answer.status.is_success());
    for answer in lost {
        answer.refused(409, "M_UNKNOWN");
    }
    // The same in creating a room; and no room is left over from where it fails.
    let creations =
        (0..MANY).map(|_| alice.post("createRoom", json!({ "room_alias_name": "other" })));
    let made = join_all(creations)
        .await
        .into_iter()
        .filter(|answer| answer.status.is_success())
        .count();
    assert_eq!(made, 1);
    assert_eq!(
        alice.get("joined_rooms").await.ok()["joined_rooms"]
            .as_array()
            .unwrap()
            .len(),
        MANY + 1
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn one_transaction_sent_many_times_at_once_is_one_event() {
    let server = Server::start().await;
    let [alice, ..] = people(&server).await;
    let room = public_room(&alice).await;
    let path = of(&room, "send/m.room.message/same");
    let body = json!({ "msgtype": "m.text", "body": "once" });
    let answers = join_all((0..MANY).map(|_| alice.put(&path, body.clone()))).await;
    let ids: BTreeSet<String> = answers
        .into_iter()
        .map(|answer| answer.ok()["event_id"].to_string())
        .collect();
    assert_eq!(ids.len(), 1);
    assert_eq!(super::texts(&alice.messages(&room, 50).await), ["once"]);
    // Another device, and another room, have transactions of their own.
    let again = server
        .log_in("alice")
        .await
        .put(&path, body.clone())
        .await
        .ok();
    assert!(!ids.contains(&again["event_id"].to_string()));
    let other = public_room(&alice).await;
    let there = alice
        .put(&of(&other, "send/m.room.message/same"), body)
        .await
        .ok();
    assert!(!ids.contains(&there["event_id"].to_string()));
}

#[tokio::test(flavor = "multi_thread")]
async fn proof_for_one_operation_is_good_for_that_one_once() {
    let server = Server::start().await;
    let [alice, _, mallory] = people(&server).await;
    let asked = alice
        .post(
            "account/password",
            json!({ "new_password": "something else" }),
        )
        .await;
    let session = asked.json["session"].as_str().unwrap().to_owned();
    let proof = |password: &str| {
        json!({
            "type": "m.login.password", "session": session, "password": password,
            "identifier": { "type": "m.id.user", "user": "alice" },
        })
    };
    let right = proof("the password of alice");
    // Neither for another operation, nor for somebody else, nor for what else it asks for.
    for (client, path, body) in [
        (&alice, "account/deactivate", json!({ "auth": right })),
        (
            &mallory,
            "account/password",
            json!({ "new_password": "something else", "auth": right }),
        ),
        (
            &alice,
            "delete_devices",
            json!({ "devices": [alice.device_id], "auth": right }),
        ),
    ] {
        let answer = client.post(path, body).await;
        assert!(
            matches!(answer.status.as_u16(), 401 | 403 | 400),
            "{path}: {}",
            answer.json
        );
    }
    let wrong = json!({ "new_password": "something else", "auth": proof("wrong") });
    alice
        .post("account/password", wrong)
        .await
        .refused(401, "M_FORBIDDEN");
    let change = |new: usize| json!({ "new_password": format!("something else {new}"), "auth": right, "logout_devices": false });
    let answers = join_all((0..MANY).map(|n| alice.post("account/password", change(n)))).await;
    let changed = answers
        .iter()
        .filter(|answer| answer.status.is_success())
        .count();
    assert!(
        changed <= 1,
        "one proof changed the password {changed} times"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn line_12_who_loses_the_room_that_lets_in_at_once_is_in_only_if_the_server_saw_both() {
    let server = Server::start().await;
    let [alice, bob, mallory] = people(&server).await;
    let club = public_room(&alice).await;
    let allow = json!([{ "type": "m.room_membership", "room_id": club }]);
    let rules = json!({ "type": "m.room.join_rules", "state_key": "", "content": { "join_rule": "restricted", "allow": allow } });
    for round in 0..5 {
        let room = alice
            .create_room(json!({ "name": format!("{round}"), "initial_state": [rules] }))
            .await;
        // Nobody gets in who is not in the club, whatever they say of themselves or of who vouches for them.
        let path = of(
            &room,
            &format!("state/m.room.member/{}", encode(&mallory.user_id)),
        );
        let vouched =
            json!({ "membership": "join", "join_authorised_via_users_server": alice.user_id });
        for body in [json!({ "membership": "join" }), vouched] {
            let answer = mallory.put(&path, body).await;
            assert_eq!(answer.status, 403, "{}", answer.json);
        }
        bob.join(&club).await;
        let leave = of(&club, "leave");
        let join = of(&room, "join");
        let (_, joined) = tokio::join!(bob.post(&leave, json!({})), bob.post(&join, json!({})));
        let members = alice.get(&of(&room, "joined_members")).await.ok();
        let is_in = members["joined"].get(&bob.user_id).is_some();
        assert_eq!(is_in, joined.status.is_success(), "{}", joined.json);
        if is_in {
            let path = of(
                &room,
                &format!("state/m.room.member/{}?format=event", encode(&bob.user_id)),
            );
            let event = alice.get(&path).await.ok();
            let by = &event["content"]["join_authorised_via_users_server"];
            assert_eq!(*by, json!(alice.user_id), "only who may invite vouches");
        }
        let again = bob.post(&of(&room, "leave"), json!({})).await;
        assert_eq!(again.status.is_success(), is_in, "{}", again.json);
        let back = bob.post(&join, json!({})).await;
        assert_eq!(back.status, 403, "not in the club any more: {}", back.json);
    }
}
