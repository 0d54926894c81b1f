//! Threads that users follow, as clients meet them.

use serde_json::{Value, json};

use crate::{
    sync::sliding_sync,
    testing::{Client, Server},
};

const ALL: &str = "/_matrix/client/unstable/io.element.msc4308/thread_subscriptions?dir=b";
const KEY: &str = "io.element.msc4308.thread_subscriptions";

fn subscription(room: &str, root: &str) -> String {
    let room = room.replace(
        "/_matrix/client/v3",
        "/_matrix/client/unstable/io.element.msc4306",
    );
    format!("{room}/thread/{root}/subscription")
}

impl Client {
    async fn say_in(&self, room: &str, root: &str, body: &str) -> String {
        let content = json!({
            "msgtype": "m.text",
            "body": body,
            "m.relates_to": {"rel_type": "m.thread", "event_id": root},
        });
        let path = format!("{room}/send/m.room.message/{body}");
        let sent = self.put(&path, content).await.ok();
        sent["event_id"].as_str().unwrap().to_owned()
    }

    /// What the extension tells, and the token of the answer.
    async fn slide(&self, pos: &str, limit: u64) -> (Value, String) {
        let body = json!({"conn_id": "c", "extensions": {KEY: {"enabled": true, "limit": limit}}});
        let path = format!("{}?timeout=0&pos={pos}", sliding_sync::PATH);
        let answer = self.post(&path, body).await.ok();
        let pos = answer["pos"].as_str().unwrap().to_owned();
        (answer["extensions"][KEY].clone(), pos)
    }
}

#[tokio::test]
async fn a_thread_is_followed_by_whoever_sees_it() {
    let server = Server::start().await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    let room = alice.create_room(json!({})).await;
    let root = alice.say(&room, "root").await;
    let answer = alice.say_in(&room, &root, "answer").await;
    let aside = alice.say(&room, "aside").await;
    let thread = subscription(&room, &root);
    alice.get(&thread).await.refused(404, "M_NOT_FOUND");
    for path in [thread.clone(), subscription(&room, "$nothing")] {
        bob.put(&path, json!({})).await.refused(404, "M_NOT_FOUND");
        bob.delete(&path).await.refused(404, "M_NOT_FOUND");
    }
    alice
        .put(&thread, json!({"automatic": aside}))
        .await
        .refused(400, "IO.ELEMENT.MSC4306.M_NOT_IN_THREAD");
    alice.put(&thread, json!({"automatic": answer})).await.ok();
    assert_eq!(alice.get(&thread).await.ok(), json!({"automatic": true}));
    alice.put(&thread, json!({})).await.ok();
    assert_eq!(alice.get(&thread).await.ok(), json!({"automatic": false}));
    alice.delete(&thread).await.ok();
    alice.get(&thread).await.refused(404, "M_NOT_FOUND");
    alice
        .put(&thread, json!({"automatic": answer}))
        .await
        .refused(409, "IO.ELEMENT.MSC4306.M_CONFLICTING_UNSUBSCRIPTION");
    let newer = alice.say_in(&room, &root, "newer").await;
    alice.put(&thread, json!({"automatic": newer})).await.ok();
    assert_eq!(alice.get(&thread).await.ok(), json!({"automatic": true}));
}

#[tokio::test]
async fn changes_are_told_by_sliding_sync_and_read_back_in_pages() {
    let server = Server::start().await;
    let alice = server.register("alice").await;
    let room = alice.create_room(json!({})).await;
    let room_id = room.rsplit('/').next().unwrap();
    let mut roots = Vec::new();
    for n in 0..5 {
        let root = alice.say(&room, &n.to_string()).await;
        alice.put(&subscription(&room, &root), json!({})).await.ok();
        roots.push(root);
    }
    alice.delete(&subscription(&room, &roots[0])).await.ok();
    let known = |told: &Value, what: &str| {
        let rooms = told[what][room_id].as_object();
        let mut known: Vec<_> = rooms
            .into_iter()
            .flat_map(|rooms| rooms.keys().cloned())
            .collect();
        known.sort();
        known
    };
    let sorted = |range: &[String]| {
        let mut range = range.to_vec();
        range.sort();
        range
    };
    let (told, pos) = alice.slide("", 3).await;
    // The last change is that one ended, which a new client need not know.
    assert_eq!(known(&told, "subscribed"), sorted(&roots[3..]));
    assert_eq!(told["unsubscribed"], Value::Null);
    let from = told["prev_batch"].as_str().unwrap();
    let page = alice.get(&format!("{ALL}&from={from}&limit=1")).await.ok();
    assert_eq!(known(&page, "subscribed"), sorted(&roots[2..3]));
    let from = page["end"].as_str().unwrap();
    let page = alice.get(&format!("{ALL}&from={from}")).await.ok();
    assert_eq!(known(&page, "subscribed"), sorted(&roots[1..2]));
    assert_eq!(page["end"], Value::Null);

    let (told, next) = alice.slide(&pos, 3).await;
    assert_eq!(told, Value::Null, "nothing new");
    for root in &roots[1..4] {
        alice.delete(&subscription(&room, root)).await.ok();
    }
    let (told, _) = alice.slide(&next, 1).await;
    assert_eq!(known(&told, "unsubscribed"), sorted(&roots[3..4]));
    // What lies between is read up to where the client was.
    let from = told["prev_batch"].as_str().unwrap();
    let page = alice
        .get(&format!("{ALL}&from={from}&to={next}"))
        .await
        .ok();
    assert_eq!(known(&page, "unsubscribed"), sorted(&roots[1..3]));
    assert_eq!(
        (known(&page, "subscribed").len(), &page["end"]),
        (0, &Value::Null)
    );
    for wrong in ["from=x", "to=x", "from=t"] {
        let asked = alice.get(&format!("{ALL}&{wrong}")).await;
        asked.refused(400, "M_INVALID_PARAM");
    }
}
