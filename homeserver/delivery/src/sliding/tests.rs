//! What sliding sync tells, case by case.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use orvale_rooms::Room;
use ruma::{
    DeviceId, OwnedRoomId, OwnedUserId, UserId,
    api::client::sync::sync_events::v5::response,
    events::receipt::{ReceiptThread, ReceiptType},
};
use serde_json::{Value, json};

use crate::{
    Config, Error,
    testing::{TestServer, member, state},
};

/// A client over one connection.
pub(super) struct Slider<'a> {
    server: &'a TestServer,
    user_id: OwnedUserId,
    pub(super) device: String,
    pub(super) pos: Option<String>,
    pub(super) body: Value,
}

impl<'a> Slider<'a> {
    pub(super) fn new(server: &'a TestServer, user_id: &UserId, body: Value) -> Self {
        Self {
            server,
            user_id: user_id.to_owned(),
            device: "DEVICE".to_owned(),
            pos: None,
            body,
        }
    }

    pub(super) async fn ask(&self, timeout: u64) -> Result<Value, Error> {
        let query = json!({"pos": self.pos, "timeout": timeout, "set_presence": "offline"});
        let device: &DeviceId = self.device.as_str().into();
        let answer = self.server.delivery.sliding_sync(
            &self.user_id,
            device,
            serde_json::from_value(query).expect("a query"),
            serde_json::from_value(self.body.clone()).expect("a body"),
        );
        let answer = serde_json::from_slice(&answer.await?).expect("JSON");
        readable(&answer);
        Ok(answer)
    }

    /// Syncs without waiting, and goes on from there.
    pub(super) async fn sync(&mut self) -> Value {
        self.wait(0).await
    }

    /// Syncs with this timeout in milliseconds, and goes on from there.
    async fn wait(&mut self, timeout: u64) -> Value {
        let answer = self.ask(timeout).await.expect("an answer");
        self.pos = Some(answer["pos"].as_str().expect("a token").to_owned());
        answer
    }
}

/// Whether clients that read by ruma's types can read an answer.
fn readable(answer: &Value) {
    fn read<T: serde::de::DeserializeOwned>(value: &Value) {
        if let Err(error) = serde_json::from_value::<T>(value.clone()) {
            panic!("{error}: {value}");
        }
    }
    read::<BTreeMap<OwnedRoomId, response::Room>>(&answer["rooms"]);
    read::<BTreeMap<String, response::List>>(&answer["lists"]);
    read::<response::Extensions>(&answer["extensions"]);
}

fn window(end: u64, limit: u64) -> Value {
    json!({"lists": {"all": {"ranges": [[0, end]], "timeline_limit": limit, "required_state": [["m.room.create", ""]]}}})
}

fn rooms(answer: &Value) -> Vec<String> {
    let rooms = answer["rooms"].as_object().expect("rooms");
    // In the order of the answer or of their names: that depends on what else is built.
    let rooms: std::collections::BTreeSet<_> = rooms.keys().cloned().collect();
    rooms.into_iter().collect()
}

fn bodies(answer: &Value, room: &Room) -> Vec<String> {
    let events = answer["rooms"][room.id.as_str()]["timeline"].as_array();
    let body = |event: &Value| {
        let body = event["content"]["body"].as_str();
        body.or(event["type"].as_str())
            .unwrap_or_default()
            .to_owned()
    };
    events.into_iter().flatten().map(body).collect()
}

fn required(answer: &Value, room: &Room) -> Vec<(String, String)> {
    let events = answer["rooms"][room.id.as_str()]["required_state"].as_array();
    let place = |event: &Value| {
        let text = |key: &str| event[key].as_str().unwrap().to_owned();
        (text("type"), text("state_key"))
    };
    events.into_iter().flatten().map(place).collect()
}

/// Alice and as many rooms of hers.
async fn setting(count: usize) -> (TestServer, OwnedUserId, Vec<Arc<Room>>) {
    let server = TestServer::start();
    let alice = server.user("alice").await;
    let mut rooms = Vec::new();
    for _ in 0..count {
        rooms.push(server.room(&alice).await);
    }
    (server, alice, rooms)
}

#[tokio::test]
async fn a_window_holds_the_rooms_with_the_latest_events() {
    let (server, alice, made) = setting(5).await;
    let mut client = Slider::new(&server, &alice, window(1, 1));
    let first = client.sync().await;
    assert_eq!(first["lists"]["all"]["count"], 5);
    let mut expected = vec![made[3].id.to_string(), made[4].id.to_string()];
    expected.sort();
    assert_eq!(rooms(&first), expected);
    let room = &first["rooms"][made[4].id.as_str()];
    assert_eq!(room["initial"], true);
    assert_eq!(room["limited"], true);
    assert_eq!(room["membership"], "join");
    assert_eq!(room["joined_count"], 1);
    assert_eq!(room["lists"], json!(["all"]));
    assert_eq!(
        required(&first, &made[4]),
        [("m.room.create".to_owned(), String::new())]
    );
    // Nothing new.
    assert!(rooms(&client.sync().await).is_empty());
    // A room outside the window comes into it.
    server.send(&made[0], &alice, "up").await;
    let next = client.sync().await;
    assert_eq!(rooms(&next), [made[0].id.to_string()]);
    assert_eq!(next["rooms"][made[0].id.as_str()]["initial"], true);
    assert_eq!(bodies(&next, &made[0]), ["up"]);
    assert_eq!(next["rooms"][made[0].id.as_str()]["num_live"], 1);
    // It is known now: only what is new.
    server.send(&made[0], &alice, "again").await;
    let next = client.sync().await;
    let room = &next["rooms"][made[0].id.as_str()];
    assert_eq!(bodies(&next, &made[0]), ["again"]);
    assert!(
        room.get("initial").is_none()
            && room.get("limited").is_none()
            && room.get("name").is_none()
    );
    // A wider window.
    client.body = window(9, 1);
    assert_eq!(rooms(&client.sync().await).len(), 2);
}

#[tokio::test]
async fn a_lost_answer_is_made_up_for() {
    let (server, alice, made) = setting(1).await;
    let mut client = Slider::new(&server, &alice, window(9, 5));
    client.sync().await;
    server.send(&made[0], &alice, "one").await;
    let lost = client.ask(0).await.unwrap();
    assert_eq!(bodies(&lost, &made[0]), ["one"]);
    server.send(&made[0], &alice, "two").await;
    let again = client.sync().await;
    assert_eq!(bodies(&again, &made[0]), ["one", "two"]);
    assert_ne!(lost["pos"], again["pos"]);
    assert!(rooms(&client.sync().await).is_empty());
    client.pos = Some(lost["pos"].as_str().unwrap().to_owned());
    assert!(matches!(client.ask(0).await, Err(Error::UnknownPos)));
}

#[tokio::test]
async fn a_forgotten_connection_starts_anew() {
    let (mut server, alice, made) = setting(1).await;
    let pos = {
        let mut client = Slider::new(&server, &alice, window(9, 5));
        client.sync().await;
        client.pos
    };
    server.restart();
    let mut client = Slider::new(&server, &alice, window(9, 5));
    client.pos = pos;
    assert!(matches!(client.ask(0).await, Err(Error::UnknownPos)));
    client.pos = None;
    assert_eq!(rooms(&client.sync().await), [made[0].id.to_string()]);
}

#[tokio::test]
async fn connections_know_nothing_of_each_other() {
    let (server, alice, made) = setting(1).await;
    let named = |name: &str| {
        let mut body = window(9, 5);
        body["conn_id"] = name.into();
        Slider::new(&server, &alice, body)
    };
    let (mut one, mut other) = (named("one"), named("other"));
    one.sync().await;
    other.sync().await;
    server.send(&made[0], &alice, "hi").await;
    assert_eq!(bodies(&one.sync().await, &made[0]), ["hi"]);
    assert_eq!(bodies(&other.sync().await, &made[0]), ["hi"]);
    std::mem::swap(&mut one.pos, &mut other.pos);
    assert!(matches!(one.ask(0).await, Err(Error::UnknownPos)));
}

#[tokio::test]
async fn a_waiting_client_is_told_at_once() {
    let (server, alice, made) = setting(2).await;
    let mut client = Slider::new(&server, &alice, window(0, 5));
    client.sync().await;
    let waiting = client.wait(60_000);
    let sending = async {
        tokio::task::yield_now().await;
        server.send(&made[1], &alice, "news").await;
    };
    let (answer, ()) = tokio::join!(waiting, sending);
    assert_eq!(bodies(&answer, &made[1]), ["news"]);
    // What is asked for anew is answered at once, news or not.
    client.body["room_subscriptions"] = json!({made[1].id.as_str(): {"timeline_limit": 1}});
    assert!(rooms(&client.wait(60_000).await).is_empty());
}

#[tokio::test]
async fn a_greater_limit_brings_older_events() {
    let (server, alice, made) = setting(1).await;
    for n in 0..5 {
        server.send(&made[0], &alice, &n.to_string()).await;
    }
    let mut client = Slider::new(&server, &alice, window(9, 1));
    assert_eq!(bodies(&client.sync().await, &made[0]), ["4"]);
    let config = json!({"timeline_limit": 3, "required_state": [["m.room.power_levels", ""]]});
    client.body["room_subscriptions"] = json!({made[0].id.as_str(): config});
    let grown = client.sync().await;
    assert_eq!(bodies(&grown, &made[0]), ["2", "3", "4"]);
    let room = &grown["rooms"][made[0].id.as_str()];
    assert_eq!(room["unstable_expanded_timeline"], true);
    assert!(room.get("initial").is_none());
    assert_eq!(room["num_live"], 0);
    // Of the state, what was not told.
    assert_eq!(
        required(&grown, &made[0]),
        [("m.room.power_levels".to_owned(), String::new())]
    );
    // Back and forth: nothing is missing, nothing comes again.
    client.body = window(9, 1);
    assert!(rooms(&client.sync().await).is_empty());
    server.send(&made[0], &alice, "5").await;
    assert_eq!(bodies(&client.sync().await, &made[0]), ["5"]);
}

#[tokio::test]
async fn a_gap_is_told() {
    let (server, alice, made) = setting(1).await;
    let mut client = Slider::new(&server, &alice, window(9, 2));
    client.sync().await;
    for n in 0..4 {
        server.send(&made[0], &alice, &n.to_string()).await;
    }
    let answer = client.sync().await;
    let room = &answer["rooms"][made[0].id.as_str()];
    assert_eq!(bodies(&answer, &made[0]), ["2", "3"]);
    assert_eq!(room["limited"], true);
    assert!(room["prev_batch"].as_str().unwrap().starts_with('t'));
    assert_eq!(room["num_live"], 2);
}

#[tokio::test]
async fn members_come_with_what_they_write() {
    let (server, alice, made) = setting(1).await;
    let (bob, carol) = (server.user("bob").await, server.user("carol").await);
    server.join(&made[0], &bob).await;
    server.join(&made[0], &carol).await;
    server.send(&made[0], &bob, "hi").await;
    let list = json!({
        "ranges": [[0, 9]], "timeline_limit": 1,
        "required_state": [["m.room.member", "$LAZY"], ["m.room.member", "$ME"]],
    });
    let mut client = Slider::new(&server, &alice, json!({"lists": {"all": list}}));
    let of = |users: &[&OwnedUserId]| -> Vec<(String, String)> {
        let place = |user: &&OwnedUserId| ("m.room.member".to_owned(), user.to_string());
        users.iter().map(place).collect()
    };
    assert_eq!(
        required(&client.sync().await, &made[0]),
        of(&[&alice, &bob])
    );
    server.send(&made[0], &bob, "again").await;
    assert!(required(&client.sync().await, &made[0]).is_empty());
    server.send(&made[0], &carol, "me too").await;
    let lost = client.ask(0).await.unwrap();
    assert_eq!(required(&lost, &made[0]), of(&[&carol]));
    server.send(&made[0], &bob, "and I").await;
    server.send(&made[0], &carol, "and I").await;
    assert_eq!(required(&client.sync().await, &made[0]), of(&[&carol]));
    // A change of somebody's who wrote nothing is told, where nothing is left out.
    server.did(&made[0], member(&bob, &bob, "leave")).await;
    assert_eq!(required(&client.sync().await, &made[0]), of(&[&bob]));
}

#[tokio::test]
async fn invites_come_as_they_are_and_become_rooms() {
    let (server, alice, made) = setting(1).await;
    let bob = server.user("bob").await;
    let named = state(&alice, "m.room.name", "", &json!({"name": "Here"}));
    server.did(&made[0], named).await;
    server.did(&made[0], member(&alice, &bob, "invite")).await;
    let mut client = Slider::new(&server, &bob, window(9, 5));
    let answer = client.sync().await;
    let room = &answer["rooms"][made[0].id.as_str()];
    assert_eq!(
        (&room["initial"], &room["membership"]),
        (&json!(true), &json!("invite"))
    );
    let stripped = room["invite_state"].as_array().unwrap();
    assert!(
        stripped
            .iter()
            .any(|event| event["content"]["name"] == "Here")
    );
    assert!(stripped.iter().all(|event| event.get("event_id").is_none()));
    assert!(room.get("timeline").is_none() && room.get("required_state").is_none());
    assert!(rooms(&client.sync().await).is_empty());
    server.join(&made[0], &bob).await;
    let answer = client.sync().await;
    let room = &answer["rooms"][made[0].id.as_str()];
    assert_eq!(
        (&room["initial"], &room["membership"]),
        (&json!(true), &json!("join"))
    );
    assert_eq!(room["name"], "Here");
    assert!(room.get("invite_state").is_none());
}

#[tokio::test]
async fn who_leaves_is_told_so_once_and_who_is_made_to_keeps_the_room_in_the_list() {
    let (server, alice, made) = setting(2).await;
    let bob = server.user("bob").await;
    for room in &made {
        server.join(room, &bob).await;
    }
    let mut client = Slider::new(&server, &bob, window(9, 5));
    assert_eq!(client.sync().await["lists"]["all"]["count"], 2);
    server.did(&made[0], member(&bob, &bob, "leave")).await;
    server.did(&made[1], member(&alice, &bob, "leave")).await;
    server.send(&made[0], &alice, "unseen").await;
    let answer = client.sync().await;
    assert_eq!(answer["lists"]["all"]["count"], 1);
    for room in &made {
        assert_eq!(answer["rooms"][room.id.as_str()]["membership"], "leave");
        assert_eq!(bodies(&answer, room), ["m.room.member"]);
        let own = ("m.room.member".to_owned(), bob.to_string());
        assert_eq!(required(&answer, room), [own]);
    }
    assert!(rooms(&client.sync().await).is_empty());
    // A new connection hears of the room that Bob did not leave himself.
    let mut other = Slider::new(&server, &bob, window(9, 5));
    other.device = "OTHER".to_owned();
    assert_eq!(rooms(&other.sync().await), [made[1].id.to_string()]);
}

#[tokio::test]
async fn who_leaves_and_forgets_at_once_is_told_too() {
    let (server, alice, made) = setting(2).await;
    let bob = server.user("bob").await;
    for room in &made {
        server.join(room, &bob).await;
    }
    let mut client = Slider::new(&server, &bob, window(9, 5));
    client.sync().await;
    server.did(&made[0], member(&bob, &bob, "leave")).await;
    server.rooms.forget(&bob, &made[0]).await.unwrap();
    let lost = client.ask(0).await.unwrap();
    let answer = client.sync().await;
    for answer in [lost, answer] {
        assert_eq!(answer["lists"]["all"]["count"], 1);
        assert_eq!(answer["rooms"][made[0].id.as_str()]["membership"], "leave");
    }
    assert!(rooms(&client.sync().await).is_empty());
    server.send(&made[1], &alice, "still here").await;
    assert_eq!(rooms(&client.sync().await), [made[1].id.to_string()]);
}

#[tokio::test]
async fn who_comes_back_is_told_the_members_again() {
    let (server, alice, made) = setting(1).await;
    let bob = server.user("bob").await;
    server.join(&made[0], &bob).await;
    let mut body = window(9, 1);
    body["lists"]["all"]["required_state"] = json!([["m.room.member", "$LAZY"]]);
    let mut client = Slider::new(&server, &bob, body);
    let alice_is_told = |answer: &Value| {
        let place = ("m.room.member".to_owned(), alice.to_string());
        required(answer, &made[0]).contains(&place)
    };
    server.send(&made[0], &alice, "welcome").await;
    assert!(alice_is_told(&client.sync().await));
    server.did(&made[0], member(&bob, &bob, "leave")).await;
    client.sync().await;
    server.join(&made[0], &bob).await;
    server.send(&made[0], &alice, "again").await;
    assert!(alice_is_told(&client.sync().await));
}

#[tokio::test]
async fn filters_take_what_they_say() {
    let (server, alice, made) = setting(4).await;
    let bob = server.user("bob").await;
    let space = {
        let drafts = vec![
            state(
                &alice,
                "m.room.create",
                "",
                &json!({"room_version": "12", "type": "m.space"}),
            ),
            member(&alice, &alice, "join"),
            state(
                &alice,
                "m.space.child",
                made[1].id.as_str(),
                &json!({"via": ["orvale.test"]}),
            ),
            state(&alice, "m.space.child", made[2].id.as_str(), &json!({})),
        ];
        server
            .rooms
            .append_new(ruma::RoomVersionId::V12, drafts)
            .await
            .unwrap()
    };
    let asked_in = server.room(&bob).await;
    server.did(&asked_in, member(&bob, &alice, "invite")).await;
    let encryption = json!({"algorithm": "m.megolm.v1.aes-sha2"});
    server
        .did(
            &made[0],
            state(&alice, "m.room.encryption", "", &encryption),
        )
        .await;
    let direct = json!({bob.as_str(): [made[3].id.as_str(), "nonsense", 7]}).to_string();
    server
        .users
        .set_account_data(&alice, None, "m.direct", &direct)
        .await
        .unwrap();
    let tag = json!({"tags": {"m.favourite": {}}}).to_string();
    server
        .users
        .set_account_data(&alice, Some(made[2].number), "m.tag", &tag)
        .await
        .unwrap();
    let cases = [
        (json!({}), vec![0, 1, 2, 3, 4, 5]),
        (json!({"is_dm": true}), vec![3]),
        (
            json!({"is_dm": false, "is_invite": false}),
            vec![0, 1, 2, 4],
        ),
        (json!({"is_encrypted": true}), vec![0]),
        (
            json!({"is_encrypted": false, "is_invited": false}),
            vec![1, 2, 3, 4],
        ),
        (json!({"is_invite": true}), vec![5]),
        (json!({"room_types": ["m.space"]}), vec![4]),
        (
            json!({"room_types": [null, "m.space"], "not_room_types": [null]}),
            vec![4],
        ),
        (json!({"not_room_types": ["m.space"]}), vec![0, 1, 2, 3, 5]),
        (json!({"tags": ["m.favourite"]}), vec![2]),
        (
            json!({"not_tags": ["m.favourite"], "is_invite": false}),
            vec![0, 1, 3, 4],
        ),
        (json!({"spaces": [space.id.as_str()]}), vec![1]),
        (json!({"spaces": ["!none:orvale.test"]}), vec![]),
    ];
    let mut all: Vec<_> = made.clone();
    all.extend([space.clone(), asked_in]);
    for (filters, expected) in cases {
        let mut body = window(9, 1);
        body["lists"]["all"]["filters"] = filters.clone();
        let answer = Slider::new(&server, &alice, body).sync().await;
        let mut expected: Vec<_> = expected
            .iter()
            .map(|n: &usize| all[*n].id.to_string())
            .collect();
        expected.sort();
        assert_eq!(rooms(&answer), expected, "{filters}");
        assert_eq!(answer["lists"]["all"]["count"], expected.len(), "{filters}");
    }
    // What changes what a filter takes changes the list.
    let mut body = window(9, 1);
    body["lists"]["all"]["filters"] = json!({"is_dm": true});
    body["lists"]["tagged"] =
        json!({"ranges": [[0, 9]], "timeline_limit": 1, "filters": {"tags": ["m.lowpriority"]}});
    body["lists"]["inside"] = json!({"ranges": [[0, 9]], "timeline_limit": 1, "filters": {"spaces": [space.id.as_str()]}});
    let mut client = Slider::new(&server, &alice, body);
    client.sync().await;
    let direct = json!({bob.as_str(): [made[0].id.as_str()]}).to_string();
    server
        .users
        .set_account_data(&alice, None, "m.direct", &direct)
        .await
        .unwrap();
    let answer = client.sync().await;
    assert_eq!(rooms(&answer), [made[0].id.to_string()]);
    assert_eq!(answer["rooms"][made[0].id.as_str()]["is_dm"], true);
    let tag = json!({"tags": {"m.lowpriority": {}}}).to_string();
    server
        .users
        .set_account_data(&alice, Some(made[3].number), "m.tag", &tag)
        .await
        .unwrap();
    let answer = client.sync().await;
    assert_eq!(answer["lists"]["tagged"]["count"], 1);
    let child = state(
        &alice,
        "m.space.child",
        made[2].id.as_str(),
        &json!({"via": ["orvale.test"]}),
    );
    server.did(&space, child).await;
    let answer = client.sync().await;
    assert_eq!(answer["lists"]["inside"]["count"], 2);
    assert_eq!(rooms(&answer), [made[2].id.to_string()]);
}

#[tokio::test]
async fn counts_move_with_the_users_own_receipt() {
    let (server, alice, made) = setting(1).await;
    let bob = server.user("bob").await;
    server.join(&made[0], &bob).await;
    let mut body = window(9, 5);
    body["extensions"] = json!({"receipts": {"enabled": true}});
    let mut client = Slider::new(&server, &bob, body);
    client.sync().await;
    let sent = server.send(&made[0], &alice, "hi").await;
    let answer = client.sync().await;
    assert_eq!(
        answer["rooms"][made[0].id.as_str()]["notification_count"],
        1
    );
    // Somebody else's receipt is told, and no more than that.
    let read = |user: OwnedUserId| {
        let (room, event) = (made[0].clone(), sent.event_id().to_owned());
        let rooms = server.rooms.clone();
        async move {
            let thread = ReceiptThread::Unthreaded;
            let done = rooms.set_receipt(&user, &room.id, ReceiptType::Read, &event, &thread);
            done.await.unwrap();
        }
    };
    read(alice.clone()).await;
    let answer = client.sync().await;
    assert!(rooms(&answer).is_empty());
    let receipts = &answer["extensions"]["receipts"]["rooms"][made[0].id.as_str()];
    assert_eq!(receipts["type"], "m.receipt");
    assert!(receipts["content"][sent.event_id().as_str()]["m.read"][alice.as_str()].is_object());
    read(bob.clone()).await;
    let answer = client.sync().await;
    assert_eq!(
        answer["rooms"][made[0].id.as_str()]["notification_count"],
        0
    );
    assert!(client.sync().await["extensions"].get("receipts").is_none());
}

#[tokio::test]
async fn extensions_enabled_later_bring_what_there_is() {
    let (server, alice, made) = setting(2).await;
    server
        .users
        .set_account_data(&alice, None, "x.global", "{}")
        .await
        .unwrap();
    server
        .users
        .set_account_data(&alice, Some(made[0].number), "x.room", "{\"a\":1}")
        .await
        .unwrap();
    let mut client = Slider::new(&server, &alice, window(9, 5));
    assert_eq!(client.sync().await["extensions"], json!({}));
    client.body["extensions"] =
        json!({"account_data": {"enabled": true}, "typing": {"enabled": true}});
    let answer = client.sync().await;
    let data = &answer["extensions"]["account_data"];
    let kinds: Vec<_> = data["global"]
        .as_array()
        .unwrap()
        .iter()
        .map(|event| event["type"].clone())
        .collect();
    assert!(kinds.contains(&json!("x.global")) && kinds.contains(&json!("m.push_rules")));
    assert_eq!(data["rooms"][made[0].id.as_str()][0]["content"]["a"], 1);
    assert!(rooms(&answer).is_empty());
    assert!(
        client.sync().await["extensions"]
            .get("account_data")
            .is_none()
    );
    server
        .users
        .set_account_data(&alice, Some(made[1].number), "x.room", "{}")
        .await
        .unwrap();
    let answer = client.sync().await;
    let data = &answer["extensions"]["account_data"];
    assert_eq!(data["rooms"].as_object().unwrap().len(), 1);
    assert_eq!(data["global"], json!([]));
    server
        .rooms
        .set_typing(&alice, &made[1].id, Some(Duration::from_secs(20)))
        .unwrap();
    let answer = client.wait(60_000).await;
    let typing = &answer["extensions"]["typing"]["rooms"][made[1].id.as_str()];
    assert_eq!(typing["content"]["user_ids"], json!([alice]));
    assert!(client.sync().await["extensions"].get("typing").is_none());
}

#[tokio::test]
async fn ignored_users_are_not_heard_of() {
    let (server, alice, made) = setting(1).await;
    let bob = server.user("bob").await;
    server.join(&made[0], &bob).await;
    let ignored = json!({"ignored_users": {bob.as_str(): {}}}).to_string();
    server
        .users
        .set_account_data(&alice, None, "m.ignored_user_list", &ignored)
        .await
        .unwrap();
    let mut client = Slider::new(&server, &alice, window(9, 5));
    client.sync().await;
    server.send(&made[0], &bob, "hello?").await;
    let asked_in = server.room(&bob).await;
    server.did(&asked_in, member(&bob, &alice, "invite")).await;
    let answer = client.sync().await;
    assert!(bodies(&answer, &made[0]).is_empty());
    assert_eq!(answer["lists"]["all"]["count"], 1);
    assert!(answer["rooms"].get(asked_in.id.as_str()).is_none());
}

#[tokio::test]
async fn heroes_name_a_room_without_a_name_and_go_with_one() {
    let (server, alice, made) = setting(1).await;
    let bob = server.user("bob").await;
    let joins = json!({"membership": "join", "displayname": "Bob"});
    server
        .did(&made[0], state(&bob, "m.room.member", bob.as_str(), &joins))
        .await;
    let mut client = Slider::new(&server, &alice, window(9, 5));
    let answer = client.sync().await;
    let room = &answer["rooms"][made[0].id.as_str()];
    assert_eq!(
        room["heroes"],
        json!([{"user_id": bob, "displayname": "Bob"}])
    );
    assert!(room.get("name").is_none() && room.get("avatar").is_none());
    let named = state(&alice, "m.room.name", "", &json!({"name": "Here"}));
    server.did(&made[0], named).await;
    server
        .did(
            &made[0],
            state(&alice, "m.room.avatar", "", &json!({"url": "mxc://a/b"})),
        )
        .await;
    let answer = client.sync().await;
    let room = &answer["rooms"][made[0].id.as_str()];
    assert_eq!(
        (&room["name"], &room["avatar"]),
        (&json!("Here"), &json!("mxc://a/b"))
    );
    assert!(room.get("heroes").is_none() && room.get("joined_count").is_none());
    server
        .did(&made[0], state(&alice, "m.room.avatar", "", &json!({})))
        .await;
    let answer = client.sync().await;
    assert_eq!(
        answer["rooms"][made[0].id.as_str()].get("avatar"),
        Some(&Value::Null)
    );
}

#[tokio::test]
async fn what_makes_no_news_does_not_bump() {
    let (server, alice, made) = setting(1).await;
    let mut client = Slider::new(&server, &alice, window(9, 5));
    let sent = server.send(&made[0], &alice, "hi").await;
    let answer = client.sync().await;
    assert_eq!(
        answer["rooms"][made[0].id.as_str()]["bump_stamp"],
        sent.position.0
    );
    server
        .did(
            &made[0],
            state(&alice, "m.room.topic", "", &json!({"topic": "t"})),
        )
        .await;
    let answer = client.sync().await;
    assert!(
        answer["rooms"][made[0].id.as_str()]
            .get("bump_stamp")
            .is_none()
    );
    let mut other = Slider::new(&server, &alice, window(9, 1));
    other.device = "OTHER".to_owned();
    let answer = other.sync().await;
    assert_eq!(
        answer["rooms"][made[0].id.as_str()]["bump_stamp"],
        sent.position.0
    );
}

#[tokio::test]
async fn connections_beyond_the_budget_start_anew() {
    let config = Config {
        connection_bytes: 10_000,
        ..Config::default()
    };
    let server = TestServer::start_with(config);
    let alice = server.user("alice").await;
    server.room(&alice).await;
    let mut clients: Vec<_> = (0..100)
        .map(|n| {
            let mut client = Slider::new(&server, &alice, window(9, 5));
            client.device = n.to_string();
            client
        })
        .collect();
    for client in &mut clients {
        client.sync().await;
    }
    assert!(matches!(clients[0].ask(0).await, Err(Error::UnknownPos)));
    clients[0].pos = None;
    assert_eq!(rooms(&clients[0].sync().await).len(), 1);
    assert!(rooms(&clients[0].sync().await).is_empty());
}
