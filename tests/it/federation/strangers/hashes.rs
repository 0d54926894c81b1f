//! 5: hashes, signatures, redaction.

use orvale_tests::encode;
use serde_json::json;

use super::{Meeting, has_event};

/// What is wrong with the hash is kept redacted; what is wrong with the signature is dropped.
#[tokio::test]
async fn a_bad_hash_leaves_a_redacted_event_and_a_bad_signature_none() {
    let mut meeting = Meeting::new().await;
    let (id, mut changed) = meeting.text("as it was");
    changed["content"]["body"] = "changed on the way".into();
    let _ = meeting.send(vec![changed]).await;
    let shown = has_event(&meeting.alice, &meeting.room, &id).await;
    assert_eq!(shown["content"], json!({}), "{shown}");
    let (id, mut broken) = meeting.text("broken");
    let name = &meeting.stranger.name;
    let signature = &mut broken["signatures"][name];
    let key = signature
        .as_object()
        .unwrap()
        .keys()
        .next()
        .unwrap()
        .clone();
    signature[&key] = "A".repeat(86).into();
    let _ = meeting.send(vec![broken]).await;
    let path = format!("rooms/{}/event/{}", encode(&meeting.room), encode(&id));
    meeting.alice.get(&path).await.refused(404, "M_NOT_FOUND");
}
