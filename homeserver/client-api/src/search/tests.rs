//! Searching, as clients ask for it.

use serde_json::{Value, json};

use crate::testing::{Client, Server};

impl Server {
    /// Waits until all that was written is found.
    pub(crate) async fn settle(&self) {
        let visible = self.state.rooms.store().visible();
        self.state.search.has_seen(visible).await.unwrap();
    }
}

impl Client {
    async fn search(&self, criteria: Value) -> Value {
        let body = json!({"search_categories": {"room_events": criteria}});
        let found = self.post("/_matrix/client/v3/search", body).await.ok();
        found["search_categories"]["room_events"].clone()
    }
}

fn ids(found: &Value) -> Vec<&str> {
    let results = found["results"].as_array().unwrap().iter();
    results
        .map(|result| result["result"]["event_id"].as_str().unwrap())
        .collect()
}

#[tokio::test]
async fn a_search_answers_all_that_was_asked_for() {
    let server = Server::start().await;
    let alice = server.register("alice").await;
    let room = alice.create_room(json!({"name": "Garden"})).await;
    let room_id = room.rsplit('/').next().unwrap();
    let before = alice.say(&room, "before").await;
    let rose = alice.say(&room, "a rose").await;
    let after = alice.say(&room, "after").await;
    let edit = json!({
        "msgtype": "m.text", "body": "* roses", "m.new_content": {"msgtype": "m.text", "body": "Roses"},
        "m.relates_to": {"rel_type": "m.replace", "event_id": rose},
    });
    alice
        .put(&format!("{room}/send/m.room.message/edit"), edit)
        .await
        .ok();
    server.settle().await;
    let found = alice
        .search(json!({
            "search_term": "rose",
            "event_context": {"before_limit": 1, "after_limit": 1, "include_profile": true},
            "include_state": true,
            "groupings": {"group_by": [{"key": "room_id"}, {"key": "sender"}]},
        }))
        .await;
    assert_eq!((ids(&found), &found["count"]), (vec![&*rose], &json!(1)));
    assert_eq!(found["highlights"], json!(["roses"]));
    let hit = &found["results"][0];
    assert!(hit["rank"].as_f64().unwrap() > 0.0);
    assert_eq!(hit["result"]["room_id"], room_id);
    let bundled = &hit["result"]["unsigned"]["m.relations"]["m.replace"];
    assert_eq!(bundled["content"]["m.new_content"]["body"], "Roses");
    let context = &hit["context"];
    assert_eq!(context["events_before"][0]["event_id"], json!(before));
    assert_eq!(context["events_after"][0]["event_id"], json!(after));
    assert_eq!(context["events_after"].as_array().unwrap().len(), 1);
    let me = alice.user_id.as_str();
    assert!(context["profile_info"][me].is_object());
    for place in ["start", "end"] {
        let token = context[place].as_str().unwrap();
        alice
            .get(&format!("{room}/messages?dir=b&from={token}"))
            .await
            .ok();
    }
    let state = found["state"][room_id].as_array().unwrap();
    assert!(state.iter().any(|event| event["type"] == "m.room.name"));
    let groups = &found["groups"];
    assert_eq!(groups["room_id"][room_id]["results"], json!([rose]));
    assert_eq!(groups["sender"][me]["order"], 0);
    let bare = alice.search(json!({"search_term": "rose"})).await;
    assert!(bare["results"][0].get("context").is_none());
    assert!(bare.get("state").is_none() && bare.get("groups").is_none());
}

#[tokio::test]
async fn pages_of_a_search_follow_each_other() {
    let server = Server::start().await;
    let alice = server.register("alice").await;
    let room = alice.create_room(json!({})).await;
    let mut sent = Vec::new();
    for n in 0..5 {
        sent.push(alice.say(&room, &format!("rose {n}")).await);
    }
    server.settle().await;
    let body = json!({"search_categories": {"room_events":
        {"search_term": "rose", "order_by": "recent", "filter": {"limit": 2}}}});
    let (mut seen, mut from) = (Vec::new(), String::new());
    loop {
        let path = format!("/_matrix/client/v3/search{from}");
        let page = alice.post(&path, body.clone()).await.ok();
        let page = &page["search_categories"]["room_events"];
        seen.extend(ids(page).into_iter().map(ToOwned::to_owned));
        match page["next_batch"].as_str() {
            Some(next) => from = format!("?next_batch={next}"),
            None => break,
        }
    }
    sent.reverse();
    assert_eq!(seen, sent);
}

#[tokio::test]
async fn a_search_may_ask_for_what_a_message_carries_and_when_it_was_sent() {
    let server = Server::start().await;
    let alice = server.register("alice").await;
    let room = alice.create_room(json!({})).await;
    alice.say(&room, "a rose").await;
    let picture = json!({"msgtype": "m.image", "body": "rose.png", "url": "mxc://example.org/abc"});
    let path = format!("{room}/send/m.room.message/picture");
    let picture = alice.put(&path, picture).await.ok();
    server.settle().await;
    let has = json!({"search_term": "rose", "com.orvale.has": ["image"]});
    assert_eq!(
        ids(&alice.search(has).await),
        [picture["event_id"].as_str().unwrap()]
    );
    let until = json!({"search_term": "rose", "com.orvale.until": 1000});
    assert!(ids(&alice.search(until).await).is_empty());
    let since = json!({"search_term": "rose", "com.orvale.since": 1000});
    assert_eq!(ids(&alice.search(since).await).len(), 2);
}

#[tokio::test]
async fn senseless_searches_are_refused() {
    let server = Server::start().await;
    let alice = server.register("alice").await;
    let refused = async |criteria: Value, errcode: &str| {
        let body = json!({"search_categories": {"room_events": criteria}});
        alice
            .post("/_matrix/client/v3/search", body)
            .await
            .refused(400, errcode);
    };
    refused(json!({}), "M_BAD_JSON").await;
    refused(
        json!({"search_term": "a", "order_by": "size"}),
        "M_INVALID_PARAM",
    )
    .await;
    refused(
        json!({"search_term": "a", "keys": ["content.url"]}),
        "M_INVALID_PARAM",
    )
    .await;
    refused(
        json!({"search_term": "a", "com.orvale.has": ["charm"]}),
        "M_INVALID_PARAM",
    )
    .await;
    let group = json!({"group_by": [{"key": "type"}]});
    refused(
        json!({"search_term": "a", "groupings": group}),
        "M_INVALID_PARAM",
    )
    .await;
    let body = json!({"search_categories": {"room_events": {"search_term": "a"}}});
    alice
        .post(
            "/_matrix/client/v3/search?next_batch=nonsense",
            body.clone(),
        )
        .await
        .refused(400, "M_INVALID_PARAM");
    server
        .stranger()
        .post("/_matrix/client/v3/search", body)
        .await
        .refused(401, "M_MISSING_TOKEN");
    let nothing = alice
        .post(
            "/_matrix/client/v3/search",
            json!({"search_categories": {}}),
        )
        .await
        .ok();
    assert_eq!(nothing, json!({"search_categories": {}}));
}

#[tokio::test]
async fn people_are_found_in_the_user_directory() {
    let server = Server::start().await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    bob.put(
        &format!("/_matrix/client/v3/profile/{}/displayname", bob.user_id),
        json!({"displayname": "Robert Maler"}),
    )
    .await
    .ok();
    let find = async |term: &str| {
        server.state.search.directory().caught_up().await.unwrap();
        let path = "/_matrix/client/v3/user_directory/search";
        alice
            .post(path, json!({"search_term": term, "limit": 5}))
            .await
            .ok()
    };
    assert_eq!(find("male").await, json!({"results": [], "limited": false}));
    let room = bob.create_room(json!({"invite": [alice.user_id]})).await;
    alice.post(&format!("{room}/join"), json!({})).await.ok();
    let found = find("male rob").await;
    assert_eq!(found["results"][0]["user_id"], json!(bob.user_id));
    assert_eq!(found["results"][0]["display_name"], "Robert Maler");
    assert_eq!(found["limited"], false);
}
