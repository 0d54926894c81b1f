//! 4: signing what a peer hands us.

use orvale_tests::{Network, Stranger, encode};
use serde_json::json;

use super::Watched;

/// What a peer hands us to sign.
#[tokio::test]
async fn no_template_is_signed_but_the_one_that_was_asked_for() {
    let network = Network::new();
    let (server, stranger) = tokio::join!(network.orvale(), Stranger::start(&network));
    let _watched = Watched::new(&server);
    let alice = server.register("alice").await;
    let bob = server.register("bob").await;
    let room = format!("!room:{}", stranger.name);
    let right = json!({
        "room_id": room, "sender": alice.user_id, "type": "m.room.member", "state_key": alice.user_id,
        "content": { "membership": "join" }, "depth": 5, "origin": server.name(), "origin_server_ts": 1,
        "auth_events": [], "prev_events": [],
    });
    let changes = [
        ("type", json!("m.room.power_levels")),
        ("sender", json!(bob.user_id)),
        ("sender", json!(stranger.user("mallory"))),
        ("state_key", json!(bob.user_id)),
        ("state_key", json!("")),
        ("room_id", json!("!other:example.org")),
        ("content", json!({ "membership": "ban" })),
        ("content", json!({ "membership": "leave" })),
    ];
    for (field, value) in changes {
        let mut template = right.clone();
        template[field] = value.clone();
        let answer = json!({ "room_version": "11", "event": template });
        stranger.answer("/_matrix/federation/v1/make_join/", 200, answer);
        let path = format!("join/{}?via={}", encode(&room), encode(&stranger.name));
        let refused = alice.post(&path, json!({})).await;
        assert!(
            !refused.status.is_success(),
            "{field} {value}: {}",
            refused.json
        );
        let mut signed = stranger.asked();
        signed.retain(|asked| asked.path.contains("/send_join/"));
        assert!(signed.is_empty(), "{field} {value}: {signed:?}");
    }
}
