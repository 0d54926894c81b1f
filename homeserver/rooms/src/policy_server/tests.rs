//! A room of `a.test` whose events are checked by a small policy server, which has a user in it.

use std::{future::Future, sync::Arc, time::Duration};

use axum::{Json, Router, http::StatusCode, routing::post};
use orvale_events::{PolicyServer, ServerKey, canonical};
use orvale_federation_client::testing::Network;
use orvale_storage::Standing;
use parking_lot::Mutex;
use ruma::{OwnedUserId, RoomVersionId, UserId, events::StateEventType};
use serde_json::{Value, json};

use crate::{
    Accepted, Arrival, Draft, Error, Result, Room, Rooms, StoredEvent,
    foreign::tests::{come_in, person, sent},
    testing::{member, raw, server, state, text},
};

/// How a policy server answers.
#[derive(Default)]
struct Answers {
    /// By which it signs; its port is part of its name, and known late.
    key: Mutex<Option<Arc<ServerKey>>>,
    /// What it was asked to sign.
    asked: Mutex<Vec<Value>>,
    /// Whether it is out of order.
    is_broken: Mutex<bool>,
    /// Held while it is to take its time.
    pause: tokio::sync::Mutex<()>,
}

struct Story {
    _network: Network,
    answers: Arc<Answers>,
    /// The key that the room names.
    key: Arc<ServerKey>,
    rooms: Rooms,
    room: Arc<Room>,
    alice: OwnedUserId,
    carol: OwnedUserId,
    /// Another server in the room, which knows of no policy server, and its room.
    theirs: (Rooms, Arc<Room>),
    /// Somebody of it, who may ban.
    bob: OwnedUserId,
}

impl Story {
    /// Alice's room, which uses the policy server from now on.
    async fn new(version: RoomVersionId) -> Self {
        let network = Network::new().await;
        network.name("policy.test");
        let answers = Arc::new(Answers::default());
        let router = {
            let answers = answers.clone();
            let sign = move |Json(event): Json<Value>| {
                let answers = answers.clone();
                async move { answers.answer(event).await }
            };
            Router::new().route("/_matrix/policy/v1/sign", post(sign))
        };
        let port = network.serve(&["policy.test"], router).await;
        let name = format!("policy.test:{port}");
        let key = ServerKey::from_seed((&*name).try_into().unwrap(), "policy_server", &[3; 32]);
        let key = Arc::new(key.unwrap());
        *answers.key.lock() = Some(key.clone());

        let (rooms, policy, theirs) = (server("a.test"), server(&name), server("b.test"));
        rooms.federate(network.client("a.test", network.config(), 9));
        let [alice, carol] = ["alice", "carol"].map(|name| person(name, &rooms));
        let bob = person("bob", &theirs);
        let levels = json!({ bob.as_str(): 50 });
        let room = rooms.public_room_with(version, levels).await;
        let join = member(&carol, &carol, "join");
        rooms.did(&room, join).await.unwrap();
        come_in(&rooms, &policy, &room, &person("checker", &policy)).await;
        let there = come_in(&rooms, &theirs, &room, &bob).await;
        let story = Self {
            _network: network,
            answers,
            key,
            rooms,
            room,
            alice,
            carol,
            theirs: (theirs, there),
            bob,
        };
        story.name(&story.key.public_key()).await;
        assert_eq!(story.asked(), 0, "who is named is not asked about that");
        story
    }

    fn naming(&self, key: &str) -> Value {
        json!({ "via": self.key.server_name(), "public_keys": { "ed25519": key } })
    }

    /// Has the room name the policy server, with this key.
    async fn name(&self, key: &str) {
        let naming = state(&self.alice, "m.room.policy", "", &self.naming(key));
        self.rooms.did(&self.room, naming).await.unwrap();
    }

    fn policy_server(&self) -> PolicyServer {
        PolicyServer::parse(&raw(&self.naming(&self.key.public_key()))).unwrap()
    }

    fn asked(&self) -> usize {
        self.answers.asked.lock().len()
    }

    async fn say(&self, body: &str) -> Result<Arc<StoredEvent>> {
        self.rooms.did(&self.room, text(&self.alice, body)).await
    }

    /// What happens on the other server, which asks nobody.
    async fn elsewhere(&self, draft: Draft) -> Arrival {
        let (theirs, there) = &self.theirs;
        sent(&theirs.did(there, draft).await.unwrap())
    }

    async fn accept(&self, arrival: Arrival) -> Accepted {
        self.rooms.accept(&self.room, arrival).await.unwrap()
    }

    /// As a server does that asks the policy server first.
    fn signed(&self, arrival: Arrival) -> Arrival {
        let event = serde_json::from_slice(&arrival.json).unwrap();
        let signatures = sign(&self.key, &event);
        let name = self.key.server_name().as_str();
        let signature = signatures[name]["ed25519:policy_server"].as_str().unwrap();
        let json = self.policy_server().add_signature(&arrival.json, signature);
        Arrival {
            json: json.unwrap(),
            ..arrival
        }
    }

    fn is_signed(&self, event: &StoredEvent) -> bool {
        self.policy_server()
            .has_signed(&event.record.pdu, &self.room.rules)
    }

    fn well(&self) {
        assert_eq!(self.rooms.check().unwrap().faults, Vec::<String>::new());
    }
}

impl Answers {
    async fn answer(&self, event: Value) -> (StatusCode, Json<Value>) {
        self.asked.lock().push(event.clone());
        drop(self.pause.lock().await);
        if *self.is_broken.lock() {
            return (StatusCode::SERVICE_UNAVAILABLE, Json(json!({})));
        }
        if event["content"]["body"] == "spam" {
            let error = json!({ "errcode": "M_FORBIDDEN", "error": "This looks like spam" });
            return (StatusCode::BAD_REQUEST, Json(error));
        }
        let key = self.key.lock().clone().expect("it was made");
        (StatusCode::OK, Json(sign(&key, &event)))
    }
}

/// The signatures that a policy server answers.
fn sign(key: &ServerKey, event: &Value) -> Value {
    let rules = RoomVersionId::V11.rules().unwrap();
    let json = orvale_events::redact(event.to_string().as_bytes(), &rules).unwrap();
    let mut object = canonical::parse_object(&json, canonical::Reading::PDU).unwrap();
    object.remove("signatures");
    key.sign_json(&mut object).unwrap();
    serde_json::to_value(&object["signatures"]).unwrap()
}

/// Does something while the policy server thinks about what a local user wants to do; what became of that.
async fn while_it_thinks(
    story: &Story,
    draft: Draft,
    meanwhile: impl Future<Output = ()>,
) -> Result<Arc<StoredEvent>> {
    let before = story.asked();
    let thinks = story.answers.pause.lock().await;
    let (rooms, room) = (story.rooms.clone(), story.room.clone());
    let deed = tokio::spawn(async move { rooms.did(&room, draft).await });
    let asked = async {
        while story.asked() == before {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    let asked = tokio::time::timeout(Duration::from_secs(20), asked).await;
    asked.expect("the policy server is asked");
    meanwhile.await;
    drop(thinks);
    deed.await.unwrap()
}

#[tokio::test]
async fn event_of_a_local_user_is_appended_when_it_is_signed_and_not_at_all_when_it_is_refused() {
    let story = Story::new(RoomVersionId::V11).await;
    let said = story.say("hello").await.unwrap();
    assert!(story.is_signed(&said));
    let error = story.say("spam").await.unwrap_err();
    let Error::PolicyServer(answered) = error else {
        panic!("{error:?}");
    };
    assert_eq!(answered.errcode, "M_FORBIDDEN");
    assert_eq!(answered.message, "This looks like spam");
    assert_eq!(story.asked(), 2);
    let next = story.say("on").await.unwrap();
    assert_eq!(next.pdu.prev_events, [said.event_id().to_owned()]);
    let topic = state(&story.alice, "m.room.topic", "", &json!({ "topic": "T" }));
    let topic = story.rooms.did(&story.room, topic).await.unwrap();
    assert!(story.is_signed(&topic), "state too");
    story.well();
}

#[tokio::test]
async fn room_without_a_policy_server_in_it_asks_nobody() {
    let story = Story::new(RoomVersionId::V11).await;
    let away = state(&story.alice, "m.room.policy", "", &json!({}));
    story.rooms.did(&story.room, away).await.unwrap();
    story.say("spam").await.unwrap();
    story.name(&story.key.public_key()).await;
    let checker = format!("@checker:{}", story.key.server_name());
    let checker = UserId::parse(checker).unwrap();
    let put_out = member(&story.alice, &checker, "leave");
    story.rooms.did(&story.room, put_out).await.unwrap();
    let asked = story.asked();
    story.say("spam").await.unwrap();
    assert_eq!(story.asked(), asked);
}

#[tokio::test]
async fn policy_server_that_does_not_answer_keeps_events_back_but_not_its_own_removal() {
    let story = Story::new(RoomVersionId::V11).await;
    *story.answers.is_broken.lock() = true;
    let error = story.say("hello").await.unwrap_err();
    assert!(matches!(error, Error::Remote(_)), "{error:?}");
    let error = story.say("hello").await.unwrap_err();
    assert!(matches!(error, Error::Remote(_)), "{error:?}");
    assert_eq!(story.asked(), 1, "it is left alone for a while");
    let away = state(&story.alice, "m.room.policy", "", &json!({}));
    story.rooms.did(&story.room, away).await.unwrap();
    story.say("hello").await.unwrap();
}

#[tokio::test]
async fn signature_by_another_key_than_the_room_names_is_none() {
    let story = Story::new(RoomVersionId::V11).await;
    let other = ServerKey::generate("other.test".try_into().unwrap());
    story.name(&other.public_key()).await;
    let error = story.say("hello").await.unwrap_err();
    assert!(matches!(error, Error::Remote(_)), "{error:?}");
}

#[tokio::test]
async fn event_of_another_server_is_not_shown_if_the_policy_server_does_not_sign_it() {
    let story = Story::new(RoomVersionId::V11).await;
    let hello = story.elsewhere(text(&story.bob, "hello")).await;
    let id = hello.pdu.event_id.clone();
    assert_eq!(story.accept(hello).await, Accepted::Live);
    let kept = story.rooms.find_event(&id).unwrap().unwrap();
    assert!(story.is_signed(&kept), "others need not ask again");

    let spam = story.elsewhere(text(&story.bob, "spam")).await;
    let id = spam.pdu.event_id.clone();
    let accepted = story.accept(spam).await;
    assert!(matches!(accepted, Accepted::SoftFailed(_)), "{accepted:?}");
    let kept = story.rooms.find_event(&id).unwrap().unwrap();
    assert_eq!(kept.record.standing, Standing::SoftFailed);
    assert_eq!(story.asked(), 2);

    let signed = story.elsewhere(text(&story.bob, "signed")).await;
    let signed = story.signed(signed);
    assert_eq!(story.accept(signed).await, Accepted::Live);
    assert_eq!(story.asked(), 2, "what is signed is not asked about");
    story.well();
}

#[tokio::test]
async fn policy_server_is_not_asked_about_what_the_room_forbids() {
    let story = Story::new(RoomVersionId::V11).await;
    let ban = member(&story.alice, &story.bob, "ban");
    story.rooms.did(&story.room, ban).await.unwrap();
    let asked = story.asked();
    let late = story.elsewhere(text(&story.bob, "hello")).await;
    let accepted = story.accept(late).await;
    assert!(matches!(accepted, Accepted::SoftFailed(_)), "{accepted:?}");
    assert_eq!(story.asked(), asked);
}

#[tokio::test]
async fn what_another_server_did_meanwhile_stands_beside_what_was_signed() {
    for version in [RoomVersionId::V11, RoomVersionId::V12] {
        let story = Story::new(version).await;
        let theirs = story.elsewhere(text(&story.bob, "from elsewhere")).await;
        let theirs = story.signed(theirs);
        let their_id = theirs.pdu.event_id.clone();
        let meanwhile = async { assert_eq!(story.accept(theirs).await, Accepted::Live) };
        let ours = text(&story.alice, "hello");
        let ours = while_it_thinks(&story, ours, meanwhile).await.unwrap();
        assert!(story.is_signed(&ours));
        let next = story.say("and on").await.unwrap();
        let mut followed = next.pdu.prev_events.clone();
        followed.sort();
        let mut both = vec![their_id, ours.event_id().to_owned()];
        both.sort();
        assert_eq!(followed, both);
        story.well();
    }
}

#[tokio::test]
async fn who_is_banned_while_the_policy_server_thinks_does_not_speak() {
    let story = Story::new(RoomVersionId::V11).await;
    let ban = member(&story.bob, &story.carol, "ban");
    let ban = story.signed(story.elsewhere(ban).await);
    let meanwhile = async { assert_eq!(story.accept(ban).await, Accepted::Live) };
    let said = while_it_thinks(&story, text(&story.carol, "hello"), meanwhile).await;
    assert!(matches!(said, Err(Error::Forbidden(_))), "{said:?}");
    story.well();
}

#[tokio::test]
async fn two_of_this_server_do_not_fork_the_room() {
    let story = Story::new(RoomVersionId::V11).await;
    let (rooms, room) = (story.rooms.clone(), story.room.clone());
    let two = text(&story.carol, "two");
    let mut second = None;
    let meanwhile = async {
        second = Some(tokio::spawn(async move { rooms.did(&room, two).await }));
    };
    let one = while_it_thinks(&story, text(&story.alice, "one"), meanwhile).await;
    let two = second.unwrap().await.unwrap().unwrap();
    assert_eq!(two.pdu.prev_events, [one.unwrap().event_id().to_owned()]);
}

#[tokio::test]
async fn this_server_is_not_named_by_its_own_users() {
    let story = Story::new(RoomVersionId::V11).await;
    let kind = StateEventType::from("m.room.policy");
    let mut content = story.naming(&story.key.public_key());
    let check = |content: &Value| story.rooms.check_state_content(&kind, &raw(content));
    check(&content).unwrap();
    check(&json!({})).unwrap();
    content["via"] = "a.test".into();
    assert!(matches!(check(&content), Err(Error::BadContent(_))));
}
