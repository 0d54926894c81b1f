//! What relates to events, as clients ask for it.

use orvale_rooms::Draft;
use ruma::{MilliSecondsSinceUnixEpoch, RoomId};
use serde_json::{Value, json};

use crate::testing::{Client, Server};

impl Client {
    /// Sends an event that relates to another; its ID.
    async fn relate(&self, room: &str, rel_type: &str, parent: &str, more: Value) -> String {
        let (kind, mut content) = match rel_type {
            "m.annotation" => ("m.reaction", json!({})),
            _ => ("m.room.message", json!({"msgtype": "m.text"})),
        };
        content["m.relates_to"] = json!({"rel_type": rel_type, "event_id": parent});
        for (key, value) in more.as_object().unwrap() {
            match key.as_str() {
                "key" => content["m.relates_to"]["key"] = value.clone(),
                _ => content[key] = value.clone(),
            }
        }
        let txn = format!("{rel_type}-{more}").replace(|c: char| !c.is_ascii_alphanumeric(), "-");
        let path = format!("{room}/send/{kind}/{txn}");
        let sent = self.put(&path, content).await.ok();
        sent["event_id"].as_str().unwrap().to_owned()
    }

    async fn edit(&self, room: &str, parent: &str, body: &str) -> String {
        let new = json!({"body": format!("* {body}"), "m.new_content": {"msgtype": "m.text", "body": body}});
        self.relate(room, "m.replace", parent, new).await
    }

    async fn answer(&self, room: &str, root: &str, body: &str) -> String {
        self.relate(room, "m.thread", root, json!({"body": body}))
            .await
    }

    async fn related(&self, room: &str, rest: &str) -> Value {
        let path = room.replace("/v3/", "/v1/");
        self.get(&format!("{path}/relations/{rest}")).await.ok()
    }

    async fn bundle(&self, room: &str, event_id: &str) -> Value {
        let event = self.get(&format!("{room}/event/{event_id}")).await.ok();
        event["unsigned"]["m.relations"].clone()
    }
}

fn ids(page: &Value) -> Vec<&str> {
    let events = page["chunk"].as_array().unwrap().iter();
    events
        .map(|event| event["event_id"].as_str().unwrap())
        .collect()
}

/// Alice and Bob in a room of theirs.
async fn two() -> (Server, Client, Client, String) {
    let server = Server::start().await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    let room = alice.create_room(json!({"invite": [bob.user_id]})).await;
    bob.post(&format!("{room}/join"), json!({})).await.ok();
    (server, alice, bob, room)
}

#[tokio::test]
async fn relations_come_in_pages_in_both_directions() {
    let (_server, alice, bob, room) = two().await;
    let parent = alice.say(&room, "cake?").await;
    let mut sent = Vec::new();
    for key in ["a", "b", "c", "d", "e"] {
        sent.push(
            bob.relate(&room, "m.annotation", &parent, json!({"key": key}))
                .await,
        );
    }
    for direction in ["b", "f"] {
        let (mut seen, mut from) = (Vec::new(), String::new());
        loop {
            let query = format!("{parent}?dir={direction}&limit=2{from}");
            let page = alice.related(&room, &query).await;
            assert!(ids(&page).len() <= 2);
            seen.extend(ids(&page).into_iter().map(str::to_owned));
            match page["next_batch"].as_str() {
                Some(next) => from = format!("&from={next}"),
                None => break,
            }
        }
        assert_eq!(seen, sent.iter().rev().cloned().collect::<Vec<_>>());
        sent.reverse();
    }
}

#[tokio::test]
async fn relations_are_narrowed_by_how_they_relate_and_what_they_are() {
    let (_server, alice, bob, room) = two().await;
    let parent = alice.say(&room, "helo").await;
    let reaction = bob
        .relate(&room, "m.annotation", &parent, json!({"key": "x"}))
        .await;
    let edit = alice.edit(&room, &parent, "hello").await;
    let of = async |rest: &str| alice.related(&room, &format!("{parent}{rest}")).await;
    assert_eq!(ids(&of("").await), [&edit, &reaction]);
    assert_eq!(ids(&of("/m.replace").await), [&edit]);
    assert_eq!(ids(&of("/m.annotation/m.reaction").await), [&reaction]);
    assert!(ids(&of("/m.annotation/m.room.message").await).is_empty());
    alice
        .post("/_matrix/client/v3/createRoom", json!({}))
        .await
        .ok();
    let elsewhere = alice.create_room(json!({})).await;
    let path = elsewhere.replace("/v3/", "/v1/");
    alice
        .get(&format!("{path}/relations/{parent}"))
        .await
        .refused(404, "M_NOT_FOUND");
}

#[tokio::test]
async fn relations_of_relations_are_found_where_they_are_asked_for() {
    let (_server, alice, bob, room) = two().await;
    let root = alice.say(&room, "root").await;
    let answer = bob.answer(&room, &root, "answer").await;
    let reaction = alice
        .relate(&room, "m.annotation", &answer, json!({"key": "x"}))
        .await;
    let direct = alice.related(&room, &root).await;
    assert_eq!(ids(&direct), [&answer]);
    assert!(direct.get("recursion_depth").is_none());
    let all = alice.related(&room, &format!("{root}?recurse=true")).await;
    assert_eq!(ids(&all), [&reaction, &answer]);
    assert_eq!(all["recursion_depth"], 2);
    let reactions = format!("{root}/m.annotation?recurse=true");
    assert_eq!(ids(&alice.related(&room, &reactions).await), [&reaction]);
}

#[tokio::test]
async fn an_event_is_shown_with_its_newest_edit() {
    let (server, alice, bob, room) = two().await;
    let parent = alice.say(&room, "helo").await;
    assert_eq!(alice.bundle(&room, &parent).await, Value::Null);
    alice.edit(&room, &parent, "hell").await;
    // Edits of one millisecond are ordered by their IDs.
    let then = MilliSecondsSinceUnixEpoch::now();
    while MilliSecondsSinceUnixEpoch::now() == then {
        tokio::task::yield_now().await;
    }
    let edit = alice.edit(&room, &parent, "hello").await;
    // Not one's own to edit, should another server let that through; and no edit of an edit.
    let hijacked = json!({
        "body": "* hijacked", "m.new_content": {"msgtype": "m.text", "body": "hijacked"},
        "m.relates_to": {"rel_type": "m.replace", "event_id": parent},
    });
    let room_id = RoomId::parse(room.rsplit('/').next().unwrap()).unwrap();
    let content = serde_json::value::to_raw_value(&hijacked).unwrap();
    let theirs = Draft::message(&bob.user_id, "m.room.message".into(), content);
    let rooms = &server.state.rooms;
    let known = rooms.get(&room_id).unwrap();
    rooms.append_one(&known, theirs).await.unwrap();
    let deeper = json!({
        "body": "* deeper", "m.new_content": {"msgtype": "m.text", "body": "deeper"},
        "m.relates_to": {"rel_type": "m.replace", "event_id": edit},
    });
    let content = serde_json::value::to_raw_value(&deeper).unwrap();
    let deeper = Draft::message(&alice.user_id, "m.room.message".into(), content);
    rooms.append_one(&known, deeper).await.unwrap();
    let bundled = bob.bundle(&room, &parent).await;
    assert_eq!(bundled["m.replace"]["event_id"], json!(edit));
    assert_eq!(
        bundled["m.replace"]["content"]["m.new_content"]["body"],
        "hello"
    );
    assert_eq!(bob.bundle(&room, &edit).await, Value::Null);

    let page = bob.get(&format!("{room}/messages?dir=b")).await.ok();
    let listed = page["chunk"].as_array().unwrap().iter();
    let listed = listed
        .filter(|event| event["event_id"] == json!(parent))
        .collect::<Vec<_>>();
    let listed = &listed[0]["unsigned"]["m.relations"]["m.replace"];
    assert_eq!(listed["event_id"], json!(edit));
    let sync = bob.get("/_matrix/client/v3/sync").await.ok();
    assert!(sync.to_string().contains("\"m.replace\":{"), "{sync}");

    let redact = |event: &str| format!("{room}/redact/{event}/{}", &event[1..5]);
    alice.put(&redact(&edit), json!({})).await.ok();
    let bundled = bob.bundle(&room, &parent).await;
    assert_eq!(
        bundled["m.replace"]["content"]["m.new_content"]["body"],
        "hell"
    );
    alice.put(&redact(&parent), json!({})).await.ok();
    assert_eq!(bob.bundle(&room, &parent).await, Value::Null);
}

#[tokio::test]
async fn a_thread_is_shown_with_its_count_and_last_answer() {
    let (server, alice, bob, room) = two().await;
    let root = alice.say(&room, "about the roof").await;
    let first = bob.answer(&room, &root, "it leaks").await;
    let last = bob.answer(&room, &root, "since Monday").await;
    bob.edit(&room, &last, "since Tuesday").await;
    let thread = async |client: &Client| client.bundle(&room, &root).await["m.thread"].clone();
    for client in [&alice, &bob] {
        let thread = thread(client).await;
        assert_eq!(thread["count"], 2);
        assert_eq!(thread["latest_event"]["event_id"], json!(last));
        let edited = &thread["latest_event"]["unsigned"]["m.relations"]["m.replace"];
        assert_eq!(edited["content"]["m.new_content"]["body"], "since Tuesday");
        assert_eq!(thread["current_user_participated"], true);
    }
    let carol = server.register("carol").await;
    alice
        .post(&format!("{room}/invite"), json!({"user_id": carol.user_id}))
        .await
        .ok();
    carol.post(&format!("{room}/join"), json!({})).await.ok();
    assert_eq!(thread(&carol).await["current_user_participated"], false);

    bob.put(&format!("{room}/redact/{last}/1"), json!({}))
        .await
        .ok();
    let shorter = thread(&alice).await;
    assert_eq!(shorter["count"], 1);
    assert_eq!(shorter["latest_event"]["event_id"], json!(first));
    carol.answer(&room, &root, "and now?").await;
    assert_eq!(thread(&carol).await["count"], 2);
    assert_eq!(thread(&carol).await["current_user_participated"], true);

    let ignored = format!(
        "/_matrix/client/v3/user/{}/account_data/m.ignored_user_list",
        alice.user_id
    );
    let list = json!({"ignored_users": {carol.user_id.as_str(): {}}});
    alice.put(&ignored, list).await.ok();
    assert_eq!(thread(&alice).await["count"], 1);
    assert_eq!(
        thread(&alice).await["latest_event"]["event_id"],
        json!(first)
    );
}

#[tokio::test]
async fn threads_are_listed_by_their_last_answer() {
    let (_server, alice, bob, room) = two().await;
    let path = format!("{}/threads", room.replace("/v3/", "/v1/"));
    let mut roots = Vec::new();
    for name in ["one", "two", "three"] {
        let root = alice.say(&room, name).await;
        alice.answer(&room, &root, &format!("{name} a")).await;
        roots.push(root);
    }
    bob.answer(&room, &roots[0], "one b").await;
    let all = bob.get(&path).await.ok();
    assert_eq!(ids(&all), [&roots[0], &roots[2], &roots[1]]);
    assert_eq!(
        all["chunk"][0]["unsigned"]["m.relations"]["m.thread"]["count"],
        2
    );
    let mine = bob.get(&format!("{path}?include=participated")).await.ok();
    assert_eq!(ids(&mine), [&roots[0]]);

    let page = bob.get(&format!("{path}?limit=2")).await.ok();
    assert_eq!(ids(&page), [&roots[0], &roots[2]]);
    let next = page["next_batch"].as_str().unwrap();
    let page = bob.get(&format!("{path}?limit=2&from={next}")).await.ok();
    assert_eq!(ids(&page), [&roots[1]]);
    assert!(page.get("next_batch").is_none());
}

#[tokio::test]
async fn a_thread_does_not_start_inside_a_thread() {
    let (_server, alice, bob, room) = two().await;
    let root = alice.say(&room, "root").await;
    let answer = bob.answer(&room, &root, "answer").await;
    let content = json!({"msgtype": "m.text", "body": "deeper", "m.relates_to": {"rel_type": "m.thread", "event_id": answer}});
    bob.put(&format!("{room}/send/m.room.message/deeper"), content)
        .await
        .refused(400, "M_UNKNOWN");
}

#[tokio::test]
async fn what_is_said_elsewhere_relates_to_nothing_here() {
    let (_server, alice, bob, room) = two().await;
    let root = alice.say(&room, "root").await;
    let elsewhere = bob.create_room(json!({})).await;
    bob.answer(&elsewhere, &root, "from elsewhere").await;
    assert_eq!(alice.bundle(&room, &root).await, Value::Null);
    assert!(ids(&alice.related(&room, &root).await).is_empty());
    let path = format!("{}/threads", elsewhere.replace("/v3/", "/v1/"));
    assert!(ids(&bob.get(&path).await.ok()).is_empty());
}

#[tokio::test]
async fn what_ignored_people_wrote_relates_to_nothing() {
    let (_server, alice, bob, room) = two().await;
    let root = alice.say(&room, "root").await;
    let theirs = bob.say(&room, "theirs").await;
    bob.answer(&room, &root, "noise").await;
    bob.relate(&room, "m.reference", &root, json!({"body": "see"}))
        .await;
    alice.answer(&room, &theirs, "well").await;
    let threads = format!("{}/threads", room.replace("/v3/", "/v1/"));
    assert_eq!(ids(&alice.get(&threads).await.ok()).len(), 2);
    assert_eq!(ids(&alice.related(&room, &root).await).len(), 2);
    let ignored = format!(
        "/_matrix/client/v3/user/{}/account_data/m.ignored_user_list",
        alice.user_id
    );
    let list = json!({"ignored_users": {bob.user_id.as_str(): {}}});
    alice.put(&ignored, list).await.ok();
    assert!(ids(&alice.related(&room, &root).await).is_empty());
    assert_eq!(alice.bundle(&room, &root).await, Value::Null);
    let listed = alice.get(&threads).await.ok();
    assert!(!ids(&listed).contains(&&*theirs), "{listed}");
}

#[tokio::test]
async fn the_last_answer_of_a_thread_comes_with_what_relates_to_it() {
    let (_server, alice, bob, room) = two().await;
    let root = alice.say(&room, "root").await;
    let last = bob.answer(&room, &root, "answer").await;
    let reference = alice
        .relate(&room, "m.reference", &last, json!({"body": "see"}))
        .await;
    let bundled = alice.bundle(&room, &root).await;
    let of_last = &bundled["m.thread"]["latest_event"]["unsigned"]["m.relations"];
    assert_eq!(
        of_last["m.reference"]["chunk"][0]["event_id"],
        json!(reference)
    );
    // Elsewhere too: around an event, and among those that relate to another.
    let context = bob.get(&format!("{room}/context/{root}")).await.ok();
    let around = &context["event"]["unsigned"]["m.relations"]["m.thread"];
    assert_eq!(around["count"], 1);
    let related = bob.related(&room, &root).await;
    let listed = &related["chunk"][0]["unsigned"]["m.relations"]["m.reference"];
    assert_eq!(listed["chunk"][0]["event_id"], json!(reference));
}

#[tokio::test]
async fn a_reaction_counts_once_until_it_is_redacted() {
    let (_server, alice, bob, room) = two().await;
    let parent = alice.say(&room, "cake?").await;
    let yes = bob
        .relate(&room, "m.annotation", &parent, json!({"key": "yes"}))
        .await;
    let content =
        json!({"m.relates_to": {"rel_type": "m.annotation", "event_id": parent, "key": "yes"}});
    let again = format!("{room}/send/m.reaction/again");
    bob.put(&again, content.clone())
        .await
        .refused(400, "M_DUPLICATE_ANNOTATION");
    alice
        .put(&format!("{room}/send/m.reaction/hers"), content.clone())
        .await
        .ok();
    // Reactions are counted by clients.
    assert_eq!(alice.bundle(&room, &parent).await, Value::Null);
    bob.put(&format!("{room}/redact/{yes}/1"), json!({}))
        .await
        .ok();
    assert_eq!(ids(&alice.related(&room, &parent).await).len(), 1);
    bob.put(&again, content).await.ok();
    assert_eq!(ids(&alice.related(&room, &parent).await).len(), 2);
}
