//! Servers that go away and come back.

use std::{collections::BTreeSet, ops::Range, time::Duration};

use futures_util::{StreamExt as _, future::join_all, stream};
use orvale_tests::{Client, Network, Server, Sync, encode, eventually};
use serde_json::{Value, json};

use super::{agree, has_event, room_of, texts};

/// The texts of a room, with their senders: in order, and each once.
type Seen = (Vec<(String, String)>, BTreeSet<(String, String)>);

/// Sends numbered texts, several at a time.
async fn write(writer: &Client, room: &str, count: usize) {
    write_on(writer, room, 0..count, 4).await;
}

/// Sends texts with these numbers, so many at a time.
async fn write_on(writer: &Client, room: &str, numbers: Range<usize>, at_once: usize) {
    stream::iter(numbers)
        .for_each_concurrent(at_once, |n| async move {
            let _ = writer.send_text(room, &format!("{n}")).await;
        })
        .await;
}

/// Waits until both have as many texts, then checks that both have the same, each once, and each writer's in order of the timeline.
async fn same_texts(clients: &[&Client], room: &str, count: usize) {
    let mut all: Vec<Seen> = Vec::new();
    for client in clients {
        let what = format!("{} texts at {}", count, client.user_id);
        let mut last = 0;
        let mut still = 0;
        // As long as more come.
        let found = loop {
            let found = texts(client, room).await;
            if found.len() >= count {
                break found;
            }
            still = if found.len() > last { 0 } else { still + 1 };
            last = found.len();
            assert!(still < 60, "{what}: just {last}");
            tokio::time::sleep(Duration::from_millis(500)).await;
        };
        let once: BTreeSet<_> = found.iter().cloned().collect();
        assert_eq!((found.len(), once.len()), (count, count), "{what}");
        all.push((found, once));
    }
    for (_, once) in &all[1..] {
        assert_eq!(*once, all[0].1);
    }
    // What one server wrote, all have in the order in which that server has it.
    for (n, client) in clients.iter().enumerate() {
        let own = |(found, _): &Seen| -> Vec<String> {
            let own = found.iter().filter(|(sender, _)| *sender == client.user_id);
            own.map(|(_, body)| body.clone()).collect()
        };
        for other in &all {
            assert_eq!(own(other), own(&all[n]), "the texts of {}", client.user_id);
        }
    }
}

async fn come_back(server: &Server) {
    server.start_again().await;
}

#[tokio::test]
async fn a_server_that_was_stopped_catches_up_with_nothing_lost_doubled_or_out_of_order() {
    const EACH: usize = 500;
    let network = Network::new();
    let (one, two) = tokio::join!(network.orvale(), network.orvale());
    let (alice, bob) = (one.register("alice").await, two.register("bob").await);
    let room = room_of(&alice, &[&bob], json!({})).await;
    let first = bob.send_text(&room, "before").await;
    let _ = has_event(&alice, &room, &first).await;

    // Each writes while the other is away: two branches that neither knows of.
    assert!(two.stop().await.success());
    write(&alice, &room, EACH).await;
    let _ = alice
        .set_state(&room, "m.room.topic", "", json!({ "topic": "of alice" }))
        .await;
    assert!(one.stop().await.success());
    come_back(&two).await;
    write(&bob, &room, EACH).await;
    come_back(&one).await;
    let last = alice.send_text(&room, "after").await;
    let _ = has_event(&bob, &room, &last).await;

    same_texts(&[&alice, &bob], &room, 2 * EACH + 2).await;
    agree(&[&alice, &bob], &room).await;
}

#[tokio::test]
async fn a_killed_server_goes_on_telling_others_what_it_had_not_told() {
    let network = Network::new();
    let (one, two) = tokio::join!(network.orvale(), network.orvale());
    let (alice, bob) = (one.register("alice").await, two.register("bob").await);
    let room = room_of(&alice, &[&bob], json!({})).await;
    two.kill();
    write(&alice, &room, 60).await;
    let path = "sendToDevice/m.test/1";
    let body = json!({ "messages": { &bob.user_id: { "*": { "n": 1 } } } });
    let _ = alice.put(path, body).await.ok();
    one.kill();
    come_back(&two).await;
    come_back(&one).await;
    same_texts(&[&alice, &bob], &room, 60).await;
    eventually("the message to the device", async || {
        let sync = bob.get("sync?timeout=0").await.ok();
        let events = sync["to_device"]["events"].as_array()?.clone();
        (events.len() == 1).then_some(())
    })
    .await;
}

#[tokio::test]
async fn synapse_and_orvale_catch_up_with_each_other() {
    let network = Network::new();
    let Some(_) = network.synapse().await else {
        return;
    };
    let (one, two) = tokio::join!(network.orvale(), network.own_synapse());
    let (alice, carol) = (one.register("alice").await, two.register("carol").await);
    let room = room_of(&alice, &[&carol], json!({})).await;
    let first = carol.send_text(&room, "before").await;
    let _ = has_event(&alice, &room, &first).await;

    let _ = two.stop().await;
    write(&alice, &room, 100).await;
    assert!(one.stop().await.success());
    come_back(&two).await;
    // One after the other: what a server takes at once has no order between servers.
    for n in 0..100 {
        let _ = carol.send_text(&room, &n.to_string()).await;
    }
    come_back(&one).await;
    let last = carol.send_text(&room, "after").await;
    let _ = has_event(&alice, &room, &last).await;
    let last = alice.send_text(&room, "and after").await;
    let _ = has_event(&carol, &room, &last).await;

    same_texts(&[&alice, &carol], &room, 203).await;
    agree(&[&alice, &carol], &room).await;
}

/// Of three servers one is cut off from the others while all write, then it says nothing at all for a while.
#[tokio::test]
async fn three_servers_have_the_same_after_one_was_cut_off_and_frozen_amid_a_thousand_messages() {
    // In each of four parts.
    const EACH: usize = 110;
    const OF_SYNAPSE: usize = 30;
    let network = Network::of_wires();
    let (one, two) = tokio::join!(network.orvale(), network.orvale());
    let (alice, bob) = (one.register("alice").await, two.register("bob").await);
    let carol = match network.synapse().await {
        Some(_) => Some(network.own_synapse().await.register("carol").await),
        None => None,
    };
    let others: Vec<&Client> = [&bob].into_iter().chain(&carol).collect();
    let room = &room_of(&alice, &others, json!({})).await;
    // All at once, but who is absent; Synapse's one after the other: what that takes at once has no order between servers.
    let part = async |n: usize, absent: Option<&Client>| {
        let orvales = [&alice, &bob].map(async |writer| {
            if absent.is_none_or(|absent| absent.user_id != writer.user_id) {
                write_on(writer, room, n * EACH..(n + 1) * EACH, 4).await;
            }
        });
        let synapse = async {
            if let Some(carol) = &carol {
                write_on(carol, room, n * OF_SYNAPSE..(n + 1) * OF_SYNAPSE, 1).await;
            }
        };
        tokio::join!(join_all(orvales), synapse);
    };
    part(0, None).await;
    network.cut(&two);
    part(1, None).await;
    for (writer, topic) in [(&alice, "of alice"), (&bob, "of bob")] {
        // Bob may not: his does not count anywhere.
        let path = format!("rooms/{}/state/m.room.topic/", encode(room));
        let _ = writer.put(&path, json!({ "topic": topic })).await;
    }
    network.mend();
    part(2, None).await;
    // His part of what is written meanwhile he writes after.
    two.freeze(true);
    part(3, Some(&bob)).await;
    two.freeze(false);
    write_on(&bob, room, 3 * EACH..4 * EACH, 4).await;

    let everybody: Vec<&Client> = [&alice].into_iter().chain(others).collect();
    let of_synapse = carol.as_ref().map_or(0, |_| 4 * OF_SYNAPSE);
    same_texts(&everybody, room, 8 * EACH + of_synapse).await;
    agree(&everybody, room).await;
}

/// The topic of a room, as a client has it that goes by its syncs alone.
struct Follower<'a> {
    client: &'a Client,
    room: &'a str,
    since: String,
    topic: Value,
}

impl<'a> Follower<'a> {
    fn new(client: &'a Client, room: &'a str) -> Self {
        Self {
            client,
            room,
            since: String::new(),
            topic: Value::Null,
        }
    }

    async fn sync(&mut self) {
        let path = format!("sync?timeout=0{}", self.since);
        let sync = Sync(self.client.get(&path).await.ok());
        self.since = format!("&since={}", sync.next_batch());
        let state = sync.state(self.room).iter().chain(sync.timeline(self.room));
        for event in state {
            if event["type"] == "m.room.topic" {
                self.topic = event["content"]["topic"].clone();
            }
        }
    }
}

#[tokio::test]
async fn who_changes_a_topic_on_either_side_of_a_cut_sees_the_same_one_in_the_end() {
    let network = Network::of_wires();
    let (one, two) = tokio::join!(network.orvale(), network.orvale());
    let (alice, bob) = (one.register("alice").await, two.register("bob").await);
    let content = json!({ "power_level_content_override": { "state_default": 0 } });
    let room = &room_of(&alice, &[&bob], content).await;
    let (mut here, mut there) = (Follower::new(&alice, room), Follower::new(&bob, room));
    let path = &format!("rooms/{}/state/m.room.topic", encode(room));
    for round in 0..3 {
        network.cut(&two);
        for (follower, name) in [(&mut here, "alice"), (&mut there, "bob")] {
            for n in 0..2 {
                let topic = format!("{name} {round}.{n}");
                let _ = follower
                    .client
                    .put(path, json!({ "topic": topic }))
                    .await
                    .ok();
                follower.sync().await;
                assert_eq!(follower.topic, topic);
            }
        }
        network.mend();
        eventually("both to have one topic", async || {
            here.sync().await;
            there.sync().await;
            (here.topic == there.topic).then_some(())
        })
        .await;
        agree(&[&alice, &bob], room).await;
        for follower in [&mut here, &mut there] {
            follower.sync().await;
            let topic = follower.client.get(path).await.ok();
            assert_eq!(follower.topic, topic["topic"], "round {round}");
        }
    }
}
