//! Tests of one sync after the other.

use std::time::{Duration, Instant};

use serde_json::json;

use crate::testing::{TestServer, bodies, member, state};

#[tokio::test]
async fn a_first_sync_tells_the_room_and_the_next_only_what_came() {
    let server = TestServer::start();
    let alice = server.user("alice").await;
    let room = server.room(&alice).await;
    server.send(&room, &alice, "one").await;
    let mut client = server.client(&alice);
    let first = client.sync().await;
    assert_eq!(
        bodies(&first, "join", &room),
        [
            "m.room.create",
            "m.room.member",
            "m.room.power_levels",
            "m.room.join_rules",
            "one"
        ]
    );
    let joined = &first["rooms"]["join"][room.id.as_str()];
    assert_eq!(joined["state"]["events"], json!([]));
    assert_eq!(joined["timeline"]["limited"], false);
    assert_eq!(joined["summary"]["m.joined_member_count"], 1);
    assert!(client.sync().await.get("rooms").is_none());
    server.send(&room, &alice, "two").await;
    let next = client.sync().await;
    assert_eq!(bodies(&next, "join", &room), ["two"]);
    assert!(
        next["rooms"]["join"][room.id.as_str()]
            .get("summary")
            .is_none()
    );
}

#[tokio::test]
async fn a_gap_is_told_with_the_state_that_fell_into_it() {
    let server = TestServer::start();
    let (alice, bob) = (server.user("alice").await, server.user("bob").await);
    let room = server.room(&alice).await;
    let mut client = server
        .client(&alice)
        .filtered(json!({"room": {"timeline": {"limit": 3}}}));
    client.sync().await;
    server
        .did(
            &room,
            state(&alice, "m.room.name", "", &json!({"name": "in the gap"})),
        )
        .await;
    server.join(&room, &bob).await;
    for n in 0..5 {
        server.send(&room, &alice, &n.to_string()).await;
    }
    server
        .did(
            &room,
            state(&alice, "m.room.topic", "", &json!({"topic": "after"})),
        )
        .await;
    let answer = client.sync().await;
    assert_eq!(bodies(&answer, "join", &room), ["3", "4", "m.room.topic"]);
    let joined = &answer["rooms"]["join"][room.id.as_str()];
    assert_eq!(joined["timeline"]["limited"], true);
    let state: Vec<_> = joined["state"]["events"]
        .as_array()
        .unwrap()
        .iter()
        .map(|e| e["type"].as_str().unwrap())
        .collect();
    assert_eq!(state, ["m.room.name", "m.room.member"]);
    assert_eq!(joined["summary"]["m.joined_member_count"], 2);
    let prev_batch = joined["timeline"]["prev_batch"]
        .as_str()
        .unwrap()
        .parse()
        .unwrap();
    let before = server
        .rooms
        .list_backwards(&room, prev_batch, orvale_rooms::Order::START, 1)
        .unwrap();
    assert!(before[0].1.pdu.content.get().contains("\"2\""));
}

#[tokio::test]
async fn whoever_waits_is_woken_by_what_concerns_them_alone() {
    let server = TestServer::start();
    let (alice, bob) = (server.user("alice").await, server.user("bob").await);
    let (room, other) = (server.room(&alice).await, server.room(&bob).await);
    let mut client = server.client(&alice);
    client.sync().await;
    let start = Instant::now();
    let (answer, ()) = tokio::join!(client.wait(Duration::from_secs(20)), async {
        tokio::time::sleep(Duration::from_millis(50)).await;
        server.send(&other, &bob, "not for alice").await;
        tokio::time::sleep(Duration::from_millis(50)).await;
        server.send(&room, &alice, "for alice").await;
    });
    assert!(start.elapsed() < Duration::from_secs(10));
    assert_eq!(bodies(&answer, "join", &room), ["for alice"]);
    assert!(answer["rooms"]["join"].get(other.id.as_str()).is_none());
}

#[tokio::test]
async fn a_wait_without_news_ends_with_a_token() {
    let server = TestServer::start();
    let alice = server.user("alice").await;
    let mut client = server.client(&alice);
    client.sync().await;
    let answer = client.wait(Duration::from_millis(20)).await;
    assert!(answer.get("rooms").is_none());
    assert_eq!(answer["device_one_time_keys_count"]["signed_curve25519"], 0);
    assert_eq!(answer["device_unused_fallback_key_types"], json!([]));
}

#[tokio::test]
async fn closing_lets_waiting_requests_go() {
    let server = TestServer::start();
    let alice = server.user("alice").await;
    let mut client = server.client(&alice);
    client.sync().await;
    let start = Instant::now();
    tokio::join!(client.wait(Duration::from_secs(20)), async {
        tokio::time::sleep(Duration::from_millis(20)).await;
        server.delivery.close();
    });
    assert!(start.elapsed() < Duration::from_secs(10));
}

#[tokio::test]
async fn a_logged_out_device_is_let_go() {
    let server = TestServer::start();
    let alice = server.user("alice").await;
    let session = server
        .users
        .open_session(&alice, None, None, false)
        .await
        .unwrap();
    let mut client = server.client(&alice);
    client.device = session.device_id.to_string();
    client.sync().await;
    let mut request = client.request();
    request.timeout = Some(Duration::from_secs(20));
    let (answer, ()) = tokio::join!(client.ask(request), async {
        tokio::time::sleep(Duration::from_millis(20)).await;
        server
            .users
            .log_out(&alice, &session.device_id)
            .await
            .unwrap();
    });
    assert!(
        matches!(answer, Err(crate::Error::SessionEnded)),
        "{answer:?}"
    );
}

#[tokio::test]
async fn a_room_joined_since_comes_whole_and_a_room_left_ends_with_the_leave() {
    let server = TestServer::start();
    let (alice, bob) = (server.user("alice").await, server.user("bob").await);
    let room = server.room(&alice).await;
    let mut client = server
        .client(&bob)
        .filtered(json!({"room": {"timeline": {"limit": 2}}}));
    client.sync().await;
    server.send(&room, &alice, "before bob").await;
    server.join(&room, &bob).await;
    let answer = client.sync().await;
    assert_eq!(
        bodies(&answer, "join", &room),
        ["before bob", "m.room.member"]
    );
    let joined = &answer["rooms"]["join"][room.id.as_str()];
    assert_eq!(joined["state"]["events"].as_array().unwrap().len(), 4);
    assert_eq!(
        joined["timeline"]["events"][0]["unsigned"]["membership"],
        "leave"
    );
    assert_eq!(
        joined["timeline"]["events"][1]["unsigned"]["membership"],
        "join"
    );
    server.send(&room, &alice, "to bob").await;
    server.did(&room, member(&alice, &bob, "leave")).await;
    server.send(&room, &alice, "after bob").await;
    let answer = client.sync().await;
    assert_eq!(bodies(&answer, "leave", &room), ["to bob", "m.room.member"]);
    assert!(answer["rooms"].get("join").is_none());
    assert!(client.sync().await.get("rooms").is_none());
}

#[tokio::test]
async fn an_invite_is_told_once_and_its_refusal_shows_nothing_of_the_room() {
    let server = TestServer::start();
    let (alice, bob) = (server.user("alice").await, server.user("bob").await);
    let room = server.room(&alice).await;
    let mut client = server.client(&bob);
    client.sync().await;
    server.did(&room, member(&alice, &bob, "invite")).await;
    let answer = client.sync().await;
    let stripped = answer["rooms"]["invite"][room.id.as_str()]["invite_state"]["events"]
        .as_array()
        .unwrap();
    assert_eq!(stripped.last().unwrap()["state_key"], bob.as_str());
    server.send(&room, &alice, "secret").await;
    assert!(client.sync().await.get("rooms").is_none());
    server.did(&room, member(&bob, &bob, "leave")).await;
    let answer = client.sync().await;
    assert_eq!(bodies(&answer, "leave", &room), ["m.room.member"]);
    assert_eq!(
        answer["rooms"]["leave"][room.id.as_str()]["state"]["events"],
        json!([])
    );
}

#[tokio::test]
async fn a_new_process_goes_on_from_the_tokens_of_the_one_before() {
    let mut server = TestServer::start();
    let alice = server.user("alice").await;
    let room = server.room(&alice).await;
    let since = {
        let mut client = server.client(&alice);
        client.sync().await;
        client.since
    };
    server.send(&room, &alice, "meanwhile").await;
    server.restart();
    let mut client = server.client(&alice);
    client.since = since;
    assert_eq!(bodies(&client.sync().await, "join", &room), ["meanwhile"]);
    // It may be told afresh that nobody types.
    client.sync().await;
    assert!(client.sync().await.get("rooms").is_none());
    client.since = Some("s99999_t0_p0_n0".to_owned());
    assert!(matches!(
        client.ask(client.request()).await,
        Err(crate::Error::FutureToken)
    ));
}

mod unread {
    use std::sync::Arc;

    use orvale_rooms::{Draft, Room, StoredEvent, Txn};
    use orvale_storage::{Batch, trees::delivery::UNREAD};
    use ruma::{
        UserId,
        events::receipt::{ReceiptThread, ReceiptType},
    };
    use serde_json::{Value, json};

    use crate::testing::{TestServer, raw, text};

    fn counts(answer: &Value, room: &Room) -> (u64, u64) {
        let unread = &answer["rooms"]["join"][room.id.as_str()]["unread_notifications"];
        (
            unread["notification_count"].as_u64().unwrap(),
            unread["highlight_count"].as_u64().unwrap(),
        )
    }

    async fn read(
        server: &TestServer,
        room: &Room,
        user_id: &UserId,
        event: &StoredEvent,
        kind: ReceiptType,
        thread: ReceiptThread,
    ) {
        server
            .rooms
            .set_receipt(user_id, &room.id, kind, event.event_id(), &thread)
            .await
            .unwrap();
    }

    fn in_thread(sender: &UserId, root: &StoredEvent) -> Draft {
        let relates = json!({"rel_type": "m.thread", "event_id": root.event_id()});
        let content =
            json!({"msgtype": "m.text", "body": "in the thread", "m.relates_to": relates});
        Draft {
            content: raw(&content),
            ..text(sender, "")
        }
    }

    fn mention(sender: &UserId, whom: &UserId) -> Draft {
        let content =
            json!({"msgtype": "m.text", "body": "you!", "m.mentions": {"user_ids": [whom]}});
        Draft {
            content: raw(&content),
            ..text(sender, "")
        }
    }

    #[tokio::test]
    async fn what_was_counted_once_is_not_counted_again_after_a_restart() {
        let mut server = TestServer::start();
        let (alice, bob) = (server.user("alice").await, server.user("bob").await);
        let room = server.room(&alice).await;
        server.join(&room, &bob).await;
        for n in 0..150 {
            server.send(&room, &alice, &format!("{n}")).await;
        }
        let first = server.client(&bob).sync().await;
        assert_eq!(counts(&first, &room), (150, 0));
        let store = server.rooms.store().clone();
        let key = (bob.localpart(), room.number);
        let mut record = loop {
            if let Some(record) = store.get(&UNREAD, key).unwrap() {
                break record;
            }
            tokio::task::yield_now().await;
        };
        assert_eq!(record.items.len(), 150);
        // Were they looked at again, they would count again.
        record.items.drain(..100);
        let mut batch = Batch::new();
        batch.put(&UNREAD, key, &record);
        store.commit(batch).await.unwrap();
        server.restart();
        let last = server.did(&room, mention(&alice, &bob)).await;
        let mut client = server.client(&bob);
        assert_eq!(counts(&client.sync().await, &room), (51, 1));
        let (read_now, everywhere) = (ReceiptType::Read, ReceiptThread::Unthreaded);
        read(&server, &room, &bob, &last, read_now, everywhere).await;
        server.restart();
        let after = server.client(&bob).sync().await;
        assert_eq!(counts(&after, &room), (0, 0));
    }

    #[tokio::test]
    async fn counts_follow_messages_receipts_own_messages_and_redactions() {
        let server = TestServer::start();
        let (alice, bob) = (server.user("alice").await, server.user("bob").await);
        let room = server.room(&alice).await;
        server.join(&room, &bob).await;
        let mut client = server.client(&bob);
        server.send(&room, &alice, "one").await;
        assert_eq!(counts(&client.sync().await, &room), (1, 0));
        let two = server.did(&room, mention(&alice, &bob)).await;
        assert_eq!(counts(&client.sync().await, &room), (2, 1));
        // A receipt of somebody else's changes nothing.
        read(
            &server,
            &room,
            &alice,
            &two,
            ReceiptType::Read,
            ReceiptThread::Unthreaded,
        )
        .await;
        assert_eq!(counts(&client.sync().await, &room), (2, 1));
        let three = server.send(&room, &alice, "three").await;
        let four = server.send(&room, &alice, "four").await;
        read(
            &server,
            &room,
            &bob,
            &two,
            ReceiptType::ReadPrivate,
            ReceiptThread::Unthreaded,
        )
        .await;
        assert_eq!(counts(&client.sync().await, &room), (2, 0));
        // One that lags behind does not bring back what is read.
        read(
            &server,
            &room,
            &bob,
            &two,
            ReceiptType::Read,
            ReceiptThread::Unthreaded,
        )
        .await;
        assert_eq!(counts(&client.sync().await, &room), (2, 0));
        let txn = Txn {
            device: "A",
            id: "1",
        };
        server
            .rooms
            .redact(&alice, &room.id, three.event_id(), None, txn)
            .await
            .unwrap();
        assert_eq!(counts(&client.sync().await, &room), (1, 0));
        server.send(&room, &bob, "mine").await;
        assert_eq!(counts(&client.sync().await, &room), (0, 0));
        read(
            &server,
            &room,
            &bob,
            &four,
            ReceiptType::Read,
            ReceiptThread::Unthreaded,
        )
        .await;
        assert_eq!(counts(&client.sync().await, &room), (0, 0));
    }

    #[tokio::test]
    async fn threads_count_apart_where_the_client_asks_so() {
        let server = TestServer::start();
        let (alice, bob) = (server.user("alice").await, server.user("bob").await);
        let room = server.room(&alice).await;
        server.join(&room, &bob).await;
        let root = server.send(&room, &alice, "root").await;
        let reply = server.did(&room, in_thread(&alice, &root)).await;
        server.did(&room, in_thread(&alice, &root)).await;
        let main = server.send(&room, &alice, "main").await;
        let by_thread = json!({"room": {"timeline": {"unread_thread_notifications": true}}});
        let mut apart = server.client(&bob).filtered(by_thread);
        let mut together = server.client(&bob);
        let root_id = root.event_id().as_str();
        let mut check = async |main: u64, thread: Option<u64>| {
            let answer = apart.sync().await;
            let joined = &answer["rooms"]["join"][room.id.as_str()];
            assert_eq!(counts(&answer, &room).0, main);
            assert_eq!(
                joined["unread_thread_notifications"][root_id]["notification_count"].as_u64(),
                thread
            );
            assert_eq!(
                counts(&together.sync().await, &room).0,
                main + thread.unwrap_or(0)
            );
        };
        check(2, Some(2)).await;
        let in_root = || ReceiptThread::Thread(root.event_id().to_owned());
        read(&server, &room, &bob, &reply, ReceiptType::Read, in_root()).await;
        check(2, Some(1)).await;
        read(
            &server,
            &room,
            &bob,
            &main,
            ReceiptType::Read,
            ReceiptThread::Main,
        )
        .await;
        check(0, Some(1)).await;
        server.did(&room, in_thread(&bob, &root)).await;
        check(0, None).await;
        server.did(&room, in_thread(&alice, &root)).await;
        let last = server.send(&room, &alice, "more").await;
        check(1, Some(1)).await;
        read(
            &server,
            &room,
            &bob,
            &last,
            ReceiptType::Read,
            ReceiptThread::Unthreaded,
        )
        .await;
        check(0, None).await;
    }

    #[tokio::test]
    async fn private_receipts_and_ignored_users_are_not_told() {
        let server = TestServer::start();
        let (alice, bob) = (server.user("alice").await, server.user("bob").await);
        let room = server.room(&alice).await;
        server.join(&room, &bob).await;
        let mut client = server.client(&alice);
        client.sync().await;
        let one = server.send(&room, &alice, "one").await;
        client.sync().await;
        read(
            &server,
            &room,
            &bob,
            &one,
            ReceiptType::ReadPrivate,
            ReceiptThread::Unthreaded,
        )
        .await;
        assert!(client.sync().await.get("rooms").is_none());
        assert!(
            !server
                .client(&alice)
                .sync()
                .await
                .to_string()
                .contains("m.read.private")
        );
        assert!(
            server
                .client(&bob)
                .sync()
                .await
                .to_string()
                .contains("m.read.private")
        );
        read(
            &server,
            &room,
            &bob,
            &one,
            ReceiptType::Read,
            ReceiptThread::Unthreaded,
        )
        .await;
        let answer = client.sync().await;
        let receipt = &answer["rooms"]["join"][room.id.as_str()]["ephemeral"]["events"][0];
        assert_eq!(receipt["type"], "m.receipt");
        assert!(
            receipt["content"][one.event_id().as_str()]["m.read"][bob.as_str()]["ts"].is_number()
        );
        let ignored = json!({"ignored_users": {bob.as_str(): {}}}).to_string();
        server
            .users
            .set_account_data(&alice, None, "m.ignored_user_list", &ignored)
            .await
            .unwrap();
        client.sync().await;
        server.send(&room, &bob, "psst").await;
        let answer = client.sync().await;
        assert!(answer.get("rooms").is_none(), "{answer}");
        server.send(&room, &alice, "hm").await;
        let answer = client.sync().await;
        assert_eq!(crate::testing::bodies(&answer, "join", &room), ["hm"]);
        assert_eq!(counts(&answer, &room), (0, 0));
    }

    #[tokio::test]
    async fn counts_found_anew_are_those_that_were_kept() {
        use rand::{RngExt, SeedableRng, rngs::StdRng};
        for seed in 0..20 {
            let mut random = StdRng::seed_from_u64(seed);
            let server = TestServer::start();
            let (alice, bob) = (server.user("alice").await, server.user("bob").await);
            let room = server.room(&alice).await;
            server.join(&room, &bob).await;
            let roots = [
                server.send(&room, &alice, "a").await,
                server.send(&room, &alice, "b").await,
            ];
            let by_thread = json!({"room": {"timeline": {"unread_thread_notifications": true}}});
            let mut client = server.client(&bob).filtered(by_thread.clone());
            let mut events: Vec<Arc<StoredEvent>> = roots.to_vec();
            let mut last = client.sync().await;
            for _ in 0..40 {
                let root = &roots[random.random_range(0..2)];
                let event = &events[random.random_range(0..events.len())];
                let event = server.rooms.event(event.position).unwrap();
                match random.random_range(0..12) {
                    0..4 => events.push(server.send(&room, &alice, "m").await),
                    4..6 => events.push(server.did(&room, in_thread(&alice, root)).await),
                    6 => events.push(server.did(&room, mention(&alice, &bob)).await),
                    7 => events.push(
                        server
                            .did(
                                &room,
                                if random.random() {
                                    text(&bob, "mine")
                                } else {
                                    in_thread(&bob, root)
                                },
                            )
                            .await,
                    ),
                    8 if !roots.iter().any(|root| root.position == event.position)
                        && event.pdu.sender == alice =>
                    {
                        let id = event.position.to_string();
                        let txn = Txn {
                            device: "A",
                            id: &id,
                        };
                        server
                            .rooms
                            .redact(&alice, &room.id, event.event_id(), None, txn)
                            .await
                            .unwrap();
                    }
                    kind => {
                        let thread = match server.rooms.thread_of(&event).unwrap() {
                            _ if kind == 9 => ReceiptThread::Unthreaded,
                            Some(root) => ReceiptThread::Thread(root),
                            None => ReceiptThread::Main,
                        };
                        let kind = if random.random() {
                            ReceiptType::Read
                        } else {
                            ReceiptType::ReadPrivate
                        };
                        read(&server, &room, &bob, &event, kind, thread).await;
                    }
                }
                if random.random_bool(0.5) {
                    let answer = client.sync().await;
                    if answer.get("rooms").is_some() {
                        last = answer;
                    }
                }
            }
            let answer = client.sync().await;
            if answer.get("rooms").is_some() {
                last = answer;
            }
            let kept = &last["rooms"]["join"][room.id.as_str()];
            let mut server = server;
            server.restart();
            let anew = server.client(&bob).filtered(by_thread).sync().await;
            let anew = &anew["rooms"]["join"][room.id.as_str()];
            for key in ["unread_notifications", "unread_thread_notifications"] {
                assert_eq!(kept[key], anew[key], "seed {seed}");
            }
        }
    }
}

/// The topic as a client has it that knew one before and updates its state by an answer: by its state, then by its timeline.
fn topic(before: &str, answer: &serde_json::Value, room: &orvale_rooms::Room) -> String {
    let joined = &answer["rooms"]["join"][room.id.as_str()];
    let of = |part: &str| {
        joined[part]["events"]
            .as_array()
            .cloned()
            .unwrap_or_default()
    };
    let events = [of("state"), of("timeline"), of("state_after")].concat();
    let mut latest = events.iter().rev();
    let last = latest.find(|event| event["type"] == "m.room.topic");
    let last = last.map(|event| &event["content"]["topic"]);
    last.map_or_else(
        || before.to_owned(),
        |topic| topic.as_str().unwrap().to_owned(),
    )
}

#[tokio::test]
async fn state_that_does_not_count_where_forks_met_is_not_told_as_the_rooms() {
    let server = TestServer::start();
    let alice = server.user("alice").await;
    let zoe = ruma::UserId::parse("@zoe:them.example").unwrap();
    let them = server.knows("them.example").await;
    let room = server.room(&alice).await;
    let base = server.join(&room, &zoe).await;
    let [mut early, mut late, mut after] = ["early", "late", "after"].map(|device| {
        let mut client = server.client(&alice);
        client.device = device.to_owned();
        client
    });
    after.state_after = true;
    for client in [&mut early, &mut after] {
        client.sync().await;
    }
    let ours = json!({ "topic": "ours" });
    server
        .did(&room, state(&alice, "m.room.topic", "", &ours))
        .await;
    late.sync().await;
    let theirs = json!({ "topic": "theirs" });
    let undone = (&*zoe, "m.room.topic", &theirs);
    let undone = server.forked(&them, &room, &base, undone).await;
    let now = server.rooms.find_state(&room, &"m.room.topic".into(), "");
    assert_ne!(now.unwrap().unwrap().position, undone.position);

    let mut first = server.client(&alice);
    for (client, before) in [
        (&mut early, ""),
        (&mut late, "ours"),
        (&mut first, ""),
        (&mut after, ""),
    ] {
        let answer = client.sync().await;
        assert_eq!(topic(before, &answer, &room), "ours", "{answer}");
        // What was left out is found by going back.
        let timeline = &answer["rooms"]["join"][room.id.as_str()]["timeline"];
        if !timeline.to_string().contains(undone.event_id().as_str()) {
            assert_eq!(timeline["limited"], true);
            let at = timeline["prev_batch"].as_str().unwrap().parse().unwrap();
            let found = server
                .rooms
                .list_backwards(&room, at, orvale_rooms::Order::START, 1);
            assert_eq!(found.unwrap()[0].1.position, undone.position);
        }
        let said = server.send(&room, &alice, "on").await;
        let answer = client.sync().await;
        assert_eq!(bodies(&answer, "join", &room), ["on"], "{said:?}");
    }
}
