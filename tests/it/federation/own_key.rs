//! A server that replaces its key.

use std::process::Command;

use orvale_tests::{Network, Server};
use serde_json::json;

use super::{has_event, join_by, room_of, texts};

fn replace_key(server: &Server) -> std::process::Output {
    let config = server.home().join("orvale.toml");
    let mut command = Command::new(orvale_tests::binary());
    command.arg("replace-key").arg("--config").arg(config);
    command.current_dir(server.home()).output().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_old_key_signed_is_believed_and_the_new_one_signs() {
    let network = Network::new();
    let (one, two, three) = tokio::join!(network.orvale(), network.orvale(), network.orvale());
    let (alice, bob) = (one.register("alice").await, two.register("bob").await);
    let carol = three.register("carol").await;
    let room = room_of(&alice, &[&bob], json!({})).await;
    let old = alice.send_text(&room, "by the old key").await;
    let _ = has_event(&bob, &room, &old).await;
    assert!(!replace_key(&one).status.success(), "the server runs");
    assert!(one.stop().await.success());
    let output = replace_key(&one);
    let problem = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{problem}");
    one.start_again().await;

    let told = one.stranger().get("/_matrix/key/v2/server").await.ok();
    let old_keys = told["old_verify_keys"].as_object().unwrap();
    assert_eq!(old_keys.len(), 1, "{told}");
    let (id, key) = old_keys.iter().next().unwrap();
    assert!(told["verify_keys"].get(id).is_none());
    assert!(key["expired_ts"].as_u64().is_some_and(|at| at > 0));
    // Who knows the old key learns of the new one, and who knows neither believes both.
    let new = alice.send_text(&room, "by the new key").await;
    let signed = has_event(&bob, &room, &new).await;
    assert_eq!(signed["content"]["body"], "by the new key");
    join_by(&carol, &room, &one).await;
    let bodies = ["by the old key", "by the new key"];
    for reader in [&alice, &bob, &carol] {
        let texts = texts(reader, &room).await;
        let texts: Vec<_> = texts.iter().map(|(_, body)| body.as_str()).collect();
        assert_eq!(texts, bodies, "{}", reader.user_id);
    }
    // Its own events of then are as they should be.
    assert!(one.stop().await.success());
    let config = one.home().join("orvale.toml");
    let mut check = Command::new(orvale_tests::binary());
    check.arg("check").arg("--config").arg(config);
    let output = check.current_dir(one.home()).output().unwrap();
    let problem = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{problem}");
}
