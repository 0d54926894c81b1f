//! 12: join races. Those of rooms that are known in part are in `partial_joins.rs`.

use orvale_tests::{Client, Network, Server, Stranger, encode, eventually};
use reqwest::Method;
use serde_json::{Value, json};

use super::{Meeting, Watched, has_event, state_of};

const SEND_JOIN: &str = "/_matrix/federation/v2/send_join/";

/// A stranger that has a room, and people of ours who have not.
struct Hosting {
    server: Server,
    alice: Client,
    bob: Client,
    stranger: Stranger,
    mallory: String,
    room: String,
    _watched: Watched,
}

impl Hosting {
    async fn of(version: &str) -> Self {
        let network = Network::new();
        let (server, stranger) = tokio::join!(network.orvale(), Stranger::start(&network));
        let (alice, bob) = (server.register("alice").await, server.register("bob").await);
        let mallory = stranger.user("mallory");
        let room = stranger.create_room(version, &mallory, json!({}));
        stranger.host(&room);
        Self {
            _watched: Watched::new(&server),
            server,
            alice,
            bob,
            mallory,
            room: room.room,
            stranger,
        }
    }

    async fn join(&self, client: &Client) -> orvale_tests::Answer {
        let via = encode(&self.stranger.name);
        let path = format!("join/{}?via={via}", encode(&self.room));
        client.post(&path, json!({})).await
    }

    /// How many joins were handed to the stranger.
    fn handed(&self) -> usize {
        let asked = self.stranger.asked();
        let joins = asked
            .iter()
            .filter(|asked| asked.path.starts_with(SEND_JOIN));
        joins.count()
    }
}

#[tokio::test]
async fn two_who_join_at_once_are_both_in() {
    for version in ["10", "12"] {
        let here = Hosting::of(version).await;
        let (alice, bob) = (&here.alice, &here.bob);
        let held = here.stranger.hold(SEND_JOIN);
        let (one, two, ()) = tokio::join!(here.join(alice), here.join(bob), async {
            eventually("a join", async || (here.handed() > 0).then_some(())).await;
            drop(held);
        });
        let (_, _) = (one.ok(), two.ok());
        let state = state_of(alice, &here.room).await;
        assert_eq!(state_of(bob, &here.room).await, state);
        for user in [&alice.user_id, &bob.user_id, &here.mallory] {
            let member = alice.state(&here.room, "m.room.member", user).await;
            assert_eq!(member["membership"], "join", "{user}");
        }
        let sent = alice.send_text(&here.room, "both?").await;
        let _ = has_event(bob, &here.room, &sent).await;
        let sent = bob.send_text(&here.room, "both.").await;
        let _ = has_event(alice, &here.room, &sent).await;
    }
}

/// Those of the room hear of the join before who joins has an answer, and write at once.
#[tokio::test]
async fn what_is_sent_while_somebody_joins_is_there_once_they_are_in() {
    for version in ["10", "12"] {
        let here = Hosting::of(version).await;
        let held = here.stranger.hold(SEND_JOIN);
        let (joined, ()) = tokio::join!(here.join(&here.alice), async {
            eventually("a join", async || (here.handed() > 0).then_some(())).await;
            let mut room = here.stranger.hosted(&here.room);
            let mut pdus = Vec::new();
            for n in 0..3 {
                let content = json!({ "msgtype": "m.text", "body": format!("welcome {n}") });
                let (mallory, kind) = (&here.mallory, "m.room.message");
                let made = here
                    .stranger
                    .event(&mut room, mallory, kind, None, &content);
                pdus.push(made.1);
            }
            let sending = here.stranger.send(&here.server, pdus, Vec::new());
            tokio::pin!(sending);
            // It has come, and waits for the join; or it has not come yet, which is as well.
            let early = tokio::time::timeout(std::time::Duration::from_millis(200), &mut sending);
            let early = early.await;
            drop(held);
            if early.is_err() {
                let _ = sending.await.ok();
            }
        });
        let _ = joined.ok();
        eventually("all that was sent", async || {
            let mut messages = here.alice.messages(&here.room, 20).await;
            messages.reverse();
            let bodies: Vec<&str> = messages
                .iter()
                .filter_map(|event| event["content"]["body"].as_str())
                .collect();
            (bodies == ["welcome 0", "welcome 1", "welcome 2"]).then_some(())
        })
        .await;
        let sent = here.alice.send_text(&here.room, "thanks").await;
        let _ = has_event(&here.alice, &here.room, &sent).await;
    }
}

/// Who leaves while somebody else joins does not take them along.
#[tokio::test]
async fn one_leaves_while_another_joins() {
    let here = Hosting::of("11").await;
    let (alice, bob) = (&here.alice, &here.bob);
    let _ = here.join(alice).await.ok();
    // Nobody is left here who could let Bob in, so that he asks the stranger.
    for _ in 0..3 {
        let (_, joined) = tokio::join!(alice.leave(&here.room), here.join(bob));
        let _ = joined.ok();
        let sent = bob.send_text(&here.room, "anybody?").await;
        let _ = has_event(bob, &here.room, &sent).await;
        let member = |user: &str| {
            let (room, user) = (here.room.clone(), user.to_owned());
            async move { bob.state(&room, "m.room.member", &user).await["membership"].clone() }
        };
        assert_eq!(member(&alice.user_id).await, "leave");
        assert_eq!(member(&bob.user_id).await, "join");
        let (_, joined) = tokio::join!(bob.leave(&here.room), here.join(alice));
        let _ = joined.ok();
        let sent = alice.send_text(&here.room, "nobody.").await;
        let _ = has_event(alice, &here.room, &sent).await;
    }
}

/// Whose leave is not known here yet may come in again, and is in when the leave comes after that.
#[tokio::test]
async fn who_leaves_and_comes_back_at_once_is_in() {
    for version in ["10", "12"] {
        let mut meeting = Meeting::of(version).await;
        let mallory = meeting.mallory.clone();
        let content = json!({ "membership": "leave" });
        let (_, leave) = meeting.stranger.event(
            &mut meeting.joined,
            &mallory,
            "m.room.member",
            Some(&mallory),
            &content,
        );
        meeting.joined = meeting
            .stranger
            .join(&meeting.server, &meeting.room, &mallory)
            .await;
        let _ = meeting.send(vec![leave]).await;
        let (id, event) = meeting.text("I never left");
        let answer = meeting.send(vec![event]).await;
        assert_eq!(answer[&id], json!({}));
        let _ = has_event(&meeting.alice, &meeting.room, &id).await;
        let member = meeting
            .alice
            .state(&meeting.room, "m.room.member", &mallory)
            .await;
        assert_eq!(member["membership"], "join");
    }
}

/// A state that the auth rules do not allow, or that is none, is not believed because it comes with a join.
#[tokio::test]
async fn lies_about_the_state_of_a_room_are_not_believed() {
    let lies = [
        "nothing",
        "no create event",
        "a create event of another version",
        "a state of another room",
        "two states in one place",
        "no list",
        "power for who has none",
        "somebody of ours who never came",
        "a forged signature",
        "a message",
        "reasons left out",
    ];
    for lie in lies {
        let here = Hosting::of("11").await;
        let mallory = &here.mallory;
        let room = here.stranger.hosted(&here.room);
        let nina = here.stranger.user("nina");
        let mut state: Vec<Value> = room
            .state
            .values()
            .map(|(_, event)| event.clone())
            .collect();
        let mut chain = state.clone();
        let mut fork = room.clone();
        let mut made = |sender: &str, kind: &str, key: Option<&str>, content: &Value| {
            here.stranger.event(&mut fork, sender, kind, key, content).1
        };
        match lie {
            "nothing" => {
                state.clear();
                chain.clear();
            }
            "no create event" => {
                state.retain(|event| event["type"] != "m.room.create");
                chain.clone_from(&state);
            }
            "a create event of another version" | "a state of another room" => {
                let version = match lie {
                    "a state of another room" => "11",
                    _ => "10",
                };
                let other = here.stranger.create_room(version, mallory, json!({}));
                state = other
                    .state
                    .values()
                    .map(|(_, event)| event.clone())
                    .collect();
                chain.clone_from(&state);
            }
            "two states in one place" => {
                let topic = |n: u8| json!({ "topic": format!("the {n}th") });
                state.push(made(mallory, "m.room.topic", Some(""), &topic(1)));
                state.push(made(mallory, "m.room.topic", Some(""), &topic(2)));
            }
            "no list" => {}
            "power for who has none" => {
                let join = json!({ "membership": "join" });
                state.push(made(&nina, "m.room.member", Some(&nina), &join));
                chain.push(state.last().cloned().expect("just pushed"));
                let levels = json!({ "users": { &nina: 100 }, "events_default": 50 });
                state.retain(|event| event["type"] != "m.room.power_levels");
                state.push(made(&nina, "m.room.power_levels", Some(""), &levels));
            }
            "somebody of ours who never came" => {
                let join = json!({ "membership": "join" });
                let bob = &here.bob.user_id;
                state.push(made(bob, "m.room.member", Some(bob), &join));
            }
            "a forged signature" => {
                let mut topic = made(
                    mallory,
                    "m.room.topic",
                    Some(""),
                    &json!({ "topic": "real" }),
                );
                topic["content"]["topic"] = "forged".into();
                topic["signatures"] = json!({});
                state.push(topic);
            }
            "a message" => {
                let content = json!({ "msgtype": "m.text", "body": "no state" });
                state.push(made(mallory, "m.room.message", None, &content));
            }
            "reasons left out" => {
                let join = json!({ "membership": "join" });
                let _ = made(&nina, "m.room.member", Some(&nina), &join);
                let named = json!({ "membership": "join", "displayname": "Nina" });
                // What allows it is neither in the state nor in the chain.
                state.push(made(&nina, "m.room.member", Some(&nina), &named));
            }
            other => panic!("nobody wrote how to tell {other}"),
        }
        let mut answer = json!({ "origin": here.stranger.name, "members_omitted": false,
            "state": state, "auth_chain": chain });
        if lie == "no list" {
            answer["state"] = json!({ "a": 1 });
        }
        here.stranger.answer(SEND_JOIN, 200, answer);
        let joined = here.join(&here.alice).await;
        assert_ne!(joined.status, 500, "{lie}: {}", joined.json);
        if joined.status.is_success() {
            let now = state_of(&here.alice, &here.room).await;
            let member = |user: &str| now.iter().any(|[_, key, _]| key == user);
            assert!(!member(&here.bob.user_id), "{lie}: {now:?}");
            assert!(
                !member(&nina) || lie != "reasons left out",
                "{lie}: {now:?}"
            );
            let levels = format!("rooms/{}/state/m.room.power_levels/", encode(&here.room));
            let levels = here.alice.get(&levels).await.json;
            assert!(levels["users"][&nina].is_null(), "{lie}: {levels}");
            let topic = format!("rooms/{}/state/m.room.topic/", encode(&here.room));
            here.alice.get(&topic).await.refused(404, "M_NOT_FOUND");
            let sent = here.alice.send_text(&here.room, "hello").await;
            let _ = has_event(&here.alice, &here.room, &sent).await;
        }
        let believable = [
            "somebody of ours who never came",
            "a forged signature",
            "reasons left out",
        ];
        assert!(
            !joined.status.is_success()
                || believable.contains(&lie)
                || lie == "power for who has none",
            "{lie}"
        );
        // Nothing of it stands in the way of the truth.
        here.stranger.host(&room);
        here.stranger.tell_the_truth(SEND_JOIN);
        let _ = here.join(&here.bob).await.ok();
        let sent = here.bob.send_text(&here.room, "hello").await;
        let _ = has_event(&here.bob, &here.room, &sent).await;
    }
}

/// Who may come in because somebody of ours says so comes in when they do, not when another server says that they did.
#[tokio::test]
async fn nobody_lets_in_but_who_may() {
    let mut meeting = Meeting::new().await;
    let allowing = meeting
        .alice
        .create_room(json!({ "preset": "private_chat" }))
        .await;
    let rules = json!({ "join_rule": "restricted",
        "allow": [{ "type": "m.room_membership", "room_id": allowing }] });
    meeting.set_state("m.room.join_rules", "", rules).await;
    let room = &meeting.room;
    let mut levels = meeting.alice.state(room, "m.room.power_levels", "").await;
    levels["invite"] = 60.into();
    meeting.set_state("m.room.power_levels", "", levels).await;
    let bob = meeting.server.register("bob").await;
    let nina = meeting.stranger.user("nina");
    let path = format!(
        "/_matrix/federation/v1/make_join/{}/{}?ver=11",
        encode(&meeting.room),
        encode(&nina)
    );
    let answer = meeting
        .stranger
        .ask(&meeting.server, Method::GET, &path, None)
        .await;
    assert_eq!(answer.status, 403, "{}", answer.json);
    let alice = meeting.alice.user_id.clone();
    let mallory = meeting.mallory.clone();
    for by in [
        Some(&alice),
        Some(&mallory),
        Some(&bob.user_id),
        Some(&nina),
        None,
    ] {
        let mut content = json!({ "membership": "join" });
        if let Some(by) = by {
            content["join_authorised_via_users_server"] = json!(by);
        }
        let mut fork = meeting.joined.clone();
        let (id, join) =
            meeting
                .stranger
                .event(&mut fork, &nina, "m.room.member", Some(&nina), &content);
        let path = format!("{SEND_JOIN}{}/{}", encode(&meeting.room), encode(&id));
        let answer = meeting
            .stranger
            .ask(&meeting.server, Method::PUT, &path, Some(join.clone()))
            .await;
        assert!(answer.status.is_client_error(), "{by:?}: {}", answer.json);
        assert!(
            answer.json.get("event").is_none(),
            "{by:?}: {}",
            answer.json
        );
        let _ = meeting.send(vec![join]).await;
        let state = state_of(&meeting.alice, &meeting.room).await;
        assert!(!state.iter().any(|[_, key, _]| *key == nina), "{by:?}");
    }
}
