//! Accounts, and what is kept for them, over restarts and crashes.

use std::collections::BTreeSet;

use futures_util::future::join_all;
use orvale_tests::{Client, Server, Settings};
use serde_json::{Value, json};

fn one_time_keys(names: impl Iterator<Item = u32>) -> Value {
    let key = json!({ "key": "zKbLg+NrIjpnagy+pIY6uPL4ZwEG2v+8F9lmgsnlZzs", "signatures": {} });
    let keys = names.map(|n| (format!("signed_curve25519:K{n:03}"), key.clone()));
    json!({ "one_time_keys": serde_json::Map::from_iter(keys) })
}

/// Claims a key of a device; gives its ID.
async fn claim(client: &Client, of: &Client) -> Option<String> {
    let wanted =
        json!({ "one_time_keys": { &of.user_id: { &of.device_id: "signed_curve25519" } } });
    let claimed = client.post("keys/claim", wanted).await.ok();
    let keys = claimed["one_time_keys"][&of.user_id][&of.device_id].as_object()?;
    keys.keys().next().cloned()
}

#[tokio::test]
async fn one_time_keys_are_given_out_once_also_over_a_crash() {
    let server = Server::start().await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    let _ = alice.post("keys/upload", one_time_keys(0..40)).await.ok();
    let mut given = Vec::new();
    for _ in 0..2 {
        let claims = join_all((0..15).map(|_| claim(&bob, &alice))).await;
        given.extend(claims.into_iter().flatten());
        server.kill();
        server.start_again().await;
    }
    while let Some(key) = claim(&bob, &alice).await {
        given.push(key);
    }
    assert_eq!(given.len(), 40);
    assert_eq!(
        given.iter().collect::<BTreeSet<_>>().len(),
        40,
        "each once: {given:?}"
    );
    let counts = alice.post("keys/upload", json!({})).await.ok();
    assert_eq!(counts["one_time_key_counts"]["signed_curve25519"], 0);
}

#[tokio::test]
async fn messages_to_devices_are_neither_lost_nor_doubled_by_a_crash() {
    let server = Server::start().await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    let send = async |n: u32| {
        let body = json!({ "messages": { &bob.user_id: { "*": { "n": n } } } });
        let _ = alice
            .put(&format!("sendToDevice/m.test/{n}"), body)
            .await
            .ok();
    };
    for n in 0..5 {
        send(n).await;
    }
    server.kill();
    server.start_again().await;
    // Its answer may have been lost, so a client sends the last one again.
    send(4).await;
    send(5).await;
    let seen = bob
        .sync_until(|sync| {
            sync.0["to_device"]["events"]
                .as_array()
                .is_some_and(|e| !e.is_empty())
        })
        .await;
    let numbers = |sync: &Value| {
        let events = sync["to_device"]["events"]
            .as_array()
            .cloned()
            .unwrap_or_default();
        events
            .iter()
            .map(|event| event["content"]["n"].as_u64().unwrap_or_default())
            .collect::<Vec<_>>()
    };
    assert_eq!(numbers(&seen.0), [0, 1, 2, 3, 4, 5]);
    assert_eq!(
        numbers(&bob.sync().await.0),
        [0; 0],
        "acknowledged, so gone"
    );
}

#[tokio::test]
async fn sessions_and_what_is_kept_outlive_the_process() {
    let server = Server::start().await;
    let alice = server.register("alice").await;
    let kept = [
        (
            format!("user/{}/account_data/org.example.a", alice.user_id),
            json!({ "n": 1 }),
        ),
        (
            format!("profile/{}/displayname", alice.user_id),
            json!({ "displayname": "Alice" }),
        ),
    ];
    for (path, body) in &kept {
        let _ = alice.put(path, body.clone()).await.ok();
    }
    let rule = "pushrules/global/content/cake";
    let _ = alice
        .put(rule, json!({ "pattern": "cake", "actions": [] }))
        .await
        .ok();
    server.kill();
    server.start_again().await;
    for (path, body) in &kept {
        assert_eq!(alice.get(path).await.ok(), *body);
    }
    assert_eq!(alice.get(rule).await.ok()["pattern"], "cake");
    let _ = alice.post("logout", json!({})).await.ok();
    server.kill();
    server.start_again().await;
    alice
        .get("account/whoami")
        .await
        .refused(401, "M_UNKNOWN_TOKEN");
    server.log_in("alice").await;
}

#[tokio::test]
async fn one_of_many_gets_a_name() {
    let server = Server::start().await;
    let stranger = server.stranger();
    let body = json!({ "username": "alice", "password": "a long password", "auth": { "type": "m.login.dummy" } });
    let answers = join_all((0..8).map(|_| stranger.post("register", body.clone()))).await;
    let made = answers.iter().filter(|answer| answer.status == 200).count();
    assert_eq!(made, 1);
    assert!(
        answers
            .iter()
            .filter(|answer| answer.status != 200)
            .all(|answer| answer.json["errcode"] == "M_USER_IN_USE")
    );
}

#[tokio::test]
async fn tools_may_register_only_where_there_is_a_secret() {
    let path = "/_synapse/admin/v1/register";
    let without = Server::start().await;
    without
        .stranger()
        .get(path)
        .await
        .refused(403, "M_FORBIDDEN");
    let settings = Settings::new("[users.registration]\nshared_secret = \"a secret\"");
    let with = Server::with(settings).await;
    let nonce = with.stranger().get(path).await.ok();
    let body = json!({ "nonce": nonce["nonce"], "username": "eve", "password": "a long password", "mac": "00" });
    with.stranger()
        .post(path, body)
        .await
        .refused(403, "M_FORBIDDEN");
    with.stranger()
        .get("/_synapse/admin/v1/registration_tokens")
        .await
        .refused(401, "M_MISSING_TOKEN");
}

#[tokio::test]
async fn an_application_service_acts_as_its_users() {
    let settings = Settings::default().and(
        r#"
        [[users.appservices]]
        id = "irc"
        as_token = "the token of the bridge"
        sender_localpart = "irc_bot"
        users = [{ exclusive = true, regex = "@irc_.*" }]
        "#,
    );
    let server = Server::with(settings).await;
    let mut bridge = server.stranger();
    "the token of the bridge".clone_into(&mut bridge.token);
    assert_eq!(
        bridge.get("account/whoami").await.ok()["user_id"],
        "@irc_bot:test.example"
    );
    let new = json!({ "type": "m.login.application_service", "username": "irc_bob", "inhibit_login": true });
    let bob = bridge.post("register", new).await.ok();
    let path = format!(
        "account/whoami?user_id={}",
        bob["user_id"].as_str().expect("a user ID")
    );
    assert_eq!(bridge.get(&path).await.ok()["user_id"], bob["user_id"]);
    let foreign = bridge
        .get("account/whoami?user_id=@alice:test.example")
        .await;
    foreign.refused(403, "M_FORBIDDEN");
}

#[tokio::test]
async fn people_see_which_rooms_they_share_and_what_they_were_told_of() {
    let server = Server::start().await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    let body = json!({ "preset": "public_chat" });
    let room = alice.create_room(body.clone()).await;
    let _ = alice.create_room(body).await;
    bob.join(&room).await;
    let path = format!(
        "/_matrix/client/v1/mutual_rooms?user_id={}",
        orvale_tests::encode(&alice.user_id)
    );
    assert_eq!(bob.get(&path).await.ok()["joined"], json!([room]));

    let plain = alice.send_text(&room, "hello").await;
    let content =
        json!({ "msgtype": "m.text", "body": "you", "m.mentions": { "user_ids": [bob.user_id] } });
    let mention = alice.send(&room, "m.room.message", content).await;
    let told = async |query: &str| {
        let list = bob.get(&format!("notifications?{query}")).await.ok();
        let list = list["notifications"].as_array().unwrap().clone();
        list.into_iter()
            .map(|told| told["event"]["event_id"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(told("").await, [mention.clone(), plain]);
    assert_eq!(told("only=highlight").await, [mention]);
}
