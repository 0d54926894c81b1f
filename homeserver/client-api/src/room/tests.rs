//! Rooms as their members meet them.

use serde_json::{Value, json};

use crate::testing::{Client, Server};

impl Client {
    /// Makes a room; its path.
    pub(crate) async fn create_room(&self, body: Value) -> String {
        let made = self.post("/_matrix/client/v3/createRoom", body).await.ok();
        format!(
            "/_matrix/client/v3/rooms/{}",
            made["room_id"].as_str().unwrap()
        )
    }

    /// Sends a text; its event ID.
    pub(crate) async fn say(&self, room: &str, text: &str) -> String {
        let content = json!({"msgtype": "m.text", "body": text});
        let txn = text.replace(' ', "-");
        let sent = self
            .put(&format!("{room}/send/m.room.message/{txn}"), content)
            .await
            .ok();
        sent["event_id"].as_str().unwrap().to_owned()
    }
}

/// The texts of a list of messages.
pub(crate) fn texts(events: &Value) -> Vec<&str> {
    let bodies = events
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|event| event["content"]["body"].as_str());
    bodies.collect()
}

#[tokio::test]
async fn two_people_talk_in_a_room() {
    let server = Server::start().await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    let room = alice
        .create_room(json!({"name": "Tea", "invite": [bob.user_id], "is_direct": true}))
        .await;
    let member = format!("{room}/state/m.room.member/{}", bob.user_id);
    assert_eq!(
        alice.get(&member).await.ok(),
        json!({"membership": "invite", "is_direct": true})
    );
    bob.get(&format!("{room}/messages?dir=b"))
        .await
        .refused(403, "M_FORBIDDEN");
    bob.post(&format!("{room}/join"), json!({})).await.ok();
    alice.say(&room, "one").await;
    bob.say(&room, "two").await;

    let page = bob
        .get(&format!("{room}/messages?dir=b&limit=2"))
        .await
        .ok();
    assert_eq!(texts(&page["chunk"]), ["two", "one"]);
    assert_eq!(page["chunk"][0]["unsigned"]["transaction_id"], "two");
    assert_eq!(page["chunk"][0]["unsigned"]["membership"], "join");
    assert_eq!(page["chunk"][1]["unsigned"].get("transaction_id"), None);
    let unplaced = bob
        .get(&format!("{room}/messages?dir=b&limit=2&from=&to="))
        .await
        .ok();
    assert_eq!(texts(&unplaced["chunk"]), ["two", "one"]);
    let end = page["end"].as_str().unwrap();
    let rest = bob
        .get(&format!("{room}/messages?dir=b&limit=100&from={end}"))
        .await
        .ok();
    assert_eq!(
        rest["chunk"].as_array().unwrap().last().unwrap()["type"],
        "m.room.create"
    );
    assert_eq!(rest.get("end"), None);
}

const V3: &str = "/_matrix/client/v3";

#[tokio::test]
async fn rooms_that_cannot_be_made_say_why() {
    let server = Server::start().await;
    let alice = server.register("alice").await;
    alice.create_room(json!({"room_alias_name": "tea"})).await;
    for (body, status, errcode) in [
        (json!({"room_alias_name": "tea"}), 400, "M_ROOM_IN_USE"),
        (json!({"room_alias_name": "t ea"}), 400, "M_INVALID_PARAM"),
        (
            json!({"room_version": "77"}),
            400,
            "M_UNSUPPORTED_ROOM_VERSION",
        ),
        (json!({"preset": "fancy"}), 400, "M_INVALID_PARAM"),
        (json!({"visibility": "fancy"}), 400, "M_INVALID_PARAM"),
        (
            json!({"invite": ["@nobody:example.org"]}),
            404,
            "M_NOT_FOUND",
        ),
        (json!({"invite": ["nobody"]}), 400, "M_BAD_JSON"),
        (
            json!({"initial_state": [{"type": "m.room.create", "content": {}}]}),
            400,
            "M_INVALID_ROOM_STATE",
        ),
        (
            json!({"power_level_content_override": {"users": {"@alice:example.org": 1}}}),
            400,
            "M_INVALID_ROOM_STATE",
        ),
        (
            json!({"invite_3pid": [{"id_server": "a", "id_access_token": "b", "medium": "email", "address": "c"}]}),
            400,
            "M_THREEPID_MEDIUM_NOT_SUPPORTED",
        ),
    ] {
        alice
            .post(&format!("{V3}/createRoom"), body)
            .await
            .refused(status, errcode);
    }
    server
        .stranger()
        .post(&format!("{V3}/createRoom"), json!({}))
        .await
        .refused(401, "M_MISSING_TOKEN");
    assert_eq!(
        alice.get(&format!("{V3}/joined_rooms")).await.ok()["joined_rooms"]
            .as_array()
            .unwrap()
            .len(),
        1
    );
}

#[tokio::test]
async fn state_is_written_and_read_in_every_form() {
    let server = Server::start().await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    let room = alice.create_room(json!({"preset": "public_chat"})).await;
    for (n, path) in ["m.room.topic", "m.room.topic/"].iter().enumerate() {
        let set = alice
            .put(
                &format!("{room}/state/{path}"),
                json!({"topic": n.to_string()}),
            )
            .await
            .ok();
        assert!(set["event_id"].is_string());
        for path in [
            "m.room.topic",
            "m.room.topic/",
            "m.room.topic?format=content",
        ] {
            assert_eq!(
                alice.get(&format!("{room}/state/{path}")).await.ok(),
                json!({"topic": n.to_string()})
            );
        }
    }
    alice
        .put(&format!("{room}/state/com.example/a%2Fb"), json!({"n": 1}))
        .await
        .ok();
    let event = alice
        .get(&format!("{room}/state/com.example/a%2Fb?format=event"))
        .await
        .ok();
    assert_eq!(
        (&event["state_key"], &event["content"]),
        (&json!("a/b"), &json!({"n": 1}))
    );
    assert_eq!(room.rsplit('/').next(), event["room_id"].as_str());
    alice
        .get(&format!("{room}/state/com.example"))
        .await
        .refused(404, "M_NOT_FOUND");
    alice
        .get(&format!("{room}/state/m.room.topic?format=poem"))
        .await
        .refused(400, "M_INVALID_PARAM");
    bob.get(&format!("{room}/state/m.room.topic"))
        .await
        .refused(403, "M_FORBIDDEN");
    bob.get(&format!("{room}/state"))
        .await
        .refused(403, "M_FORBIDDEN");
    bob.put(&format!("{room}/state/m.room.topic"), json!({}))
        .await
        .refused(403, "M_FORBIDDEN");
    alice
        .put(&format!("{room}/state/m.room.encryption"), json!({}))
        .await
        .refused(400, "M_BAD_JSON");
    let alias = json!({"alias": "#none:example.org"});
    alice
        .put(&format!("{room}/state/m.room.canonical_alias"), alias)
        .await
        .refused(400, "M_BAD_ALIAS");
    let whole = alice.get(&format!("{room}/state")).await.ok();
    let kinds: Vec<_> = whole
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|event| event["type"].as_str())
        .collect();
    assert!(kinds.contains(&"m.room.create") && kinds.contains(&"com.example"));
}

#[tokio::test]
async fn people_come_and_go() {
    let server = Server::start().await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    let room = alice
        .create_room(json!({"room_alias_name": "tea", "preset": "public_chat"}))
        .await;
    let id = room.rsplit('/').next().unwrap();
    // Without a body, by alias, through the old path.
    let joined = bob
        .call(
            http::Method::POST,
            &format!("{V3}/join/%23tea:example.org"),
            None,
        )
        .await
        .ok();
    assert_eq!(joined["room_id"], id);
    bob.post(&format!("/_matrix/client/r0/rooms/{id}/join"), json!({}))
        .await
        .ok();
    let members = bob.get(&format!("{room}/joined_members")).await.ok();
    assert_eq!(members["joined"].as_object().unwrap().len(), 2);
    alice
        .post(
            &format!("{room}/kick"),
            json!({"user_id": bob.user_id, "reason": "noise"}),
        )
        .await
        .ok();
    let members = alice
        .get(&format!("{room}/members?membership=leave"))
        .await
        .ok();
    let member = &members["chunk"][0];
    assert_eq!(
        (&member["state_key"], &member["content"]["reason"]),
        (&json!(bob.user_id), &json!("noise"))
    );
    alice
        .post(&format!("{room}/ban"), json!({"user_id": bob.user_id}))
        .await
        .ok();
    bob.post(&format!("{room}/join"), json!({}))
        .await
        .refused(403, "M_FORBIDDEN");
    alice
        .post(&format!("{room}/unban"), json!({"user_id": bob.user_id}))
        .await
        .ok();
    alice
        .post(&format!("{room}/unban"), json!({"user_id": bob.user_id}))
        .await
        .refused(403, "M_FORBIDDEN");
    bob.post(&format!("{V3}/knock/{id}"), json!({}))
        .await
        .refused(403, "M_FORBIDDEN");
    bob.post(&format!("{V3}/join/{id}"), json!({})).await.ok();
    bob.post(&format!("{room}/forget"), json!({}))
        .await
        .refused(400, "M_UNKNOWN");
    bob.post(&format!("{room}/leave"), json!({})).await.ok();
    bob.post(&format!("{room}/forget"), json!({})).await.ok();
    bob.get(&format!("{room}/messages?dir=b"))
        .await
        .refused(403, "M_FORBIDDEN");
    alice
        .post(
            &format!("{room}/invite"),
            json!({"user_id": "@far:elsewhere.org"}),
        )
        .await
        .refused(403, "M_FORBIDDEN");
    let by_mail =
        json!({"id_server": "a", "id_access_token": "b", "medium": "email", "address": "c"});
    alice
        .post(&format!("{room}/invite"), by_mail)
        .await
        .refused(400, "M_THREEPID_MEDIUM_NOT_SUPPORTED");
    bob.post(&format!("{V3}/join/!none:example.org"), json!({}))
        .await
        .refused(404, "M_NOT_FOUND");
    bob.post(&format!("{V3}/join/%23none:example.org"), json!({}))
        .await
        .refused(404, "M_NOT_FOUND");
}

#[tokio::test]
async fn messages_are_sent_once_redacted_and_found() {
    let server = Server::start().await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    let room = alice.create_room(json!({"preset": "public_chat"})).await;
    bob.post(&format!("{room}/join"), json!({})).await.ok();
    let one = alice.say(&room, "one").await;
    assert_eq!(alice.say(&room, "one").await, one);
    let event = bob.get(&format!("{room}/event/{one}")).await.ok();
    assert_eq!(event["content"]["body"], "one");
    assert!(event["unsigned"]["age"].is_u64());
    let reaction =
        json!({"m.relates_to": {"rel_type": "m.annotation", "event_id": one, "key": "+"}});
    bob.put(&format!("{room}/send/m.reaction/1"), reaction.clone())
        .await
        .ok();
    bob.put(&format!("{room}/send/m.reaction/2"), reaction)
        .await
        .refused(400, "M_DUPLICATE_ANNOTATION");
    bob.put(&format!("{room}/redact/{one}/1"), json!({"reason": "mine"}))
        .await
        .refused(403, "M_FORBIDDEN");
    let redaction = alice
        .put(&format!("{room}/redact/{one}/1"), json!({"reason": "oops"}))
        .await
        .ok();
    assert_eq!(
        alice
            .put(&format!("{room}/redact/{one}/1"), json!({}))
            .await
            .ok(),
        redaction
    );
    let event = bob.get(&format!("{room}/event/{one}")).await.ok();
    assert_eq!(event["content"], json!({}));
    assert_eq!(
        event["unsigned"]["redacted_because"]["content"]["reason"],
        "oops"
    );
    let context = bob.get(&format!("{room}/context/{one}?limit=2")).await.ok();
    assert_eq!(context["event"]["event_id"], one.as_str());
    assert_eq!(context["events_after"][0]["type"], "m.reaction");
    assert!(context["state"].as_array().unwrap().len() > 4);
    let found = bob
        .get(&format!(
            "/_matrix/client/v1{}/timestamp_to_event?ts=1&dir=f",
            room.trim_start_matches(V3)
        ))
        .await
        .ok();
    assert!(found["origin_server_ts"].is_u64());
    bob.get(&format!("{room}/event/$none"))
        .await
        .refused(404, "M_NOT_FOUND");
    bob.get(&format!("{room}/messages?dir=b&from=nonsense"))
        .await
        .refused(400, "M_INVALID_PARAM");
    bob.get(&format!("{room}/messages"))
        .await
        .refused(400, "M_MISSING_PARAM");
    let huge = json!({"body": "x".repeat(70_000), "msgtype": "m.text"});
    bob.put(&format!("{room}/send/m.room.message/3"), huge)
        .await
        .refused(413, "M_TOO_LARGE");
    bob.put(&format!("{room}/send/m.room.message/4"), json!({"n": 1.5}))
        .await
        .refused(400, "M_BAD_JSON");
    let (filter, none) = (json!({"types": ["m.room.message"]}), json!({"types": []}));
    let path = |filter: &Value| {
        format!(
            "{room}/messages?dir=f&filter={}",
            percent(&filter.to_string())
        )
    };
    assert_eq!(
        bob.get(&path(&filter)).await.ok()["chunk"]
            .as_array()
            .unwrap()
            .len(),
        1
    );
    assert_eq!(bob.get(&path(&none)).await.ok()["chunk"], json!([]));
}

fn percent(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

#[tokio::test]
async fn aliases_and_the_directory_lead_to_rooms() {
    let server = Server::start().await;
    let (alice, bob, nobody) = (
        server.register("alice").await,
        server.register("bob").await,
        server.stranger(),
    );
    let room = alice
        .create_room(json!({"name": "Tea", "visibility": "public"}))
        .await;
    let id = room.rsplit('/').next().unwrap();
    let alias = format!("{V3}/directory/room/%23tea:example.org");
    nobody.get(&alias).await.refused(404, "M_NOT_FOUND");
    bob.put(&alias, json!({"room_id": id}))
        .await
        .refused(403, "M_FORBIDDEN");
    alice.put(&alias, json!({"room_id": id})).await.ok();
    alice
        .put(&alias, json!({"room_id": id}))
        .await
        .refused(409, "M_UNKNOWN");
    let found = nobody.get(&alias).await.ok();
    assert_eq!(found, json!({"room_id": id, "servers": ["example.org"]}));
    assert_eq!(
        alice.get(&format!("{room}/aliases")).await.ok()["aliases"],
        json!(["#tea:example.org"])
    );
    bob.get(&format!("{room}/aliases"))
        .await
        .refused(403, "M_FORBIDDEN");

    let visibility = format!("{V3}/directory/list/room/{id}");
    assert_eq!(nobody.get(&visibility).await.ok()["visibility"], "public");
    let listed = nobody.get(&format!("{V3}/publicRooms")).await.ok();
    assert_eq!(
        (
            &listed["chunk"][0]["name"],
            &listed["chunk"][0]["num_joined_members"]
        ),
        (&json!("Tea"), &json!(1))
    );
    let search = async |term: &str| {
        let body = json!({"filter": {"generic_search_term": term}, "limit": 5});
        bob.post(&format!("{V3}/publicRooms"), body).await.ok()["total_room_count_estimate"].clone()
    };
    assert_eq!(
        (search("TEA").await, search("coffee").await),
        (json!(1), json!(0))
    );
    nobody
        .get(&format!("{V3}/publicRooms?since=x"))
        .await
        .refused(400, "M_INVALID_PARAM");
    // Other servers are asked for users alone, and here, where there are none to be asked, not for them either.
    let other = format!("{V3}/publicRooms?server=elsewhere.org");
    nobody.get(&other).await.refused(401, "M_MISSING_TOKEN");
    bob.get(&other).await.refused(404, "M_NOT_FOUND");
    bob.put(&visibility, json!({"visibility": "private"}))
        .await
        .refused(403, "M_FORBIDDEN");
    alice
        .put(&visibility, json!({"visibility": "private"}))
        .await
        .ok();
    assert_eq!(
        nobody.get(&format!("{V3}/publicRooms")).await.ok()["chunk"],
        json!([])
    );
    nobody
        .get(&format!("{V3}/directory/list/room/!none:example.org"))
        .await
        .refused(404, "M_NOT_FOUND");

    bob.delete(&alias).await.refused(403, "M_FORBIDDEN");
    alice.delete(&alias).await.ok();
    alice.delete(&alias).await.refused(404, "M_NOT_FOUND");
}

#[tokio::test]
async fn receipts_markers_and_typing_are_ones_own() {
    let server = Server::start().await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    let room = alice.create_room(json!({"preset": "public_chat"})).await;
    let event = alice.say(&room, "one").await;
    bob.post(&format!("{room}/receipt/m.read/{event}"), json!({}))
        .await
        .refused(403, "M_FORBIDDEN");
    bob.post(&format!("{room}/join"), json!({})).await.ok();
    for kind in ["m.read", "m.read.private", "m.fully_read"] {
        bob.call(
            http::Method::POST,
            &format!("{room}/receipt/{kind}/{event}"),
            None,
        )
        .await
        .ok();
    }
    let main = json!({"thread_id": "main"});
    bob.post(&format!("{room}/receipt/m.read/{event}"), main.clone())
        .await
        .ok();
    for (path, body, status, errcode) in [
        (
            format!("m.fully_read/{event}"),
            main,
            400,
            "M_INVALID_PARAM",
        ),
        (format!("m.seen/{event}"), json!({}), 400, "M_INVALID_PARAM"),
        (
            format!("m.read/{event}"),
            json!({"thread_id": ""}),
            400,
            "M_INVALID_PARAM",
        ),
        (
            format!("m.read/{event}"),
            json!({"thread_id": "$other"}),
            400,
            "M_INVALID_PARAM",
        ),
        ("m.read/$none".to_owned(), json!({}), 404, "M_NOT_FOUND"),
    ] {
        bob.post(&format!("{room}/receipt/{path}"), body)
            .await
            .refused(status, errcode);
    }
    let all = json!({"m.fully_read": event, "m.read": event, "m.read.private": event});
    alice.post(&format!("{room}/read_markers"), all).await.ok();
    alice
        .post(&format!("{room}/read_markers"), json!({"m.read": "$none"}))
        .await
        .refused(404, "M_NOT_FOUND");

    let typing = format!("{room}/typing/{}", bob.user_id);
    bob.put(&typing, json!({"typing": true})).await.ok();
    bob.put(&typing, json!({"typing": true, "timeout": 1000}))
        .await
        .ok();
    bob.put(&typing, json!({"typing": false})).await.ok();
    bob.put(&typing, json!({})).await.refused(400, "M_BAD_JSON");
    alice
        .put(&typing, json!({"typing": true}))
        .await
        .refused(403, "M_FORBIDDEN");
    bob.post(&format!("{room}/leave"), json!({})).await.ok();
    bob.put(&typing, json!({"typing": true}))
        .await
        .refused(403, "M_FORBIDDEN");
}

#[tokio::test]
async fn an_upgraded_room_leads_to_the_new_one() {
    let server = Server::start().await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    let room = alice
        .create_room(json!({"preset": "public_chat", "room_version": "11", "name": "Tea"}))
        .await;
    bob.post(&format!("{room}/upgrade"), json!({"new_version": "12"}))
        .await
        .refused(403, "M_FORBIDDEN");
    bob.post(&format!("{room}/join"), json!({})).await.ok();
    bob.post(&format!("{room}/upgrade"), json!({"new_version": "12"}))
        .await
        .refused(403, "M_FORBIDDEN");
    let upgrade =
        |version: &str| json!({"new_version": version, "additional_creators": [bob.user_id]});
    alice
        .post(&format!("{room}/upgrade"), upgrade("77"))
        .await
        .refused(400, "M_UNSUPPORTED_ROOM_VERSION");
    let new = alice
        .post(&format!("{room}/upgrade"), upgrade("12"))
        .await
        .ok()["replacement_room"]
        .clone();
    let tombstone = bob
        .get(&format!("{room}/state/m.room.tombstone"))
        .await
        .ok();
    assert_eq!(tombstone["replacement_room"], new);
    let new = format!("{V3}/rooms/{}", new.as_str().unwrap());
    bob.post(&format!("{new}/join"), json!({})).await.ok();
    assert_eq!(
        bob.get(&format!("{new}/state/m.room.name")).await.ok()["name"],
        "Tea"
    );
    let create = bob.get(&format!("{new}/state/m.room.create")).await.ok();
    assert_eq!(create["additional_creators"], json!([bob.user_id]));
    bob.put(
        &format!("{new}/state/m.room.name"),
        json!({"name": "Bob is a creator"}),
    )
    .await
    .ok();
    alice
        .post(&format!("{room}/upgrade"), upgrade("12"))
        .await
        .refused(403, "M_FORBIDDEN");
}
