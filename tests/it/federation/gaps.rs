//! What a server missed of a room, and comes to know when somebody reads there.

use orvale_tests::{Client, Network, Stranger, encode, eventually};
use serde_json::{Value, json};

use super::{has_event, join_by, room_of, texts};

/// Alice and Bob, on a server each.
async fn pair() -> (Client, Client) {
    let network = Network::new();
    let (one, two) = tokio::join!(network.orvale(), network.orvale());
    (one.register("alice").await, two.register("bob").await)
}

/// Waits until somebody sees that another has left.
async fn is_gone(client: &Client, room: &str, other: &Client) {
    let path = format!("rooms/{}/joined_members", encode(room));
    eventually("the leave", async || {
        let members = client.get(&path).await.ok();
        members["joined"]
            .get(&other.user_id)
            .is_none()
            .then_some(())
    })
    .await;
}

fn bodies(texts: &[(String, String)]) -> Vec<&str> {
    texts.iter().map(|(_, body)| body.as_str()).collect()
}

/// The texts that a first sync shows of a room, and whether it says that there are more.
async fn first_sync(client: &Client, room: &str) -> (Vec<String>, bool) {
    shown(&client.get("sync").await.ok(), room)
}

fn shown(answer: &Value, room: &str) -> (Vec<String>, bool) {
    let timeline = &answer["rooms"]["join"][room]["timeline"];
    let events = timeline["events"].as_array().cloned().unwrap_or_default();
    let bodies = events
        .iter()
        .filter_map(|event| event["content"]["body"].as_str());
    let bodies = bodies.map(str::to_owned).collect();
    (bodies, timeline["limited"] == true)
}

/// The event that a word finds in the topics of rooms, if there is one.
async fn finds_topic(client: &Client, word: &str) -> Option<String> {
    let criteria = json!({ "search_term": word, "keys": ["content.topic"] });
    let body = json!({ "search_categories": { "room_events": criteria } });
    let found = client.post("search", body).await.ok();
    let results = &found["search_categories"]["room_events"]["results"];
    let id = &results.get(0)?["result"]["event_id"];
    Some(id.as_str().expect("an ID").to_owned())
}

#[tokio::test]
async fn a_topic_from_before_somebody_came_in_is_found_once_they_have_read_back_to_it() {
    let (alice, bob) = &pair().await;
    let room = room_of(alice, &[], json!({ "topic": "All about walnuts" })).await;
    let _ = alice.send_text(&room, "before").await;
    join_by(bob, &room, alice.server()).await;
    assert_eq!(finds_topic(bob, "walnuts").await, None, "not read yet");

    let _ = texts(bob, &room).await;
    let topic = eventually("the topic to be found", async || {
        finds_topic(bob, "walnuts").await
    })
    .await;
    let path = format!("rooms/{}/event/{}", encode(&room), encode(&topic));
    let event = bob.get(&path).await.ok();
    assert_eq!(event["content"]["topic"], "All about walnuts");
}

#[tokio::test]
async fn who_comes_back_reads_what_was_written_while_nobody_of_the_server_was_there() {
    let (alice, bob) = &pair().await;
    let room = room_of(alice, &[bob], json!({})).await;
    let before = bob.send_text(&room, "before").await;
    let _ = has_event(alice, &room, &before).await;
    bob.leave(&room).await;
    is_gone(alice, &room, bob).await;
    // More than one page of what servers ask each other for.
    let missed: Vec<String> = (0..130).map(|n| format!("missed {n}")).collect();
    for body in &missed {
        let _ = alice.send_text(&room, body).await;
    }
    join_by(bob, &room, alice.server()).await;
    let after = alice.send_text(&room, "after").await;
    let _ = has_event(bob, &room, &after).await;

    // A sync does not go on before the gap as if nothing were missing.
    assert_eq!(
        first_sync(bob, &room).await,
        (vec!["after".to_owned()], true)
    );
    let mut expected = vec!["before".to_owned()];
    expected.extend(missed);
    expected.push("after".to_owned());
    let all = texts(bob, &room).await;
    assert_eq!(bodies(&all), expected);
    assert_eq!(texts(alice, &room).await, all);
    // It is known from then on, by the next process too.
    bob.server().restart().await;
    assert_eq!(texts(bob, &room).await, all);
}

#[tokio::test]
async fn what_cannot_be_seen_of_the_time_away_is_not_shown() {
    let (alice, bob) = &pair().await;
    let joined = json!({ "initial_state": [{
        "type": "m.room.history_visibility", "state_key": "", "content": { "history_visibility": "joined" },
    }]});
    let room = room_of(alice, &[bob], joined).await;
    let before = bob.send_text(&room, "before").await;
    let _ = has_event(alice, &room, &before).await;
    bob.leave(&room).await;
    is_gone(alice, &room, bob).await;
    for n in 0..3 {
        let _ = alice.send_text(&room, &format!("missed {n}")).await;
    }
    join_by(bob, &room, alice.server()).await;
    let after = alice.send_text(&room, "after").await;
    let _ = has_event(bob, &room, &after).await;
    assert_eq!(bodies(&texts(bob, &room).await), ["before", "after"]);
}

#[tokio::test]
async fn a_gap_too_long_to_be_fetched_at_once_is_filled_when_somebody_reads_there() {
    let network = Network::new();
    let (server, stranger) = tokio::join!(network.orvale(), Stranger::start(&network));
    let alice = server.register("alice").await;
    let room = alice.create_room(json!({ "preset": "public_chat" })).await;
    let _ = alice.send_text(&room, "before").await;
    let mallory = stranger.user("mallory");
    let mut joined = stranger.join(&server, &room, &mallory).await;
    let mut text = |body: &str| {
        let content = json!({ "msgtype": "m.text", "body": body });
        stranger.event(&mut joined, &mallory, "m.room.message", None, &content)
    };
    let mut missed: Vec<(String, Value)> = (0..7).map(|n| text(&format!("missed {n}"))).collect();
    let (after, last) = text("after");
    let state = joined.state_ids();

    // For now it gives nothing but the state there.
    let at = |path: &str| format!("/_matrix/federation/v1/{path}");
    stranger.answer(&at("get_missing_events/"), 200, json!({ "events": [] }));
    let unknown = json!({ "errcode": "M_NOT_FOUND", "error": "not here" });
    stranger.answer(&at("backfill/"), 404, unknown);
    let ids = json!({ "pdu_ids": state, "auth_chain_ids": [] });
    stranger.answer(&at("state_ids/"), 200, ids);
    let (_, before_last) = missed.last().unwrap();
    let given = json!({ "origin": stranger.name, "origin_server_ts": 1, "pdus": [before_last] });
    stranger.answer(&at("event/"), 200, given);
    let known = alice.get("sync").await.ok();
    let since = known["next_batch"].as_str().unwrap();
    let _ = stranger.send(&server, vec![last], Vec::new()).await.ok();
    let _ = has_event(&alice, &room, &after).await;
    // Who had synced just before is told as well that something is missing.
    let news = alice.get(&format!("sync?since={since}")).await.ok();
    assert_eq!(shown(&news, &room), (vec!["after".to_owned()], true));
    assert_eq!(
        first_sync(&alice, &room).await,
        (vec!["after".to_owned()], true)
    );
    // Nobody has what is missing: what was before it is shown all the same.
    assert_eq!(bodies(&texts(&alice, &room).await), ["before", "after"]);

    missed.reverse();
    let pdus: Vec<_> = missed.iter().map(|(_, pdu)| pdu).collect();
    let given = json!({ "origin": stranger.name, "origin_server_ts": 1, "pdus": pdus });
    stranger.answer(&at("backfill/"), 200, given);
    let expected = [
        "before", "missed 0", "missed 1", "missed 2", "missed 3", "missed 4", "missed 5",
        "missed 6", "after",
    ];
    assert_eq!(bodies(&texts(&alice, &room).await), expected);
    let (shown, _) = first_sync(&alice, &room).await;
    assert_eq!(shown, expected);
}

/// How many events are missing in the test of a long gap: more than servers give each other at once, several times over.
fn long_gap() -> usize {
    let wanted = std::env::var("ORVALE_TEST_LONG_GAP");
    wanted.map_or(450, |wanted| wanted.parse().expect("a number"))
}

/// A room of Alice's in which a stranger's user wrote `missed 0` and so on, of which her server has nothing, and then `after`.
struct Gap {
    network: Network,
    alice: Client,
    stranger: Stranger,
    room: String,
    /// A token of before.
    since: String,
    after: String,
    missed: Vec<Value>,
}

impl Gap {
    const MISSING: &'static str = "/_matrix/federation/v1/get_missing_events/";
    const BACKFILL: &'static str = "/_matrix/federation/v1/backfill/";

    async fn of(count: usize) -> Self {
        let network = Network::new();
        let (server, stranger) = tokio::join!(network.orvale(), Stranger::start(&network));
        let alice = server.register("alice").await;
        let room = alice.create_room(json!({ "preset": "public_chat" })).await;
        let _ = alice.send_text(&room, "before").await;
        let mallory = stranger.user("mallory");
        let mut joined = stranger.join(&server, &room, &mallory).await;
        let known = alice.get("sync").await.ok();
        let since = known["next_batch"].as_str().unwrap().to_owned();
        let mut text = |body: &str| {
            let content = json!({ "msgtype": "m.text", "body": body });
            stranger.event(&mut joined, &mallory, "m.room.message", None, &content)
        };
        let missed: Vec<_> = (0..count).map(|n| text(&format!("missed {n}")).1).collect();
        let (after, last) = text("after");
        // It gives nothing but the state there.
        stranger.answer(Self::MISSING, 200, json!({ "events": [] }));
        let unknown = json!({ "errcode": "M_NOT_FOUND", "error": "not here" });
        stranger.answer(Self::BACKFILL, 404, unknown);
        let _ = stranger.send(&server, vec![last], Vec::new()).await.ok();
        let _ = has_event(&alice, &room, &after).await;
        Self {
            network,
            alice,
            stranger,
            room,
            since,
            after,
            missed,
        }
    }

    /// From now on the stranger gives what it has.
    fn is_given(&self) {
        self.stranger.tell_the_truth(Self::MISSING);
        self.stranger.tell_the_truth(Self::BACKFILL);
    }

    fn expected(&self) -> Vec<String> {
        let missed = self.missed.iter();
        let missed = missed.filter_map(|event| event["content"]["body"].as_str());
        let (before, after) = (["before"], ["after"]);
        let all = before.into_iter().chain(missed).chain(after);
        all.map(str::to_owned).collect()
    }

    /// What Alice finds going from a token in a direction, in pages as a client takes them: one that ends where it began is the last.
    async fn pages(&self, direction: &str, from: &str) -> Vec<String> {
        let (mut found, mut from) = (Vec::new(), from.to_owned());
        loop {
            let path = format!(
                "rooms/{}/messages?dir={direction}&limit=40&from={}",
                encode(&self.room),
                encode(&from)
            );
            let page = self.alice.get(&path).await.ok();
            let events = page["chunk"].as_array().unwrap().iter();
            let bodies = events.filter_map(|event| event["content"]["body"].as_str());
            found.extend(bodies.map(str::to_owned));
            match page["end"].as_str() {
                Some(end) if page["start"] != end => from = end.to_owned(),
                _ => return found,
            }
        }
    }
}

#[tokio::test]
async fn a_long_gap_is_read_through_page_by_page() {
    let gap = Gap::of(long_gap()).await;
    gap.is_given();
    let all = texts(&gap.alice, &gap.room).await;
    assert_eq!(bodies(&all), gap.expected());
    assert_eq!(gap.pages("f", &gap.since).await, gap.expected()[1..]);
}

#[tokio::test]
async fn who_reads_forward_comes_through_a_gap() {
    let gap = Gap::of(130).await;
    // As long as nobody has it, it is passed over.
    assert_eq!(gap.pages("f", &gap.since).await, ["after"]);
    gap.is_given();
    assert_eq!(gap.pages("f", &gap.since).await, gap.expected()[1..]);
}

#[tokio::test]
async fn what_is_around_an_event_is_fetched_as_well() {
    let gap = Gap::of(7).await;
    gap.is_given();
    let path = format!(
        "rooms/{}/context/{}?limit=4",
        encode(&gap.room),
        encode(&gap.after)
    );
    let around = gap.alice.get(&path).await.ok();
    let before = around["events_before"].as_array().unwrap();
    let before: Vec<_> = before
        .iter()
        .map(|event| &event["content"]["body"])
        .collect();
    assert_eq!(before, ["missed 6", "missed 5"]);
    // And from there on.
    let start = around["start"].as_str().unwrap();
    let mut left = gap.pages("b", start).await;
    left.reverse();
    assert_eq!(left, gap.expected()[..6]);
}

#[tokio::test]
async fn where_one_server_wants_to_be_left_alone_another_is_asked() {
    let gap = Gap::of(7).await;
    let limited =
        json!({ "errcode": "M_LIMIT_EXCEEDED", "error": "later", "retry_after_ms": 3_600_000 });
    gap.stranger.answer(Gap::BACKFILL, 429, limited);
    let other = Stranger::start(&gap.network).await;
    let server = gap.alice.server();
    let user = other.user("other");
    let _ = other.join(server, &gap.room, &user).await;
    let mut pdus: Vec<_> = gap.missed.clone();
    pdus.reverse();
    let given = json!({ "origin": other.name, "origin_server_ts": 1, "pdus": pdus });
    other.answer(Gap::BACKFILL, 200, given);
    let all = texts(&gap.alice, &gap.room).await;
    assert_eq!(bodies(&all), gap.expected());
}
