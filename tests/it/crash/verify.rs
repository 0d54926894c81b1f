//! Looking for everything that was acknowledged.

use futures_util::{StreamExt, stream};
use reqwest::Method;
use serde_json::{Value, json};
use std::collections::{HashMap, HashSet};

use super::{
    World,
    caller::Caller,
    ledger::{Person, Redacted, Sent, Slot},
};

/// Requests at once.
const AT_ONCE: usize = 16;

impl World {
    /// Everything of this round; of all rounds, if `all`.
    pub(super) async fn verify(&mut self, base: &str, all: bool) {
        let places = self.places.clone();
        for person in &mut self.people {
            let caller = Caller::new(base, &person.tokens[0]);
            if all {
                (person.verified, person.verified_media) = (0, 0);
            }
            person.verify_devices(&caller).await;
            person.verify_slots(&caller).await;
            person.verify_events(&caller).await;
            person.verify_media(&caller).await;
        }
        for (n, room) in places.shared.iter().enumerate() {
            let caller = Caller::new(base, &self.people[0].tokens[0]);
            let path = format!(
                "rooms/{room}/send/m.room.message/marker{}-{n}",
                self.starts.len() + usize::from(all) * 100_000
            );
            let marker = caller
                .put(&path, &json!({ "msgtype": "m.text", "body": path }))
                .await
                .expect("the server runs");
            let marker = marker["event_id"]
                .as_str()
                .expect("what is sent has an ID")
                .to_owned();
            let back_to = (!all).then_some(self.marked.get(room)).flatten();
            let history = caller
                .history(room, back_to.map(String::as_str))
                .await
                .expect("the server runs");
            verify_history(room, &history, &self.people, all);
            let watcher = self
                .watchers
                .iter_mut()
                .find(|watcher| watcher.room == *room)
                .expect("each has one");
            watcher
                .catch_up(&caller.of(&watcher.token), &marker, &history)
                .await;
            self.marked.insert(room.clone(), marker);
        }
        for person in &mut self.people {
            person.verified = person.sent.len();
            person.verified_media = person.media.len();
        }
    }
}

/// Each event is there once, and nothing that was said was said twice.
fn verify_history(room: &str, history: &[Value], people: &[Person], all: bool) {
    let mut found = HashSet::new();
    let mut said = HashMap::<_, usize>::new();
    for event in history {
        let id = event["event_id"].as_str().expect("events have IDs");
        assert!(found.insert(id), "{id} is twice in the history of {room}");
        if let Some(body) = event["content"]["body"].as_str() {
            *said.entry(body).or_default() += 1;
        }
    }
    for person in people {
        for sent in &person.sent[if all { 0 } else { person.verified }..] {
            let id = sent.event_id.as_deref().expect("all were sent again");
            if sent.room != room {
                continue;
            }
            assert!(
                found.contains(id),
                "{id} ({}) is not in the history of {room}",
                sent.path
            );
            if sent.redacted == Redacted::No && !sent.is_redaction {
                let body = sent.body["body"].as_str().expect("messages have one");
                assert_eq!(said.get(body), Some(&1), "how often {body:?} is said");
            }
        }
    }
}

impl Person {
    async fn verify_devices(&self, caller: &Caller) {
        for token in &self.tokens {
            let (status, body) = caller
                .of(token)
                .ask(Method::GET, "account/whoami", Vec::new())
                .await
                .expect("the server runs");
            assert_eq!(
                status,
                200,
                "a token is not valid any more: {}",
                String::from_utf8_lossy(&body)
            );
        }
    }

    /// What has one value has the one acknowledged last, or the one asked for after that.
    async fn verify_slots(&mut self, caller: &Caller) {
        let joined = caller.get("joined_rooms").await.expect("the server runs");
        let sync = caller
            .get(&sync_of_receipts())
            .await
            .expect("the server runs");
        for (slot, kept) in &mut self.slots {
            let of = |path: String| async move {
                let (status, body) = caller
                    .ask(Method::GET, &path, Vec::new())
                    .await
                    .expect("the server runs");
                (status == 200)
                    .then(|| serde_json::from_slice::<Value>(&body).expect("an answer is JSON"))
            };
            let user = &self.user_id;
            let found = match slot {
                Slot::State(room) => {
                    of(format!(
                        "rooms/{room}/state/test.orvale.place/{}",
                        self.number
                    ))
                    .await
                }
                Slot::AccountData => of(format!("user/{user}/account_data/test.orvale.note")).await,
                Slot::RoomAccountData(room) => {
                    of(format!(
                        "user/{user}/rooms/{room}/account_data/test.orvale.note"
                    ))
                    .await
                }
                Slot::DisplayName => of(format!("profile/{user}/displayname")).await,
                Slot::Receipt(room) => receipt(&sync, room, user),
                Slot::Membership(room) => {
                    let rooms = joined["joined_rooms"].as_array().expect("a list of rooms");
                    Some(json!(rooms.iter().any(|joined| joined == room.as_str())))
                }
            };
            let may_be = [&kept.acknowledged, &kept.unsure];
            // Nobody was in a room before they first went there.
            let not_yet = matches!(slot, Slot::Membership(_))
                && kept.acknowledged.is_none()
                && found == Some(json!(false));
            assert!(
                may_be.contains(&&found) || not_yet,
                "{user}: {slot:?} is {found:?} and should be {kept:?}"
            );
            (kept.acknowledged, kept.unsure) = (found, None);
        }
    }

    /// Each is found by its ID, as it was sent or redacted; the same request again gives the same event.
    async fn verify_events(&mut self, caller: &Caller) {
        let sent = &mut self.sent[self.verified..];
        stream::iter(sent.iter_mut())
            .for_each_concurrent(AT_ONCE, |sent| verify_event(caller, sent))
            .await;
    }

    async fn verify_media(&self, caller: &Caller) {
        let media = &self.media[self.verified_media..];
        let looked =
            stream::iter(media).for_each_concurrent(AT_ONCE, |(uri, content)| async move {
                let place = uri
                    .strip_prefix("mxc://")
                    .expect("media have mxc addresses");
                let path = format!("/_matrix/client/v1/media/download/{place}");
                let found = caller
                    .bytes(Method::GET, &path, Vec::new())
                    .await
                    .expect("the server runs");
                assert!(
                    found == *content,
                    "{uri} has {} other bytes than the {} uploaded",
                    found.len(),
                    content.len()
                );
            });
        looked.await;
    }
}

async fn verify_event(caller: &Caller, sent: &mut Sent) {
    let again = caller
        .put(&sent.path, &sent.body)
        .await
        .expect("the server runs");
    let again = again["event_id"]
        .as_str()
        .expect("what is sent has an ID")
        .to_owned();
    if let Some(id) = &sent.event_id {
        assert_eq!(
            *id, again,
            "the same request gives another event: {}",
            sent.path
        );
    }
    let event = caller
        .get(&format!("rooms/{}/event/{again}", sent.room))
        .await
        .expect("the server runs");
    assert_eq!(event["event_id"], again, "{}", sent.path);
    sent.event_id = Some(again);
    if sent.is_redaction {
        return;
    }
    let whole = event["content"] == sent.body;
    let redacted =
        event["content"] == json!({}) && event["unsigned"]["redacted_because"].is_object();
    match sent.redacted {
        Redacted::No => assert!(whole, "{} became {event}", sent.path),
        Redacted::Yes => assert!(redacted, "{} was redacted and is {event}", sent.path),
        Redacted::Perhaps => {
            assert!(whole || redacted, "{} is half redacted: {event}", sent.path);
            // The redaction is sent again too.
            sent.redacted = if redacted {
                Redacted::Yes
            } else {
                Redacted::Perhaps
            };
        }
    }
}

fn sync_of_receipts() -> String {
    let filter = json!({ "room": { "timeline": { "limit": 1 } }, "presence": { "types": [] } });
    format!(
        "sync?timeout=0&filter={}",
        orvale_tests::encode(&filter.to_string())
    )
}

/// The event that the public receipt of a user stands at.
fn receipt(sync: &Value, room: &str, user: &str) -> Option<Value> {
    let events = sync["rooms"]["join"][room]["ephemeral"]["events"].as_array()?;
    let receipts = events.iter().filter(|event| event["type"] == "m.receipt");
    let mut of_events = receipts
        .filter_map(|event| event["content"].as_object())
        .flatten();
    let (event, _) = of_events.find(|(_, receipts)| receipts["m.read"].get(user).is_some())?;
    Some(json!(event))
}
