//! Rooms of many, which can be used as soon as somebody joined them, and whose members come to be known behind that.

use orvale_tests::{Client, Joined, Network, Server, Stranger, encode, eventually};
use reqwest::Method;
use serde_json::{Value, json};

use super::{World, agree, has_event, join_by, state_of};

/// How many users of the stranger are in its room.
const MANY: usize = 300;
/// What is asked for the whole state.
const STATE_IDS: &str = "/_matrix/federation/v1/state_ids/";

/// A stranger with a room of many, which it tells of without its members.
struct Crowd {
    server: Server,
    alice: Client,
    stranger: Stranger,
    room: Joined,
}

impl Crowd {
    async fn new(network: &Network) -> Self {
        let (server, stranger) = tokio::join!(network.orvale(), Stranger::start(network));
        let alice = server.register("alice").await;
        let mut room = stranger.create_room("11", &stranger.user("mallory"), json!({}));
        stranger.populate(&mut room, MANY);
        stranger.leave_members_out();
        stranger.host(&room);
        Self {
            server,
            alice,
            stranger,
            room,
        }
    }

    /// Alice joins; the stranger follows.
    async fn join(&mut self) {
        let via = encode(&self.stranger.name);
        let path = format!("join/{}?via={via}", encode(&self.room.room));
        let _ = self.alice.post(&path, json!({})).await.ok();
        self.room = self.stranger.hosted(&self.room.room);
    }

    /// Somebody of the stranger writes; the event's ID.
    async fn write(&mut self, n: usize, body: &str) -> String {
        let content = json!({ "msgtype": "m.text", "body": body });
        let user = self.stranger.user(&format!("u{n}"));
        let made = self
            .stranger
            .event(&mut self.room, &user, "m.room.message", None, &content);
        let sent = self.stranger.send(&self.server, vec![made.1], Vec::new());
        assert_eq!(sent.await.ok()["pdus"][&made.0], json!({}));
        made.0
    }

    /// How often the stranger was asked for the whole state.
    fn asked(&self) -> usize {
        let asked = self.stranger.asked();
        let asked = asked
            .iter()
            .filter(|asked| asked.path.starts_with(STATE_IDS));
        asked.count()
    }

    /// What a sync tells of the room.
    async fn sync(&self, lazy: bool, since: &str) -> (Value, String) {
        let filter = json!({ "room": { "state": { "lazy_load_members": lazy } } });
        let mut path = format!("sync?timeout=0&filter={}", encode(&filter.to_string()));
        if !since.is_empty() {
            path += &format!("&since={}", encode(since));
        }
        let sync = self.alice.get(&path).await.ok();
        let token = sync["next_batch"].as_str().expect("a token").to_owned();
        (sync["rooms"]["join"][&self.room.room].clone(), token)
    }

    /// All that a client can do in a room of which just this is known.
    async fn is_usable(&mut self, round: usize) {
        let room = self.room.room.clone();
        let sent = self.alice.send_text(&room, &format!("hello {round}")).await;
        let heard = eventually("the stranger to hear it", async || {
            let told = self.stranger.told("pdus");
            let id = |event: &Value| self.stranger.id_of(&self.room, event);
            told.into_iter()
                .find(|event| event["room_id"] == room && id(event) == sent)
        })
        .await;
        self.stranger.follow(&mut self.room, &heard);
        let answer = self.write(round, &format!("welcome {round}")).await;
        let _ = has_event(&self.alice, &room, &answer).await;
        let writer = self.stranger.user(&format!("u{round}"));
        let (told, _) = self.sync(true, "").await;
        let last = told["timeline"]["events"]
            .as_array()
            .and_then(|events| events.last());
        assert_eq!(last.expect("events")["event_id"], *answer, "{told}");
        let state = told["state"]["events"].as_array().expect("state");
        let knows = |kind: &str, key: &str| {
            let is = |event: &&Value| event["type"] == kind && event["state_key"] == key;
            state.iter().any(|event| is(&event))
        };
        assert!(
            knows("m.room.create", "") && knows("m.room.member", &writer),
            "{told}"
        );
    }

    /// Waits until all members are known.
    async fn is_whole(&self) {
        let expected = self.room.state.len();
        let state = eventually("the whole state", async || {
            let path = format!("rooms/{}/state", encode(&self.room.room));
            let answer = self.alice.get(&path).await;
            answer.status.is_success().then_some(answer.json)
        })
        .await;
        assert_eq!(state.as_array().map(Vec::len), Some(expected));
    }
}

#[tokio::test]
async fn a_room_of_many_is_usable_at_once_and_whole_behind_that_whatever_is_killed() {
    let network = Network::new();
    let mut crowd = Crowd::new(&network).await;
    let held = crowd.stranger.hold(STATE_IDS);
    crowd.join().await;
    crowd.is_usable(1).await;
    // Who wants all members is told of the room when they are known.
    let (told, before) = crowd.sync(false, "").await;
    assert!(told.is_null(), "{told}");
    let list = json!({ "ranges": [[0, 9]], "timeline_limit": 3,
        "required_state": [["m.room.create", ""], ["m.room.member", "$LAZY"]] });
    let sliding = crowd
        .alice
        .post(
            "/_matrix/client/unstable/org.matrix.simplified_msc3575/sync",
            json!({ "lists": { "all": list } }),
        )
        .await
        .ok();
    let shown = &sliding["rooms"][&crowd.room.room];
    assert_eq!(
        shown["timeline"].as_array().map(Vec::len),
        Some(3),
        "{sliding}"
    );

    // Killed while it waits for the state, it asks again.
    eventually("the state to be asked for", async || {
        (crowd.asked() > 0).then_some(())
    })
    .await;
    let asked = crowd.asked();
    crowd.server.kill();
    crowd.server.start_again().await;
    crowd.is_usable(2).await;
    eventually("the state to be asked for", async || {
        (crowd.asked() > asked).then_some(())
    })
    .await;
    let (told, lazily) = crowd.sync(true, "").await;
    assert!(!told.is_null());

    // Who asks for the members waits for them.
    let path = format!("rooms/{}/joined_members", encode(&crowd.room.room));
    let (members, ()) = tokio::join!(crowd.alice.get(&path), async { drop(held) });
    let members = members.ok();
    assert_eq!(
        members["joined"].as_object().map(serde_json::Map::len),
        Some(MANY + 2)
    );
    crowd.is_whole().await;
    let (told, _) = crowd.sync(false, &before).await;
    let told: Vec<&Value> = ["state", "timeline"]
        .into_iter()
        .flat_map(|part| told[part]["events"].as_array().expect("events"))
        .filter(|event| event["type"] == "m.room.member")
        .collect();
    assert_eq!(told.len(), MANY + 2);
    let (told, _) = crowd.sync(true, &lazily).await;
    assert_eq!(told["summary"]["m.joined_member_count"], MANY + 2, "{told}");
    let few = told["state"]["events"].as_array().expect("state").len();
    assert!(few < 20, "{told}");
    crowd.is_usable(3).await;
    // What was before the join is there, too.
    let messages = crowd.alice.messages(&crowd.room.room, 100).await;
    assert!(messages.len() > 50, "{}", messages.len());
}

/// Whose devices are known is no secret of who is there: once all are known, clients look at their devices.
#[tokio::test]
async fn devices_of_those_who_come_to_be_known_are_looked_at() {
    let network = Network::new();
    let mut crowd = Crowd::new(&network).await;
    let mallory = crowd.stranger.user("mallory");
    let encrypted = json!({ "algorithm": "m.megolm.v1.aes-sha2" });
    let (stranger, room) = (&crowd.stranger, &mut crowd.room);
    let _ = stranger.event(room, &mallory, "m.room.encryption", Some(""), &encrypted);
    crowd.stranger.host(&crowd.room);
    let held = crowd.stranger.hold(STATE_IDS);
    crowd.join().await;
    let sync = crowd.alice.get("sync?timeout=0").await.ok();
    let since = sync["next_batch"].as_str().expect("a token").to_owned();
    drop(held);
    crowd.is_whole().await;
    let path = format!("sync?timeout=0&since={}", encode(&since));
    let sync = crowd.alice.get(&path).await.ok();
    let changed = sync["device_lists"]["changed"].as_array().expect("users");
    for n in [0, 17, MANY - 1] {
        assert!(
            changed.contains(&json!(crowd.stranger.user(&format!("u{n}")))),
            "{n}"
        );
    }
}

#[tokio::test]
async fn a_state_that_leaves_somebody_out_or_says_otherwise_is_not_believed() {
    let network = Network::new();
    // Another server is there too, and knows all.
    let (mut crowd, honest) = with_two(&network).await;
    let ids: Vec<String> = crowd.room.state_ids();
    let few: Vec<&String> = ids.iter().take(5).collect();
    let lie = json!({ "pdu_ids": few, "auth_chain_ids": ids });
    crowd.stranger.answer(STATE_IDS, 200, lie);
    let held = crowd.stranger.hold(STATE_IDS);
    crowd.join().await;
    honest.take_over(&crowd.stranger);
    drop(held);
    crowd.is_whole().await;
    assert!(crowd.asked() > 0, "the one that let us in is asked first");
    assert!(crowd.server.log().contains("cannot be right"));
    crowd.is_usable(1).await;
}

/// A room of many in which a second server is, too.
async fn with_two(network: &Network) -> (Crowd, Stranger) {
    let mut crowd = Crowd::new(network).await;
    let second = Stranger::start(network).await;
    let nina = second.user("nina");
    let join = json!({ "membership": "join" });
    let mut known = crowd.room.clone();
    let (_, came) = second.event(&mut known, &nina, "m.room.member", Some(&nina), &join);
    crowd.stranger.follow(&mut crowd.room, &came);
    crowd.stranger.host(&crowd.room);
    (crowd, second)
}

#[tokio::test]
async fn what_one_server_left_undone_another_does_after_a_kill() {
    let network = Network::new();
    let (mut crowd, second) = with_two(&network).await;
    let held = crowd.stranger.hold(STATE_IDS);
    crowd.join().await;
    second.take_over(&crowd.stranger);
    // Who was there is told what is said, though none of their users is known yet.
    let sent = crowd.alice.send_text(&crowd.room.room, "hello").await;
    eventually("the second server to hear it", async || {
        let told = second.told("pdus");
        let id = |event: &Value| second.id_of(&crowd.room, event);
        told.iter()
            .any(|event| event["room_id"] == *crowd.room.room && id(event) == sent)
            .then_some(())
    })
    .await;
    // Nobody is let in by who cannot say whether they may, and nobody is given a state that is none.
    let room = encode(&crowd.room.room);
    let otto = encode(&second.user("otto"));
    let ask = async |path: &str| {
        let path = format!("/_matrix/federation/v1/{path}");
        second.ask(&crowd.server, Method::GET, &path, None).await
    };
    let answer = ask(&format!("make_join/{room}/{otto}?ver=11")).await;
    answer.refused(404, "M_NOT_FOUND");
    let answer = ask(&format!("state_ids/{room}?event_id={}", encode(&sent))).await;
    answer.refused(404, "M_UNABLE_DUE_TO_PARTIAL_STATE");

    crowd.server.kill();
    let gone = json!({ "errcode": "M_NOT_FOUND", "error": "not here any more" });
    crowd.stranger.answer("/_matrix/federation/", 404, gone);
    drop(held);
    crowd.server.start_again().await;
    crowd.is_whole().await;
    let asked = second.asked();
    assert!(
        asked.iter().any(|asked| asked.path.starts_with(STATE_IDS)),
        "the second server gave the state"
    );
    let answer = ask(&format!("make_join/{room}/{otto}?ver=11")).await;
    let _ = answer.ok();
}

#[tokio::test]
async fn a_room_that_is_left_is_asked_about_no_more() {
    let network = Network::new();
    let mut crowd = Crowd::new(&network).await;
    let held = crowd.stranger.hold(STATE_IDS);
    crowd.join().await;
    eventually("the state to be asked for", async || {
        (crowd.asked() > 0).then_some(())
    })
    .await;
    crowd.alice.leave(&crowd.room.room).await;
    let asked = crowd.asked();
    crowd.server.kill();
    drop(held);
    crowd.server.start_again().await;
    // Another room of the same server, entered later, is whole: whoever was to ask for the first did so before.
    let mut other = crowd
        .stranger
        .create_room("11", &crowd.stranger.user("mallory"), json!({}));
    crowd.stranger.populate(&mut other, 30);
    crowd.stranger.host(&other);
    crowd.room = other;
    crowd.join().await;
    crowd.is_whole().await;
    assert_eq!(
        crowd.asked(),
        asked + 1,
        "it asked about the second room alone"
    );
}

/// Where a server that is asked first does not let anybody in, or lies, the next one does.
#[tokio::test]
async fn a_join_goes_on_to_the_next_server() {
    let network = Network::new();
    let mut crowd = Crowd::new(&network).await;
    let (silent, liar) = tokio::join!(Stranger::start(&network), Stranger::start(&network));
    liar.host(&crowd.room);
    let nothing = json!({ "state": [], "auth_chain": [], "members_omitted": true });
    liar.answer("/_matrix/federation/v2/send_join/", 200, nothing);
    let via: Vec<String> = [&silent, &liar, &crowd.stranger]
        .into_iter()
        .map(|server| format!("via={}", encode(&server.name)))
        .collect();
    let path = format!("join/{}?{}", encode(&crowd.room.room), via.join("&"));
    let _ = crowd.alice.post(&path, json!({})).await.ok();
    crowd.room = crowd.stranger.hosted(&crowd.room.room);
    crowd.is_usable(1).await;
    crowd.is_whole().await;
}

#[tokio::test]
async fn orvale_and_synapse_join_rooms_of_each_other_without_waiting_for_all_members() {
    let world = World::of("partial").await;
    let Some(carol) = &world.carol else {
        return;
    };
    // Of all whom the room knows of, also of those who were never there.
    for (host, others) in [
        (&world.alice, [&world.bob, carol]),
        (carol, [&world.alice, &world.bob]),
    ] {
        let content = json!({ "preset": "public_chat", "name": "Many" });
        let room = host.create_room(content).await;
        for n in 0..25 {
            let path = format!("rooms/{}/ban", encode(&room));
            let ghost = format!("@ghost{n}:nowhere.example");
            let _ = host.post(&path, json!({ "user_id": ghost })).await.ok();
        }
        for other in others {
            join_by(other, &room, host.server()).await;
            let sent = other.send_text(&room, "here I am").await;
            let _ = has_event(host, &room, &sent).await;
            let sent = host.send_text(&room, "welcome").await;
            let _ = has_event(other, &room, &sent).await;
            // They were told few of the members at first, and asked for the others.
            let done = match std::ptr::eq(other, carol) {
                true => format!("State resync complete for {room}"),
                false => "all members of a room are known".to_owned(),
            };
            eventually(&done, async || {
                other.server().log().contains(&done).then_some(())
            })
            .await;
        }
        agree(&[&world.alice, &world.bob, carol], &room).await;
        let state = state_of(&world.alice, &room).await;
        let members = state.iter().filter(|[kind, ..]| kind == "m.room.member");
        assert_eq!(members.count(), 28);
    }
}
