//! Spaces and rooms seen from outside, as clients ask for them.

use serde_json::{Value, json};

use crate::testing::{Client, Server};

fn id(room: &str) -> &str {
    room.rsplit('/').next().unwrap()
}

impl Client {
    async fn space(&self, body: Value) -> String {
        let mut body = body;
        body["creation_content"] = json!({"type": "m.space"});
        self.create_room(body).await
    }

    async fn add(&self, space: &str, room: &str) {
        let child = format!("{space}/state/m.space.child/{}", id(room));
        self.put(&child, json!({"via": ["example.org"]})).await.ok();
    }

    async fn hierarchy(&self, space: &str, query: &str) -> crate::testing::Answer {
        let path = space.replace("/v3/", "/v1/");
        self.get(&format!("{path}/hierarchy{query}")).await
    }
}

fn restricted(rule: &str, space: &str) -> Value {
    let allow = json!([{"type": "m.room_membership", "room_id": id(space)}]);
    let rule = json!({"join_rule": rule, "allow": allow});
    json!([{"type": "m.room.join_rules", "content": rule}])
}

#[tokio::test]
async fn a_space_is_walked_in_pages() {
    let server = Server::start().await;
    let alice = server.register("alice").await;
    let space = alice
        .space(json!({"name": "Home", "preset": "public_chat"}))
        .await;
    let mut rooms = vec![id(&space).to_owned()];
    for name in ["a", "b", "c"] {
        let room = alice
            .create_room(json!({"name": name, "preset": "public_chat"}))
            .await;
        alice.add(&space, &room).await;
        rooms.push(id(&room).to_owned());
    }
    let bob = server.register("bob").await;
    let first = bob.hierarchy(&space, "?limit=2").await.ok();
    let top = &first["rooms"][0];
    assert_eq!(
        (&top["name"], &top["room_type"]),
        (&json!("Home"), &json!("m.space"))
    );
    assert_eq!(
        (&top["join_rule"], &top["num_joined_members"]),
        (&json!("public"), &json!(1))
    );
    assert_eq!(top["children_state"].as_array().unwrap().len(), 3);
    assert_eq!(top["children_state"][0]["state_key"], json!(rooms[1]));
    assert_eq!(first["rooms"][1]["children_state"], json!([]));
    let next = first["next_batch"].as_str().unwrap();
    let second = bob
        .hierarchy(&space, &format!("?limit=2&from={next}"))
        .await
        .ok();
    assert!(second.get("next_batch").is_none());
    let seen: Vec<_> = [&first, &second]
        .iter()
        .flat_map(|page| page["rooms"].as_array().unwrap())
        .map(|room| room["room_id"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(seen, rooms);
    for query in [
        "?limit=0",
        "?from=x",
        &format!("?suggested_only=true&from={next}"),
    ] {
        bob.hierarchy(&space, query)
            .await
            .refused(400, "M_INVALID_PARAM");
    }
    let private = alice.space(json!({})).await;
    bob.hierarchy(&private, "")
        .await
        .refused(403, "M_FORBIDDEN");
    bob.hierarchy("/_matrix/client/v3/rooms/!none:example.org", "")
        .await
        .refused(403, "M_FORBIDDEN");
}

#[tokio::test]
async fn a_room_is_summarised_for_those_who_may_know_of_it() {
    let server = Server::start().await;
    let alice = server.register("alice").await;
    let open = json!({"name": "Open", "preset": "public_chat", "room_alias_name": "open",
        "initial_state": [{"type": "m.room.encryption", "content": {"algorithm": "m.megolm.v1.aes-sha2"}}]});
    let open = alice.create_room(open).await;
    let closed = alice.create_room(json!({"name": "Closed"})).await;
    let stranger = server.stranger();
    for path in [
        "/_matrix/client/v1/room_summary/",
        "/_matrix/client/unstable/im.nheko.summary/summary/",
    ] {
        let seen = stranger.get(&format!("{path}{}", id(&open))).await.ok();
        assert_eq!(seen["name"], "Open");
        assert_eq!(seen["canonical_alias"], "#open:example.org");
        assert_eq!(seen["encryption"], "m.megolm.v1.aes-sha2");
        assert_eq!(seen["room_version"], "12");
        assert!(seen.get("membership").is_none());
        stranger
            .get(&format!("{path}{}", id(&closed)))
            .await
            .refused(404, "M_NOT_FOUND");
        let seen = alice.get(&format!("{path}{}", id(&closed))).await.ok();
        assert_eq!(
            (&seen["name"], &seen["membership"]),
            (&json!("Closed"), &json!("join"))
        );
    }
    let bob = server.register("bob").await;
    let by_alias = bob
        .get("/_matrix/client/v1/room_summary/%23open:example.org")
        .await
        .ok();
    assert_eq!(
        (&by_alias["room_id"], &by_alias["membership"]),
        (&json!(id(&open)), &json!("leave"))
    );
    alice
        .post(&format!("{closed}/invite"), json!({"user_id": bob.user_id}))
        .await
        .ok();
    let invited = bob
        .get(&format!("/_matrix/client/v1/room_summary/{}", id(&closed)))
        .await
        .ok();
    assert_eq!(invited["membership"], "invite");
    let mut liar = server.stranger();
    liar.token = "nothing that was given out".to_owned();
    liar.get(&format!("/_matrix/client/v1/room_summary/{}", id(&open)))
        .await
        .refused(401, "M_UNKNOWN_TOKEN");
}

#[tokio::test]
async fn members_of_a_space_join_its_restricted_rooms_and_others_knock_where_they_may() {
    let server = Server::start().await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    let carol = server.register("carol").await;
    let space = alice.space(json!({"preset": "public_chat"})).await;
    let members = json!({"initial_state": restricted("restricted", &space)});
    let members = alice.create_room(members).await;
    let asked = json!({"initial_state": restricted("knock_restricted", &space)});
    let asked = alice.create_room(asked).await;
    for room in [&members, &asked] {
        bob.post(&format!("{room}/join"), json!({}))
            .await
            .refused(403, "M_FORBIDDEN");
    }
    bob.post(&format!("{space}/join"), json!({})).await.ok();
    for room in [&members, &asked] {
        bob.post(&format!("{room}/join"), json!({})).await.ok();
        let member = format!("{room}/state/m.room.member/{}?format=event", bob.user_id);
        let member = bob.get(&member).await.ok();
        let by = &member["content"]["join_authorised_via_users_server"];
        assert_eq!(by, &json!(alice.user_id));
    }
    let summary = bob
        .get(&format!("/_matrix/client/v1/room_summary/{}", id(&members)))
        .await
        .ok();
    assert_eq!(summary["allowed_room_ids"], json!([id(&space)]));
    assert_eq!(summary["join_rule"], "restricted");
    let knock = |room: &str| format!("/_matrix/client/v3/knock/{}", id(room));
    carol
        .post(&knock(&members), json!({}))
        .await
        .refused(403, "M_FORBIDDEN");
    carol.post(&knock(&asked), json!({})).await.ok();
    // Who leaves the space stays in its rooms, but does not come back into them.
    bob.post(&format!("{space}/leave"), json!({})).await.ok();
    bob.post(&format!("{members}/leave"), json!({})).await.ok();
    bob.post(&format!("{members}/join"), json!({}))
        .await
        .refused(403, "M_FORBIDDEN");
}
