//! Registration tokens as administrators' tools meet them.

use serde_json::json;

use crate::testing::Server;

const PATH: &str = "/_synapse/admin/v1/registration_tokens";

#[tokio::test]
async fn tokens_are_made_shown_changed_and_removed() {
    let server = Server::start();
    let admin = server.session("admin", true).await;
    let made = server
        .post(
            &format!("{PATH}/new"),
            &admin,
            json!({ "token": "abc", "uses_allowed": 1 }),
        )
        .await
        .ok();
    let expected = json!({ "token": "abc", "uses_allowed": 1, "pending": 0, "completed": 0, "expiry_time": null });
    assert_eq!(made, expected);
    assert_eq!(
        server.get(&format!("{PATH}/abc"), &admin).await.ok(),
        expected
    );
    let body = json!({ "uses_allowed": null, "expiry_time": 9_000_000_000_000_u64 });
    let changed = server
        .call("PUT", &format!("{PATH}/abc"), &admin, Some(body))
        .await
        .ok();
    assert_eq!(
        (&changed["uses_allowed"], &changed["expiry_time"]),
        (&json!(null), &json!(9_000_000_000_000_u64))
    );
    let kept = server
        .call("PUT", &format!("{PATH}/abc"), &admin, Some(json!({})))
        .await
        .ok();
    assert_eq!(kept, changed);
    assert_eq!(
        server
            .call("DELETE", &format!("{PATH}/abc"), &admin, None)
            .await
            .ok(),
        json!({})
    );
    server
        .get(&format!("{PATH}/abc"), &admin)
        .await
        .refused(404, "M_NOT_FOUND");
    server
        .call("DELETE", &format!("{PATH}/abc"), &admin, None)
        .await
        .refused(404, "M_NOT_FOUND");
}

#[tokio::test]
async fn the_list_can_be_of_the_valid_or_of_the_others() {
    let server = Server::start();
    let admin = server.session("admin", true).await;
    for (token, uses) in [("good", 1), ("spent", 0)] {
        let body = json!({ "token": token, "uses_allowed": uses });
        server.post(&format!("{PATH}/new"), &admin, body).await.ok();
    }
    for (query, expected) in [
        ("", vec!["good", "spent"]),
        ("?valid=true", vec!["good"]),
        ("?valid=false", vec!["spent"]),
    ] {
        let listed = server.get(&format!("{PATH}{query}"), &admin).await.ok();
        let tokens = listed["registration_tokens"].as_array().unwrap().iter();
        assert_eq!(
            tokens
                .map(|token| token["token"].as_str().unwrap())
                .collect::<Vec<_>>(),
            expected
        );
    }
}

#[tokio::test]
async fn tokens_are_for_administrators_and_well_formed() {
    let server = Server::start();
    let (admin, alice) = (
        server.session("admin", true).await,
        server.session("alice", false).await,
    );
    server.get(PATH, &alice).await.refused(403, "M_FORBIDDEN");
    server.get(PATH, "").await.refused(401, "M_MISSING_TOKEN");
    server
        .post(&format!("{PATH}/new"), &alice, json!({}))
        .await
        .refused(403, "M_FORBIDDEN");
    for body in [json!({ "token": "no spaces" }), json!({ "expiry_time": 1 })] {
        server
            .post(&format!("{PATH}/new"), &admin, body)
            .await
            .refused(400, "M_INVALID_PARAM");
    }
    server
        .post(
            &format!("{PATH}/new"),
            &admin,
            json!({ "uses_allowed": -1 }),
        )
        .await
        .refused(400, "M_BAD_JSON");
}
