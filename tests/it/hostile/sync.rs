//! What sync must tell, whatever happens meanwhile.

use std::{collections::BTreeSet, time::Duration};

use futures_util::future::join_all;
use orvale_tests::{Client, Server, Sync, encode};
use serde_json::{Value, json};

use super::{of, people, public_room, texts};

fn id(event: &Value) -> String {
    event["event_id"].as_str().unwrap().to_owned()
}

/// The events of a stretch of a room's history that sync left out, oldest first.
async fn gap(client: &Client, room: &str, from: &str, to: &str) -> Vec<Value> {
    let mut events = Vec::new();
    let mut from = from.to_owned();
    loop {
        let path = format!(
            "messages?dir=b&limit=7&from={}&to={}",
            encode(&from),
            encode(to)
        );
        let page = client.get(&of(room, &path)).await.ok();
        events.extend(page["chunk"].as_array().unwrap().iter().cloned());
        match page["end"].as_str() {
            Some(end) => from = end.to_owned(),
            None => break,
        }
    }
    events.reverse();
    events
}

async fn sync_with(client: &Client, filter: &Value, since: Option<&str>) -> Sync {
    let since = since
        .map(|since| format!("&since={}", encode(since)))
        .unwrap_or_default();
    Sync(
        client
            .get(&format!(
                "sync?timeout=0&filter={}{since}",
                encode(&filter.to_string())
            ))
            .await
            .ok(),
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn line_09_reader_misses_nothing_of_what_many_write_at_once() {
    let server = Server::start().await;
    let [alice, bob, mallory] = people(&server).await;
    let room = public_room(&alice).await;
    bob.join(&room).await;
    mallory.join(&room).await;
    let reader = server.log_in("alice").await;
    let filter = json!({ "room": { "timeline": { "limit": 4 } } });
    let mut since = sync_with(&reader, &filter, None)
        .await
        .next_batch()
        .to_owned();
    let writers = [&alice, &bob, &mallory];
    let writing = join_all(writers.map(async |writer| {
        let mut sent = Vec::new();
        for n in 0..25 {
            sent.push(
                writer
                    .send_text(&room, &format!("{} {n}", writer.user_id))
                    .await,
            );
        }
        sent
    }));
    let mut seen: Vec<String> = Vec::new();
    let reading = async {
        while seen.len() < 75 {
            let path = format!(
                "sync?timeout=5000&filter={}&since={}",
                encode(&filter.to_string()),
                encode(&since)
            );
            let sync = Sync(reader.get(&path).await.ok());
            let timeline = &sync.joined(&room)["timeline"];
            if timeline["limited"] == true {
                let missed = gap(
                    &reader,
                    &room,
                    timeline["prev_batch"].as_str().unwrap(),
                    &since,
                )
                .await;
                assert!(!missed.is_empty(), "limited, though nothing was left out");
                seen.extend(missed.iter().map(id));
            }
            seen.extend(sync.timeline(&room).iter().map(id));
            since = sync.next_batch().to_owned();
        }
    };
    let (sent, ()) = tokio::join!(writing, async {
        tokio::time::timeout(Duration::from_secs(60), reading)
            .await
            .expect("events went missing");
    });
    let sent: BTreeSet<String> = sent.into_iter().flatten().collect();
    assert_eq!(seen.len(), 75, "each once");
    assert_eq!(seen.iter().cloned().collect::<BTreeSet<_>>(), sent);
    let mut order: Vec<String> = alice.messages(&room, 75).await.iter().map(id).collect();
    order.reverse();
    assert_eq!(seen, order);
}

#[tokio::test]
async fn line_09_limited_is_said_just_when_something_is_left_out() {
    let server = Server::start().await;
    let [alice, ..] = people(&server).await;
    let room = public_room(&alice).await;
    let filter = json!({ "room": { "timeline": { "limit": 3 } } });
    let mut since = sync_with(&alice, &filter, None)
        .await
        .next_batch()
        .to_owned();
    for count in [1, 2, 3, 4, 9] {
        for n in 0..count {
            let _ = alice.send_text(&room, &n.to_string()).await;
        }
        let sync = sync_with(&alice, &filter, Some(&since)).await;
        let timeline = &sync.joined(&room)["timeline"];
        assert_eq!(
            timeline["limited"].as_bool().unwrap_or_default(),
            count > 3,
            "{count}: {timeline}"
        );
        assert_eq!(sync.timeline(&room).len(), count.min(3));
        let before = gap(
            &alice,
            &room,
            timeline["prev_batch"].as_str().unwrap(),
            &since,
        )
        .await;
        assert_eq!(texts(&before).len(), count.saturating_sub(3));
        since = sync.next_batch().to_owned();
    }
    // What the filter leaves out is no gap.
    let quiet = json!({ "room": { "timeline": { "limit": 3, "types": ["m.room.name"] } } });
    for _ in 0..5 {
        let _ = alice.send_text(&room, "x").await;
    }
    let name = alice
        .set_state(&room, "m.room.name", "", json!({ "name": "x" }))
        .await;
    let sync = sync_with(&alice, &quiet, Some(&since)).await;
    assert!(sync.has_event(&room, &name), "{}", sync.0);
    assert_eq!(sync.timeline(&room).len(), 1);
}

#[tokio::test]
async fn line_09_pages_that_the_filter_empties_do_not_end_the_history() {
    let server = Server::start().await;
    let [alice, bob, _] = people(&server).await;
    let room = public_room(&alice).await;
    bob.join(&room).await;
    let old = bob.send_text(&room, "old").await;
    for n in 0..60 {
        let _ = alice.send_text(&room, &n.to_string()).await;
    }
    let filter =
        encode(&json!({ "senders": [bob.user_id], "types": ["m.room.message"] }).to_string());
    let mut from = String::new();
    for _ in 0..100 {
        let page = alice
            .get(&of(
                &room,
                &format!("messages?dir=b&limit=1&filter={filter}{from}"),
            ))
            .await
            .ok();
        if let [found, ..] = &page["chunk"].as_array().unwrap()[..] {
            assert_eq!(id(found), old);
            return;
        }
        let end = page["end"]
            .as_str()
            .expect("the history ends before its first event");
        from = format!("&from={}", encode(end));
    }
    panic!("the history has no end");
}

#[tokio::test]
async fn line_09_room_with_odd_state_stops_no_sync() {
    let server = Server::start().await;
    let [alice, bob, _] = people(&server).await;
    let room = alice
        .create_room(json!({ "preset": "public_chat", "invite": [bob.user_id] }))
        .await;
    let odd = [
        ("m.room.name", json!({ "name": 5 })),
        ("m.room.name", json!({ "name": null })),
        ("m.room.topic", json!({ "topic": { "a": [] } })),
        ("m.room.avatar", json!({ "url": "not a URL", "info": [] })),
        ("m.room.pinned_events", json!({ "pinned": "all" })),
        (
            "m.room.join_rules",
            json!({ "join_rule": "org.example.odd" }),
        ),
        ("m.room.guest_access", json!({})),
        (
            "m.room.encryption",
            json!({ "algorithm": "org.example.odd", "rotation_period_ms": "x" }),
        ),
        ("m.room.tombstone", json!({ "replacement_room": 5 })),
        ("m.room.canonical_alias", json!({ "alias": "" })),
        ("m.room.server_acl", json!({ "allow": "*" })),
        ("m.room.third_party_invite", json!([])),
        ("m.space.child", json!({ "via": 5 })),
    ];
    for (kind, content) in &odd {
        let answer = alice
            .put(&of(&room, &format!("state/{kind}")), content.clone())
            .await;
        assert!(answer.status.as_u16() < 500, "{kind}: {}", answer.json);
    }
    let member = json!({ "membership": "join", "displayname": 5, "avatar_url": {}, "org.example.odd": [[]] });
    let answer = alice
        .put(
            &of(
                &room,
                &format!("state/m.room.member/{}", encode(&alice.user_id)),
            ),
            member,
        )
        .await;
    assert!(answer.status.as_u16() < 500, "{}", answer.json);
    let odd_messages = [
        json!({}),
        json!({ "msgtype": 5, "body": [] }),
        json!({ "m.relates_to": "x" }),
        json!({ "m.relates_to": { "rel_type": "m.thread", "event_id": "nonsense" } }),
        json!({ "m.relates_to": { "rel_type": 5, "event_id": { } } }),
        json!({ "m.mentions": { "user_ids": "all", "room": "yes" } }),
        json!({ "m.new_content": 5, "m.relates_to": { "rel_type": "m.replace", "event_id": "$x" } }),
    ];
    for content in odd_messages {
        let answer = alice
            .try_send(&room, "m.room.message", content.clone())
            .await;
        assert!(answer.status.as_u16() < 500, "{content}: {}", answer.json);
    }
    let answer = alice
        .try_send(&room, "m.room.redaction", json!({ "redacts": 5 }))
        .await;
    assert!(answer.status.is_client_error(), "{}", answer.json);
    let invited = bob.sync().await;
    assert!(invited.invited(&room).is_object(), "{}", invited.0);
    let _ = bob.post(&of(&room, "join"), json!({})).await;
    for person in [&alice, &bob, &server.log_in("alice").await] {
        let sync = person.sync().await;
        assert!(!sync.next_batch().is_empty());
    }
    assert!(
        alice.sync().await.joined(&room).is_null(),
        "there is nothing new"
    );
    let public = bob.post("publicRooms", json!({})).await;
    assert!(public.status.is_success());
}

#[tokio::test]
async fn line_09_who_is_removed_while_away_hears_of_it_once_and_of_nothing_after() {
    let server = Server::start().await;
    let [alice, bob, _] = people(&server).await;
    let room = public_room(&alice).await;
    bob.join(&room).await;
    let _ = bob.sync().await;
    let _ = alice.send_text(&room, "before").await;
    let _ = alice
        .post(
            &of(&room, "kick"),
            json!({ "user_id": bob.user_id, "reason": "why not" }),
        )
        .await
        .ok();
    let _ = alice.send_text(&room, "after").await;
    let sync = bob.sync().await;
    let left = sync.left(&room);
    assert!(sync.joined(&room).is_null());
    let timeline = left["timeline"]["events"].as_array().unwrap();
    assert_eq!(texts(timeline), ["before"]);
    assert_eq!(timeline.last().unwrap()["content"]["membership"], "leave");
    let _ = alice.send_text(&room, "later").await;
    let sync = bob.sync().await;
    assert!(
        sync.left(&room).is_null() && !sync.0.to_string().contains("later"),
        "{}",
        sync.0
    );
    // Who starts anew and asks for rooms that were left sees it again, up to there.
    let all = sync_with(&bob, &json!({ "room": { "include_leave": true } }), None).await;
    assert!(all.left(&room).to_string().contains("before"), "{}", all.0);
    assert!(
        !all.0.to_string().contains("after") && !all.0.to_string().contains("later"),
        "{}",
        all.0
    );
    let without = sync_with(&bob, &json!({}), None).await;
    assert!(without.left(&room).is_null(), "{}", without.0);
}

#[tokio::test]
async fn line_10_sender_of_each_shown_event_is_known_with_lazily_loaded_members() {
    let server = Server::start().await;
    let alice = server.register("alice").await;
    let room = public_room(&alice).await;
    let mut people = Vec::new();
    for n in 0..12 {
        let person = server.register(&format!("user{n}")).await;
        person.join(&room).await;
        people.push(person);
    }
    let _ = alice.send_text(&room, "all here").await;
    let filter =
        json!({ "room": { "timeline": { "limit": 2 }, "state": { "lazy_load_members": true } } });
    let first = sync_with(&alice, &filter, None).await;
    let members = |sync: &Sync| -> BTreeSet<String> {
        let known = sync.state(&room).iter().chain(sync.timeline(&room));
        let members = known.filter(|event| event["type"] == "m.room.member");
        members
            .map(|event| event["state_key"].as_str().unwrap().to_owned())
            .collect()
    };
    let mut known = members(&first);
    assert!(known.len() < 13, "lazily, but {known:?}");
    let heroes = &first.joined(&room)["summary"]["m.heroes"];
    assert!(
        heroes
            .as_array()
            .is_some_and(|heroes| heroes.len() == 5 && !heroes.contains(&json!(alice.user_id))),
        "{heroes}"
    );
    let mut since = first.next_batch().to_owned();
    for person in &people {
        let _ = person.send_text(&room, "me").await;
        let sync = sync_with(&alice, &filter, Some(&since)).await;
        known.extend(members(&sync));
        for event in sync.timeline(&room) {
            assert!(
                known.contains(event["sender"].as_str().unwrap()),
                "{event} without its sender"
            );
        }
        let others = sync
            .state(&room)
            .iter()
            .filter(|event| event["type"] != "m.room.member");
        assert_eq!(others.count(), 0, "state that did not change is sent again");
        since = sync.next_batch().to_owned();
    }
    // A gap: those before it changed their names, those in it are new to the client.
    let name = json!({ "displayname": "Renamed" });
    let _ = people[0]
        .put(
            &format!("profile/{}/displayname", encode(&people[0].user_id)),
            name,
        )
        .await
        .ok();
    let late = server.register("late").await;
    late.join(&room).await;
    for _ in 0..3 {
        let _ = late.send_text(&room, "new").await;
    }
    let sync = sync_with(&alice, &filter, Some(&since)).await;
    assert_eq!(sync.joined(&room)["timeline"]["limited"], true);
    assert!(members(&sync).contains(&late.user_id), "{}", sync.0);
    let renamed = sync
        .state(&room)
        .iter()
        .find(|event| event["state_key"] == people[0].user_id.as_str());
    assert_eq!(
        renamed.map(|event| &event["content"]["displayname"]),
        Some(&json!("Renamed")),
        "{}",
        sync.0
    );
}

#[tokio::test]
async fn line_10_state_before_the_timeline_is_not_state_after_it() {
    let server = Server::start().await;
    let [alice, bob, _] = people(&server).await;
    let room = public_room(&alice).await;
    bob.join(&room).await;
    let topic = async |text: &str| {
        alice
            .set_state(&room, "m.room.topic", "", json!({ "topic": text }))
            .await
    };
    let _ = topic("one").await;
    let filter = json!({ "room": { "timeline": { "limit": 2 } } });
    let since = sync_with(&bob, &filter, None).await.next_batch().to_owned();
    for text in ["two", "three"] {
        let _ = topic(text).await;
    }
    let _ = alice.send_text(&room, "between").await;
    let _ = topic("four").await;
    let topics = |events: &[Value]| -> Vec<String> {
        let topics = events
            .iter()
            .filter(|event| event["type"] == "m.room.topic");
        topics
            .map(|event| event["content"]["topic"].as_str().unwrap().to_owned())
            .collect()
    };
    let before = sync_with(&bob, &filter, Some(&since)).await;
    assert_eq!(before.joined(&room)["timeline"]["limited"], true);
    assert_eq!(topics(before.state(&room)), ["three"]);
    assert_eq!(topics(before.timeline(&room)), ["four"]);
    let path = format!(
        "sync?timeout=0&use_state_after=true&filter={}&since={}",
        encode(&filter.to_string()),
        encode(&since)
    );
    let after = bob.get(&path).await.ok();
    let section = &after["rooms"]["join"][&room];
    assert!(section["state"].is_null(), "{section}");
    assert_eq!(
        topics(section["state_after"]["events"].as_array().unwrap()),
        ["four"]
    );
}

#[tokio::test]
async fn line_10_full_state_is_sent_to_who_asks_for_it_and_to_nobody_else() {
    let server = Server::start().await;
    let [alice, ..] = people(&server).await;
    let room = public_room(&alice).await;
    let first = alice.sync().await;
    let whole = first.state(&room).len() + first.timeline(&room).len();
    assert!(whole >= 6, "{}", first.0);
    let _ = alice.send_text(&room, "x").await;
    assert_eq!(alice.sync().await.state(&room), [] as [Value; 0]);
    let since = encode(first.next_batch());
    let full = Sync(
        alice
            .get(&format!("sync?full_state=true&since={since}"))
            .await
            .ok(),
    );
    let kinds: BTreeSet<&str> = full
        .state(&room)
        .iter()
        .map(|event| event["type"].as_str().unwrap())
        .collect();
    for kind in [
        "m.room.create",
        "m.room.power_levels",
        "m.room.join_rules",
        "m.room.member",
    ] {
        assert!(kinds.contains(kind), "{kind} is missing in {}", full.0);
    }
}

#[tokio::test]
async fn line_10_each_connection_of_sliding_sync_remembers_for_itself_whom_it_told() {
    const PATH: &str = "/_matrix/client/unstable/org.matrix.simplified_msc3575/sync";
    let server = Server::start().await;
    let [alice, bob, _] = people(&server).await;
    let room = public_room(&alice).await;
    bob.join(&room).await;
    let slide = async |conn_id: &str, pos: &str| {
        let lazy = json!([["m.room.member", "$LAZY"]]);
        let list = json!({ "ranges": [[0, 9]], "timeline_limit": 1, "required_state": lazy });
        let body = json!({ "conn_id": conn_id, "lists": { "all": list } });
        let path = format!("{PATH}?timeout=0&pos={pos}");
        let answer = alice.post(&path, body).await.ok();
        let state = answer["rooms"][&room]["required_state"].as_array();
        let members = state.into_iter().flatten();
        let members: Vec<_> = members
            .map(|event| event["state_key"].as_str().unwrap().to_owned())
            .collect();
        (answer["pos"].as_str().unwrap().to_owned(), members)
    };
    let _ = bob.send_text(&room, "one").await;
    let (a1, told) = slide("a", "").await;
    assert_eq!(told, [bob.user_id.as_str()]);
    let _ = bob.send_text(&room, "two").await;
    // The other connection knows nobody yet, and this one does not hear of him again.
    let (b1, told) = slide("b", "").await;
    assert_eq!(told, [bob.user_id.as_str()]);
    let (a2, told) = slide("a", &a1).await;
    assert!(told.is_empty(), "{told:?}");
    // An answer that did not arrive told nobody anything.
    let _ = alice.send_text(&room, "three").await;
    let (_, told) = slide("a", &a2).await;
    assert_eq!(told, [alice.user_id.as_str()]);
    let (_, told) = slide("a", &a2).await;
    assert_eq!(told, [alice.user_id.as_str()]);
    let (_, told) = slide("b", &b1).await;
    assert_eq!(told, [alice.user_id.as_str()]);
}
