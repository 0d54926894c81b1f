//! 10: lazy-loaded members and state deltas.

use std::collections::BTreeSet;

use orvale_tests::encode;
use serde_json::{Value, json};

use super::Meeting;

fn filter(limit: u32) -> String {
    let filter = json!({ "room": { "timeline": { "limit": limit }, "state": { "lazy_load_members": true } } });
    encode(&filter.to_string())
}

/// The users whose member events are among some events.
fn members(events: &Value) -> impl Iterator<Item = String> {
    let events = events.as_array().into_iter().flatten();
    events
        .filter(|event| event["type"] == "m.room.member")
        .filter_map(|event| event["state_key"].as_str().map(str::to_owned))
}

/// Checks that the client knows the member of whoever sent something that it is shown, by this answer or those before.
fn all_known(known: &mut BTreeSet<String>, room: &Value, timeline: &Value, state: &Value) {
    known.extend(members(state).chain(members(timeline)));
    let senders = timeline.as_array().expect("a timeline").iter();
    for sender in senders.filter_map(|event| event["sender"].as_str()) {
        assert!(known.contains(sender), "{sender} is missing in {room}");
    }
}

#[tokio::test]
async fn who_sent_what_is_shown_is_known_also_from_outside() {
    const MANY: usize = 12;
    let mut meeting = Meeting::new().await;
    let mut users = Vec::new();
    for n in 0..MANY {
        users.push(meeting.enter(&format!("user{n}")).await);
    }
    let path = format!("sync?timeout=0&filter={}", filter(1));
    let first = meeting.alice.get(&path).await.ok();
    let room = &first["rooms"]["join"][&meeting.room];
    let mut known = BTreeSet::new();
    all_known(
        &mut known,
        room,
        &room["timeline"]["events"],
        &room["state"]["events"],
    );
    let mut since = first["next_batch"].as_str().expect("a token").to_owned();

    // One after the other, then more than are shown.
    let rounds = [vec![3], vec![7], vec![3], (0..MANY).collect(), vec![5, 9]];
    for round in rounds {
        let pdus = round
            .iter()
            .map(|n| meeting.text_of(&users[*n].clone(), "hello").1)
            .collect();
        let _ = meeting.send(pdus).await;
        let path = format!(
            "sync?timeout=0&filter={}&since={}",
            filter(5),
            encode(&since)
        );
        let sync = meeting.alice.get(&path).await.ok();
        sync["next_batch"]
            .as_str()
            .expect("a token")
            .clone_into(&mut since);
        let room = &sync["rooms"]["join"][&meeting.room];
        let events = room["timeline"]["events"].as_array().expect("events");
        assert_eq!(events.len(), round.len().min(5), "{room}");
        all_known(
            &mut known,
            room,
            &room["timeline"]["events"],
            &room["state"]["events"],
        );
    }

    // On a connection of sliding sync of its own, and page by page.
    let list = json!({ "ranges": [[0, 9]], "timeline_limit": 3,
        "required_state": [["m.room.member", "$LAZY"]] });
    let sliding = meeting
        .alice
        .post(
            "/_matrix/client/unstable/org.matrix.simplified_msc3575/sync",
            json!({ "lists": { "all": list } }),
        )
        .await
        .ok();
    let room = &sliding["rooms"][&meeting.room];
    all_known(
        &mut BTreeSet::new(),
        room,
        &room["timeline"],
        &room["required_state"],
    );
    let page = format!(
        "rooms/{}/messages?dir=b&limit=6&filter={}",
        encode(&meeting.room),
        encode(&json!({ "lazy_load_members": true }).to_string())
    );
    let page = meeting.alice.get(&page).await.ok();
    all_known(&mut BTreeSet::new(), &page, &page["chunk"], &page["state"]);
}

/// A name taken on a fork that lost is not the sender's, whoever is shown first.
#[tokio::test]
async fn the_member_that_is_shown_is_the_one_of_the_state() {
    let mut meeting = Meeting::new().await;
    let mallory = meeting.mallory.clone();
    let fork = meeting.joined.clone();
    let mut names = Vec::new();
    for (name, mut fork) in [("One", fork.clone()), ("Two", fork)] {
        let content = json!({ "membership": "join", "displayname": name });
        names.push(
            meeting
                .stranger
                .event(
                    &mut fork,
                    &mallory,
                    "m.room.member",
                    Some(&mallory),
                    &content,
                )
                .1,
        );
        meeting.joined.last.extend(fork.last);
    }
    let _ = meeting.send(names).await;
    let (_, event) = meeting.text("which?");
    let _ = meeting.send(vec![event]).await;
    let now = meeting
        .alice
        .state(&meeting.room, "m.room.member", &mallory)
        .await;
    let path = format!("sync?timeout=0&filter={}", filter(1));
    let sync = meeting.alice.get(&path).await.ok();
    let room = &sync["rooms"]["join"][&meeting.room];
    let shown = room["state"]["events"].as_array().expect("state").iter();
    let shown: Vec<&Value> = shown
        .filter(|event| event["state_key"] == mallory)
        .map(|event| &event["content"]["displayname"])
        .collect();
    assert_eq!(shown, [&now["displayname"]], "{room}");
}
