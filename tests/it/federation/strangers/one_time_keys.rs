//! 7: one-time keys.

use std::collections::BTreeSet;

use reqwest::Method;
use serde_json::{Value, json};

use super::Meeting;

/// A one-time key is given out once, however many ask at once.
#[tokio::test]
async fn one_time_keys_are_given_out_once_over_federation_too() {
    let meeting = Meeting::new().await;
    let keys = (0..20).map(|n| {
        (
            format!("signed_curve25519:{n}"),
            json!({ "key": format!("{n:0>43}"), "signatures": {} }),
        )
    });
    let keys: serde_json::Map<String, Value> = keys.collect();
    let _ = meeting
        .alice
        .post("keys/upload", json!({ "one_time_keys": keys }))
        .await
        .ok();
    let wanted = json!({ "one_time_keys": {
        &meeting.alice.user_id: { &meeting.alice.device_id: "signed_curve25519" } } });
    let claims = (0..20).map(|_| {
        let path = "/_matrix/federation/v1/user/keys/claim";
        meeting
            .stranger
            .ask(&meeting.server, Method::POST, path, Some(wanted.clone()))
    });
    let mut given = BTreeSet::new();
    for claimed in futures_util::future::join_all(claims).await {
        let claimed = claimed.ok();
        let of_device = &claimed["one_time_keys"][&meeting.alice.user_id][&meeting.alice.device_id];
        for name in of_device.as_object().unwrap().keys() {
            assert!(given.insert(name.clone()), "{name} was given out twice");
        }
    }
    assert_eq!(given.len(), 20);
}
