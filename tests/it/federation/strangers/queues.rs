//! 8: to-device messages and federation queues losing or repeating data.

use std::collections::BTreeSet;

use orvale_tests::{Asked, eventually};
use serde_json::{Value, json};

use super::{Meeting, edu};

/// A transaction that failed as a whole because of one PDU, and one that was taken twice.
#[tokio::test]
async fn one_bad_pdu_spoils_no_other_and_a_transaction_sent_again_changes_nothing() {
    let mut meeting = Meeting::new().await;
    let (good_id, good) = meeting.text("good");
    let mut forged = good.clone();
    forged["signatures"] = json!({});
    forged["content"]["body"] = "forged".into();
    // Another event, with another ID.
    forged["origin_server_ts"] = 7.into();
    let nonsense = json!({ "type": "m.room.message", "room_id": meeting.room });
    let elsewhere = {
        let mut event = good.clone();
        event["room_id"] = "!nowhere:example.org".into();
        meeting.stranger.sign(&meeting.joined, event)
    };
    let (next_id, next) = meeting.text("next");
    let message = json!({ "sender": meeting.mallory, "type": "m.test", "message_id": "1",
        "messages": { &meeting.alice.user_id: { "*": { "n": 1 } } } });
    for _ in 0..2 {
        let pdus = vec![
            nonsense.clone(),
            forged.clone(),
            elsewhere.clone(),
            good.clone(),
            next.clone(),
        ];
        let edus = vec![json!(7), edu("m.direct_to_device", message.clone())];
        let answer = meeting
            .stranger
            .send_as(&meeting.server, "same", pdus, edus)
            .await
            .ok();
        assert_eq!(answer["pdus"][&good_id], json!({}), "{answer}");
        assert_eq!(answer["pdus"][&next_id], json!({}), "{answer}");
    }
    let sync = meeting.alice.sync().await;
    let bodies = ["good", "next"];
    for body in bodies {
        let messages = meeting.alice.messages(&meeting.room, 50).await;
        let count = messages
            .iter()
            .filter(|event| event["content"]["body"] == body);
        assert_eq!(count.count(), 1, "{body}");
    }
    assert!(!meeting.has_text("forged").await);
    assert_eq!(sync.0["to_device"]["events"].as_array().unwrap().len(), 1);
}

/// A queue that is not tried again after a failure, and messages lost or doubled by it.
#[tokio::test]
async fn what_a_server_could_not_take_is_told_again_until_it_can() {
    let meeting = Meeting::new().await;
    let send = "/_matrix/federation/v1/send/";
    let error = json!({ "errcode": "M_UNKNOWN", "error": "out of order" });
    meeting.stranger.answer(send, 500, error);
    let sent = meeting.alice.send_text(&meeting.room, "first").await;
    for n in 0..3 {
        let path = format!("sendToDevice/m.test/{n}");
        let body = json!({ "messages": { &meeting.mallory: { "D": { "n": n } } } });
        let _ = meeting.alice.put(&path, body).await.ok();
    }
    eventually("an attempt", async || {
        let asked = meeting.stranger.asked();
        asked
            .iter()
            .any(|asked| asked.path.starts_with(send))
            .then_some(())
    })
    .await;
    meeting.stranger.answer(send, 200, json!({ "pdus": {} }));
    let ids = eventually("the messages", async || {
        let edus = meeting.stranger.told("edus");
        let ids: Vec<String> = edus
            .iter()
            .filter(|edu| edu["edu_type"] == "m.direct_to_device")
            .map(|edu| edu["content"]["message_id"].to_string())
            .collect();
        (ids.len() >= 3).then_some(ids)
    })
    .await;
    assert_eq!(
        ids.iter().collect::<BTreeSet<_>>().len(),
        ids.len(),
        "{ids:?}"
    );
    let bodies = meeting.stranger.told("pdus");
    assert!(
        bodies.iter().any(|pdu| pdu["content"]["body"] == "first"),
        "{sent}"
    );
}

/// A queue that loses what something between the servers refused.
#[tokio::test]
async fn what_a_proxy_refuses_is_told_later() {
    const SEND: &str = "/_matrix/federation/v1/send/";
    let meeting = Meeting::new().await;
    meeting.stranger.answer(SEND, 400, json!({}));
    let sent = meeting.alice.send_text(&meeting.room, "patience").await;
    eventually("the stranger to be told in vain", async || {
        let asked = meeting.stranger.asked();
        let refused = |asked: &&Asked| asked.path.starts_with(SEND) && asked.status == 400;
        asked.iter().find(refused).map(|_| ())
    })
    .await;
    meeting.stranger.answer(SEND, 200, json!({ "pdus": {} }));
    eventually("the stranger to be told", async || {
        let told = meeting.stranger.told("pdus");
        let is_it = |pdu: &Value| pdu["content"]["body"] == "patience";
        told.iter().any(is_it).then_some(())
    })
    .await;
    let _ = meeting.alice.event(&meeting.room, &sent).await;
}
