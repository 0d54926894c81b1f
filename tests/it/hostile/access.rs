//! What people must not learn of rooms that are not theirs.

use orvale_tests::{Client, Server, encode};
use reqwest::Method;
use serde_json::{Value, json};

use super::{event, of, people, public_room, texts};

/// Everything that can be asked about a room, with an event's ID where one is needed.
fn questions(room: &str, id: &str) -> Vec<(Method, String, Value)> {
    let id = encode(id);
    let get = |path: String| (Method::GET, of(room, &path), Value::Null);
    let mut questions = vec![
        get("state".to_owned()),
        get("state/m.room.name".to_owned()),
        get("state/m.room.create/".to_owned()),
        get("members".to_owned()),
        get("joined_members".to_owned()),
        get("messages?dir=b".to_owned()),
        get("aliases".to_owned()),
        get(format!("event/{id}")),
        get(format!("context/{id}")),
    ];
    let put = |path: String, body| (Method::PUT, of(room, &path), body);
    questions.push(put(
        "state/m.room.topic".to_owned(),
        json!({ "topic": "x" }),
    ));
    questions.push(put(
        "send/m.room.message/x".to_owned(),
        json!({ "body": "x", "msgtype": "m.text" }),
    ));
    questions.push(put(format!("redact/{id}/x"), json!({})));
    let post = |path: String, body| (Method::POST, of(room, &path), body);
    questions.push(post(format!("receipt/m.read/{id}"), json!({})));
    questions.push(post(
        "read_markers".to_owned(),
        json!({ "m.fully_read": "$x" }),
    ));
    questions.push(post(
        "invite".to_owned(),
        json!({ "user_id": "@alice:test.example" }),
    ));
    questions.push(post(
        "kick".to_owned(),
        json!({ "user_id": "@alice:test.example" }),
    ));
    questions.push(post(
        "ban".to_owned(),
        json!({ "user_id": "@alice:test.example" }),
    ));
    questions.push(post("upgrade".to_owned(), json!({ "new_version": "12" })));
    questions
}

/// What is answered, without the IDs that were asked about.
async fn answers(client: &Client, room: &str, id: &str) -> Vec<String> {
    let mut answers = Vec::new();
    for (method, path, body) in questions(room, id) {
        let answer = client.call(method.clone(), &path, body.to_string()).await;
        let told = answer
            .json
            .to_string()
            .replace(room, "ROOM")
            .replace(id, "EVENT");
        let place = path
            .replace(&encode(room), "ROOM")
            .replace(&encode(id), "EVENT");
        answers.push(format!("{method} {place}: {} {told}", answer.status));
    }
    answers
}

#[tokio::test]
async fn line_13_rooms_that_are_closed_and_rooms_that_are_not_there_look_the_same() {
    let server = Server::start().await;
    let [alice, bob, mallory] = people(&server).await;
    let closed = alice
        .create_room(json!({ "preset": "private_chat", "name": "secret" }))
        .await;
    let inside = alice.send_text(&closed, "secret").await;
    alice.invite(&closed, &bob).await;
    let nowhere = "!AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    let nothing = "$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    let known = answers(&mallory, &closed, &inside).await;
    let unknown = answers(&mallory, nowhere, nothing).await;
    for (known, unknown) in known.iter().zip(&unknown) {
        assert_eq!(known, unknown);
        assert!(known.contains("403") || known.contains("404"), "{known}");
        assert!(!known.contains("secret"), "{known}");
    }
    // Nor does what was refused stay.
    assert_eq!(alice.messages(&closed, 1).await[0]["type"], "m.room.member");
}

#[tokio::test]
async fn line_13_event_of_another_room_is_not_readable_through_a_room_i_am_in() {
    let server = Server::start().await;
    let [alice, _, mallory] = people(&server).await;
    let closed = alice.create_room(json!({ "preset": "private_chat" })).await;
    let secret = alice.send_text(&closed, "secret").await;
    let mine = public_room(&mallory).await;
    mallory
        .get(&of(&mine, &event(&secret)))
        .await
        .refused(404, "M_NOT_FOUND");
    let context = format!("context/{}", encode(&secret));
    mallory
        .get(&of(&mine, &context))
        .await
        .refused(404, "M_NOT_FOUND");
    let redact = of(&mine, &format!("redact/{}/t", encode(&secret)));
    mallory
        .put(&redact, json!({}))
        .await
        .refused(404, "M_NOT_FOUND");
    // By a message of that type it is no different.
    let redaction = mallory
        .try_send(&mine, "m.room.redaction", json!({ "redacts": secret }))
        .await;
    assert!(redaction.status.is_client_error(), "{:?}", redaction.json);
    assert_eq!(
        alice.event(&closed, &secret).await["content"]["body"],
        "secret"
    );
    // A reply or an annotation tells nothing of what it points to.
    let relation =
        json!({ "m.relates_to": { "rel_type": "m.annotation", "event_id": secret, "key": "x" } });
    let _ = mallory.try_send(&mine, "m.reaction", relation).await;
    let thread = json!({ "body": "x", "msgtype": "m.text", "m.relates_to": { "rel_type": "m.thread", "event_id": secret } });
    let _ = mallory.try_send(&mine, "m.room.message", thread).await;
    let sync = mallory.sync().await;
    assert!(!sync.0.to_string().contains("\"secret\""), "{}", sync.0);
    // And its room's members see nothing of what she tried.
    let seen = alice.event(&closed, &secret).await;
    assert_eq!(seen["unsigned"]["m.relations"], Value::Null);
    // Receipts are for events of the room.
    for path in [
        format!("receipt/m.read/{}", encode(&secret)),
        format!("receipt/m.read.private/{}", encode(&secret)),
    ] {
        let answer = mallory.post(&of(&mine, &path), json!({})).await;
        assert!(answer.status.is_success() || answer.status.is_client_error());
    }
    let sync = alice.sync().await;
    assert!(!sync.0.to_string().contains("@mallory"), "{}", sync.0);
}

#[tokio::test]
async fn line_13_who_left_sees_the_room_as_it_was_then() {
    let server = Server::start().await;
    let [alice, bob, mallory] = people(&server).await;
    let room = public_room(&alice).await;
    mallory.join(&room).await;
    let _ = alice
        .set_state(&room, "m.room.topic", "", json!({ "topic": "before" }))
        .await;
    let before = alice.send_text(&room, "before").await;
    mallory.leave(&room).await;
    let _ = alice
        .set_state(&room, "m.room.topic", "", json!({ "topic": "secret" }))
        .await;
    let after = alice.send_text(&room, "secret").await;
    bob.join(&room).await;

    assert_eq!(
        mallory.state(&room, "m.room.topic", "").await["topic"],
        "before"
    );
    for path in [
        "state",
        "members",
        "messages?dir=b&limit=100",
        "messages?dir=f&limit=100",
    ] {
        let seen = mallory.get(&of(&room, path)).await.ok().to_string();
        assert!(
            !seen.contains("secret") && !seen.contains("@bob"),
            "{path}: {seen}"
        );
    }
    assert_eq!(
        mallory.event(&room, &before).await["content"]["body"],
        "before"
    );
    mallory
        .get(&of(&room, &event(&after)))
        .await
        .refused(404, "M_NOT_FOUND");
    let context = format!("context/{}", encode(&before));
    let around = mallory
        .get(&of(&room, &format!("{context}?limit=100")))
        .await
        .ok()
        .to_string();
    assert!(
        !around.contains("secret") && !around.contains("@bob"),
        "{around}"
    );
    mallory
        .get(&of(&room, &format!("context/{}", encode(&after))))
        .await
        .refused(404, "M_NOT_FOUND");
    mallory
        .get(&of(&room, "joined_members"))
        .await
        .refused(403, "M_FORBIDDEN");
    // The sync token of somebody who is there opens nothing.
    let token = alice.sync().await.next_batch().to_owned();
    for path in [
        format!("messages?dir=b&from={token}"),
        format!("members?at={token}"),
    ] {
        let answer = mallory.get(&of(&room, &path)).await;
        assert!(
            !answer.json.to_string().contains("secret"),
            "{path}: {}",
            answer.json
        );
        assert!(
            !answer.json.to_string().contains("@bob"),
            "{path}: {}",
            answer.json
        );
    }
    // Forgotten, it is as if she had never been there.
    let _ = mallory.post(&of(&room, "forget"), json!({})).await.ok();
    mallory
        .get(&of(&room, "messages?dir=b"))
        .await
        .refused(403, "M_FORBIDDEN");
    mallory
        .get(&of(&room, &event(&before)))
        .await
        .refused(404, "M_NOT_FOUND");
}

#[tokio::test]
async fn line_13_history_for_members_is_not_shown_to_who_comes_later() {
    let server = Server::start().await;
    let [alice, bob, mallory] = people(&server).await;
    let visibility = json!([{ "type": "m.room.history_visibility", "content": { "history_visibility": "joined" } }]);
    let room = alice
        .create_room(json!({ "preset": "public_chat", "initial_state": visibility }))
        .await;
    let early = alice.send_text(&room, "secret").await;
    alice.invite(&room, &bob).await;
    mallory.join(&room).await;
    bob.join(&room).await;
    let late = alice.send_text(&room, "for all").await;
    for late_comer in [&mallory, &bob] {
        late_comer
            .get(&of(&room, &event(&early)))
            .await
            .refused(404, "M_NOT_FOUND");
        assert_eq!(
            late_comer.event(&room, &late).await["content"]["body"],
            "for all"
        );
        assert_eq!(texts(&late_comer.messages(&room, 100).await), ["for all"]);
        let sync = late_comer.sync().await;
        assert!(!sync.0.to_string().contains("secret"), "{}", sync.0);
        let around = late_comer
            .get(&of(&room, &format!("context/{}?limit=50", encode(&late))))
            .await
            .ok();
        assert!(!around.to_string().contains("secret"), "{around}");
    }
    // Opening it now does not open what was.
    let open = json!({ "history_visibility": "world_readable" });
    let _ = alice
        .set_state(&room, "m.room.history_visibility", "", open)
        .await;
    mallory
        .get(&of(&room, &event(&early)))
        .await
        .refused(404, "M_NOT_FOUND");
}

#[tokio::test]
async fn line_13_who_is_invited_learns_no_more_than_what_is_needed_to_decide() {
    let server = Server::start().await;
    let [alice, bob, mallory] = people(&server).await;
    let visibility = json!([{ "type": "m.room.history_visibility", "content": { "history_visibility": "joined" } }]);
    let room = alice
        .create_room(
            json!({ "preset": "private_chat", "name": "tea", "initial_state": visibility }),
        )
        .await;
    let _ = alice
        .set_state(&room, "org.example.secret", "", json!({ "secret": true }))
        .await;
    alice.invite(&room, &bob).await;
    bob.join(&room).await;
    let sent = alice.send_text(&room, "secret").await;
    alice.invite(&room, &mallory).await;
    let sync = mallory.sync().await;
    let stripped = sync.invited(&room)["invite_state"]["events"]
        .as_array()
        .unwrap();
    for event in stripped {
        let kind = event["type"].as_str().unwrap();
        assert!(!kind.starts_with("org.example"), "{event}");
        if kind == "m.room.member" {
            let person = event["state_key"].as_str().unwrap();
            assert!(
                person == alice.user_id || person == mallory.user_id,
                "{event}"
            );
        }
        let keys: Vec<&String> = event.as_object().unwrap().keys().collect();
        let create = kind == "m.room.create";
        assert!(
            create
                || keys
                    .iter()
                    .all(|key| ["type", "state_key", "content", "sender"].contains(&key.as_str())),
            "{event}"
        );
    }
    for path in [
        "state",
        "members",
        "joined_members",
        "messages?dir=b",
        "state/m.room.name",
    ] {
        mallory
            .get(&of(&room, path))
            .await
            .refused(403, "M_FORBIDDEN");
    }
    mallory
        .get(&of(&room, &event(&sent)))
        .await
        .refused(404, "M_NOT_FOUND");
    assert!(
        mallory
            .try_send(&room, "m.room.message", json!({ "body": "x" }))
            .await
            .status
            == 403
    );
}

#[tokio::test]
async fn line_13_what_belongs_to_one_user_is_not_for_another() {
    let server = Server::start().await;
    let [alice, _, mallory] = people(&server).await;
    let room = public_room(&alice).await;
    mallory.join(&room).await;
    let who = encode(&alice.user_id);
    let data = format!("user/{who}/account_data/org.example.secret");
    let _ = alice.put(&data, json!({ "secret": true })).await.ok();
    let filter = alice
        .post(&format!("user/{who}/filter"), json!({ "room": {} }))
        .await
        .ok();
    let filter = format!(
        "user/{who}/filter/{}",
        filter["filter_id"].as_str().unwrap()
    );
    for path in [
        data.clone(),
        filter,
        format!("user/{who}/{}/tags", of(&room, "").trim_end_matches('/')),
        format!("user/{who}/{}", of(&room, "account_data/m.fully_read")),
    ] {
        mallory.get(&path).await.refused(403, "M_FORBIDDEN");
    }
    mallory
        .put(&data, json!({}))
        .await
        .refused(403, "M_FORBIDDEN");
    mallory
        .post(&format!("user/{who}/filter"), json!({}))
        .await
        .refused(403, "M_FORBIDDEN");
    let name = json!({ "displayname": "Mallory was here" });
    mallory
        .put(&format!("profile/{who}/displayname"), name)
        .await
        .refused(403, "M_FORBIDDEN");
    mallory
        .put(
            &format!("presence/{who}/status"),
            json!({ "presence": "online" }),
        )
        .await
        .refused(403, "M_FORBIDDEN");
    let typing = json!({ "typing": true, "timeout": 1000 });
    mallory
        .put(&of(&room, &format!("typing/{who}")), typing)
        .await
        .refused(403, "M_FORBIDDEN");
    let device = format!("devices/{}", alice.device_id);
    mallory.get(&device).await.refused(404, "M_NOT_FOUND");
    mallory
        .put(&device, json!({ "display_name": "x" }))
        .await
        .refused(404, "M_NOT_FOUND");
    // Membership of somebody else is not changed by sending state.
    let member = of(&room, &format!("state/m.room.member/{who}"));
    mallory
        .put(&member, json!({ "membership": "leave" }))
        .await
        .refused(403, "M_FORBIDDEN");
    mallory
        .put(&member, json!({ "membership": "join", "displayname": "x" }))
        .await
        .refused(403, "M_FORBIDDEN");
}

#[tokio::test]
async fn line_13_people_who_share_no_room_learn_nothing_of_each_others_presence_and_private_rooms()
{
    let server = Server::start().await;
    let [alice, bob, mallory] = people(&server).await;
    let room = alice
        .create_room(json!({ "preset": "private_chat", "name": "secret" }))
        .await;
    alice.invite(&room, &bob).await;
    bob.join(&room).await;
    let status = json!({ "presence": "online", "status_msg": "secret" });
    let _ = alice
        .put(
            &format!("presence/{}/status", encode(&alice.user_id)),
            status,
        )
        .await
        .ok();
    alice.typing(&room, true).await;
    let sync = mallory.sync().await;
    assert!(!sync.0.to_string().contains("secret"), "{}", sync.0);
    mallory
        .get(&format!("presence/{}/status", encode(&alice.user_id)))
        .await
        .refused(403, "M_FORBIDDEN");
    let public = mallory.get("publicRooms?limit=100").await.ok();
    assert!(!public.to_string().contains(&room), "{public}");
    // An alias of a private room may be looked up, but what stands behind it stays closed.
    let alias = format!("#door:{}", alice.user_id.split_once(':').unwrap().1);
    let _ = alice
        .put(
            &format!("directory/room/{}", encode(&alias)),
            json!({ "room_id": room }),
        )
        .await
        .ok();
    mallory
        .post(&format!("join/{}", encode(&alias)), json!({}))
        .await
        .refused(403, "M_FORBIDDEN");
    mallory
        .delete(&format!("directory/room/{}", encode(&alias)))
        .await
        .refused(403, "M_FORBIDDEN");
}
