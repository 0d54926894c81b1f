//! Rooms whose events a policy server checks.

use orvale_tests::{Client, Joined, Network, Server, Stranger, encode, eventually};
use serde_json::{Value, json};

use super::{has_event, join_by};

/// Alice's room, which Bob of another server is in, and a stranger by which the room has its events checked.
struct Checked {
    server: Server,
    alice: Client,
    bob: Client,
    stranger: Stranger,
    mallory: String,
    room: String,
    joined: Joined,
}

impl Checked {
    async fn new() -> Self {
        let network = Network::new();
        let (server, other, stranger) = tokio::join!(
            network.orvale(),
            network.orvale(),
            Stranger::start(&network)
        );
        let alice = server.register("alice").await;
        let bob = other.register("bob").await;
        let room = alice.create_room(json!({ "preset": "public_chat" })).await;
        join_by(&bob, &room, &server).await;
        let mallory = stranger.user("mallory");
        let joined = stranger.join(&server, &room, &mallory).await;
        let named = stranger.check_events(&joined, "spam");
        let naming = alice.set_state(&room, "m.room.policy", "", named).await;
        let _ = has_event(&bob, &room, &naming).await;
        Self {
            server,
            alice,
            bob,
            stranger,
            mallory,
            room,
            joined,
        }
    }

    /// Mallory says something, and her server, though it is the policy server, does not check it.
    async fn unchecked(&mut self, body: &str) -> String {
        let content = json!({ "msgtype": "m.text", "body": body });
        let (id, event) = self.stranger.event(
            &mut self.joined,
            &self.mallory,
            "m.room.message",
            None,
            &content,
        );
        let sent = self.stranger.send(&self.server, vec![event], Vec::new());
        let answer = sent.await.ok();
        assert_eq!(answer["pdus"][&id], json!({}), "{answer}");
        id
    }

    fn times_checked(&self, body: &str) -> usize {
        let checked = self.stranger.checked();
        let same = |event: &&Value| event["content"]["body"] == body;
        checked.iter().filter(same).count()
    }
}

fn text(body: &str) -> Value {
    json!({ "msgtype": "m.text", "body": body })
}

#[tokio::test]
async fn what_people_say_is_checked_by_their_own_server_once() {
    let checked = Checked::new().await;
    let room = &checked.room;
    let said = checked.alice.send_text(room, "good morning").await;
    let _ = has_event(&checked.bob, room, &said).await;
    // Bob's server and the stranger got it signed.
    let pdu = eventually("the stranger to hear of it", async || {
        let told = checked.stranger.told("pdus").into_iter();
        told.rev()
            .find(|pdu| pdu["content"]["body"] == "good morning")
    })
    .await;
    let signature = &pdu["signatures"][&checked.stranger.name]["ed25519:policy_server"];
    assert!(signature.is_string(), "{pdu}");
    assert_eq!(checked.times_checked("good morning"), 1);

    for who in [&checked.alice, &checked.bob] {
        let refused = who.try_send(room, "m.room.message", text("buy spam")).await;
        let error = refused.refused(400, "M_FORBIDDEN");
        assert_eq!(error["error"], "This looks like spam");
    }
    let after = checked.bob.send_text(room, "after that").await;
    let _ = has_event(&checked.alice, room, &after).await;
    let seen = checked.alice.messages(room, 50).await;
    let is_spam = |event: &Value| event["content"]["body"] == "buy spam";
    assert!(!seen.iter().any(is_spam), "{seen:?}");
}

#[tokio::test]
async fn what_a_server_did_not_have_checked_is_checked_here() {
    let mut checked = Checked::new().await;
    let good = checked.unchecked("hello").await;
    let _ = has_event(&checked.alice, &checked.room, &good).await;
    let spam = checked.unchecked("spam and eggs").await;
    let path = format!("rooms/{}/event/{}", encode(&checked.room), encode(&spam));
    checked.alice.get(&path).await.refused(404, "M_NOT_FOUND");
    assert_eq!(checked.times_checked("hello"), 1);
    assert_eq!(checked.times_checked("spam and eggs"), 1);
    // Who follows it is no worse for that.
    let next = checked.unchecked("sorry").await;
    let _ = has_event(&checked.alice, &checked.room, &next).await;
}

#[tokio::test]
async fn room_can_do_without_its_policy_server_when_that_is_out_of_order() {
    let checked = Checked::new().await;
    let (alice, room) = (&checked.alice, &checked.room);
    checked.stranger.check_no_events();
    let refused = alice.try_send(room, "m.room.message", text("hello")).await;
    assert_eq!(refused.status, 502, "{}", refused.json);
    let _ = alice.set_state(room, "m.room.policy", "", json!({})).await;
    let said = alice.send_text(room, "hello").await;
    let _ = has_event(&checked.bob, room, &said).await;
}
