//! Dehydrated devices as clients meet them.

use serde_json::{Value, json};

use crate::testing::{Client, Server, keys};

const PATH: &str = "/_matrix/client/unstable/org.matrix.msc3814.v1/dehydrated_device";

fn dehydrated(client: &Client, device_id: &str) -> Value {
    json!({
        "device_id": device_id,
        "initial_device_display_name": "Dehydrated",
        "device_data": { "algorithm": "org.matrix.msc3814.v2", "device_pickle": "abc", "nonce": "def" },
        "device_keys": keys::device(client, device_id, &keys::pair()),
        "fallback_keys": {},
    })
}

#[tokio::test]
async fn a_device_is_left_collects_messages_and_is_found_again() {
    let server = Server::start().await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    alice.get(PATH).await.refused(404, "M_NOT_FOUND");
    let made = alice.put(PATH, dehydrated(&alice, "DRY")).await.ok();
    assert_eq!(made, json!({ "device_id": "DRY" }));
    for n in 0..3 {
        let message = json!({ "messages": { alice.user_id.as_str(): { "DRY": { "n": n } } } });
        let path = format!("/_matrix/client/v3/sendToDevice/m.test/{n}");
        bob.put(&path, message).await.ok();
    }
    let found = alice.get(PATH).await.ok();
    assert_eq!(found["device_id"], "DRY");
    assert_eq!(found["device_data"]["device_pickle"], "abc");

    let events = format!("{PATH}/DRY/events");
    let first = alice.post(&events, json!({})).await.ok();
    let bodies = |answer: &Value| {
        let events = answer["events"].as_array().unwrap().iter();
        events
            .map(|event| event["content"]["n"].as_u64().unwrap())
            .collect::<Vec<_>>()
    };
    assert_eq!(bodies(&first), [0, 1, 2]);
    assert_eq!(first["events"][0]["sender"], bob.user_id.as_str());
    // The same by the other method, which ends without a token.
    let same = alice.get(&events).await.ok();
    assert_eq!(same, json!({ "events": first["events"] }));
    for n in 3..150 {
        let message = json!({ "messages": { alice.user_id.as_str(): { "DRY": { "n": n } } } });
        let path = format!("/_matrix/client/v3/sendToDevice/m.test/{n}");
        bob.put(&path, message).await.ok();
    }
    let page = alice.get(&events).await.ok();
    assert_eq!(bodies(&page), (0..100).collect::<Vec<_>>());
    let from = page["next_batch"].as_str().unwrap();
    let page = alice.get(&format!("{events}?from={from}")).await.ok();
    assert_eq!(bodies(&page), (100..150).collect::<Vec<_>>());
    assert!(page.get("next_batch").is_none());
    let first = alice
        .post(&events, json!({ "next_batch": from }))
        .await
        .ok();
    let next = json!({ "next_batch": first["next_batch"] });
    let rest = alice.post(&events, next).await.ok();
    assert!(bodies(&rest).is_empty());
    assert_eq!(rest["next_batch"], first["next_batch"]);
    alice
        .post(&events, json!({ "next_batch": "nonsense" }))
        .await
        .refused(400, "M_INVALID_PARAM");
    bob.post(&events, json!({}))
        .await
        .refused(404, "M_NOT_FOUND");

    assert_eq!(alice.delete(PATH).await.ok(), json!({ "device_id": "DRY" }));
    alice.get(PATH).await.refused(404, "M_NOT_FOUND");
    alice
        .post(&events, json!({}))
        .await
        .refused(404, "M_NOT_FOUND");
    alice.delete(PATH).await.refused(404, "M_NOT_FOUND");
}

#[tokio::test]
async fn a_device_that_lives_is_not_dehydrated() {
    let server = Server::start().await;
    let alice = server.register("alice").await;
    let own = dehydrated(&alice, alice.device_id.as_str());
    alice.put(PATH, own).await.refused(400, "M_INVALID_PARAM");
    let mut unsigned = dehydrated(&alice, "DRY");
    unsigned["device_keys"]["signatures"] = json!({});
    alice
        .put(PATH, unsigned)
        .await
        .refused(400, "M_INVALID_SIGNATURE");
    let mut without = dehydrated(&alice, "DRY");
    without.as_object_mut().unwrap().remove("device_data");
    alice.put(PATH, without).await.refused(400, "M_BAD_JSON");
    alice.get(PATH).await.refused(404, "M_NOT_FOUND");
}
