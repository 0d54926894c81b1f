//! Logging in and out as clients meet it.

use orvale_users::config::{Jwt, JwtKey};
use serde_json::{Value, json};

use crate::testing::{Client, Server, open_registration};

const LOGIN: &str = "/_matrix/client/v3/login";
const WHOAMI: &str = "/_matrix/client/v3/account/whoami";

fn by_password(user: &str, password: &str) -> Value {
    json!({ "type": "m.login.password", "identifier": { "type": "m.id.user", "user": user }, "password": password })
}

fn with_token(server: &Server, answer: &Value) -> Client {
    server.stranger().with_token(&answer["access_token"])
}

#[tokio::test]
async fn the_flows_are_listed() {
    let flows = Server::start().await.stranger().get(LOGIN).await.ok();
    let expected = json!({ "flows": [
        { "type": "m.login.password" },
        { "type": "m.login.token", "get_login_token": true },
        { "type": "m.login.application_service" },
    ] });
    assert_eq!(flows, expected);
}

#[tokio::test]
async fn people_log_in_by_user_id_localpart_and_as_of_old() {
    let server = Server::start().await;
    server.register("alice").await;
    let old = json!({ "type": "m.login.password", "user": "alice", "password": "the password" });
    for body in [
        by_password("alice", "the password"),
        by_password("@alice:example.org", "the password"),
        old,
    ] {
        let answer = server.stranger().post(LOGIN, body).await.ok();
        assert_eq!(
            (&answer["user_id"], &answer["home_server"]),
            (&json!("@alice:example.org"), &json!("example.org"))
        );
        with_token(&server, &answer).get(WHOAMI).await.ok();
    }
    // Of old, paths too, and a client may send along the token of a session that is over.
    let late = server.stranger().with_token(&json!("over"));
    late.post(
        "/_matrix/client/r0/login",
        by_password("alice", "the password"),
    )
    .await
    .ok();
}

#[tokio::test]
async fn what_is_no_login_is_refused() {
    let server = Server::start().await;
    server.register("alice").await;
    let thirdparty =
        json!({ "type": "m.id.thirdparty", "medium": "email", "address": "a@example.org" });
    for (body, status, errcode) in [
        (json!({}), 400, "M_MISSING_PARAM"),
        (json!({ "type": 7 }), 400, "M_BAD_JSON"),
        (json!({ "type": "m.login.password" }), 400, "M_BAD_JSON"),
        (
            json!({ "type": "m.login.password", "password": "x" }),
            400,
            "M_MISSING_PARAM",
        ),
        (json!({ "type": "m.login.sso" }), 400, "M_UNKNOWN"),
        (by_password("alice", "wrong"), 403, "M_FORBIDDEN"),
        (by_password("nobody", "wrong"), 403, "M_FORBIDDEN"),
        (
            json!({ "type": "m.login.password", "identifier": thirdparty, "password": "x" }),
            403,
            "M_FORBIDDEN",
        ),
        (
            json!({ "type": "m.login.token", "token": "unknown" }),
            403,
            "M_FORBIDDEN",
        ),
        (
            json!({ "type": "org.matrix.login.jwt", "token": "unknown" }),
            403,
            "M_FORBIDDEN",
        ),
        (
            json!({ "type": "m.login.application_service", "user": "alice" }),
            401,
            "M_MISSING_TOKEN",
        ),
    ] {
        server
            .stranger()
            .post(LOGIN, body)
            .await
            .refused(status, errcode);
    }
    server
        .stranger()
        .post(LOGIN, json!([]))
        .await
        .refused(400, "M_BAD_JSON");
}

#[tokio::test]
async fn a_logged_in_client_logs_another_in() {
    let server = Server::start().await;
    let alice = server.register("alice").await;
    let path = "/_matrix/client/v1/login/get_token";
    let asked = alice.post(path, json!({})).await;
    assert_eq!(asked.status, 401);
    let mut auth = by_password("alice", "the password");
    auth["session"] = asked.json["session"].clone();
    let token = alice.post(path, json!({ "auth": auth })).await.ok();
    assert_eq!(token["expires_in_ms"], 120_000);
    let body = json!({ "type": "m.login.token", "token": token["login_token"] });
    server.stranger().post(LOGIN, body.clone()).await.ok();
    server
        .stranger()
        .post(LOGIN, body)
        .await
        .refused(403, "M_FORBIDDEN");
}

#[tokio::test]
async fn a_signed_token_logs_in_and_names_the_person() {
    let mut config = open_registration();
    let secret = "0123456789abcdef0123456789abcdef";
    config.jwt = Some(Jwt {
        keys: vec![JwtKey {
            algorithm: "HS256".to_owned(),
            id: None,
            secret: Some(secret.to_owned()),
            public_key: None,
            public_key_file: None,
        }],
        issuers: Vec::new(),
        audiences: Vec::new(),
        localpart_claim: "sub".to_owned(),
        display_name_claim: Some("name".to_owned()),
        email_claim: None,
        create_accounts: true,
        leeway_seconds: 0,
    });
    let server = Server::start_with(config).await;
    // {"alg":"HS256","typ":"JWT"} {"sub":"jane","name":"Jane Doe","exp":9000000000}, signed with the secret.
    let token = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiJqYW5lIiwibmFtZSI6IkphbmUgRG9lIiwiZXhwIjo5MDAwMDAwMDAwfQ.LQjUhFbQcxA4x8XoFMIOvQDQzhfErCeUcAwM-YcvT7g";
    let answer = server
        .stranger()
        .post(
            LOGIN,
            json!({ "type": "org.matrix.login.jwt", "token": token }),
        )
        .await
        .ok();
    assert_eq!(answer["user_id"], "@jane:example.org");
    let profile = server
        .stranger()
        .get("/_matrix/client/v3/profile/@jane:example.org")
        .await
        .ok();
    assert_eq!(profile, json!({ "displayname": "Jane Doe" }));
    let flows = server.stranger().get(LOGIN).await.ok();
    assert!(
        flows["flows"]
            .as_array()
            .unwrap()
            .contains(&json!({ "type": "org.matrix.login.jwt" }))
    );
}

#[tokio::test]
async fn tokens_are_refreshed_and_the_old_end_when_the_new_are_used() {
    let server = Server::start().await;
    server.register("alice").await;
    let mut body = by_password("alice", "the password");
    body["refresh_token"] = json!(true);
    let first = server.stranger().post(LOGIN, body).await.ok();
    assert_eq!(first["expires_in_ms"], 3_600_000);
    let refresh = json!({ "refresh_token": first["refresh_token"] });
    let second = server
        .stranger()
        .post("/_matrix/client/v3/refresh", refresh.clone())
        .await
        .ok();
    with_token(&server, &first).get(WHOAMI).await.ok();
    with_token(&server, &second).get(WHOAMI).await.ok();
    let over = with_token(&server, &first)
        .get(WHOAMI)
        .await
        .refused(401, "M_UNKNOWN_TOKEN");
    assert_eq!(over["soft_logout"], false);
    server
        .stranger()
        .post("/_matrix/client/v3/refresh", refresh)
        .await
        .refused(401, "M_UNKNOWN_TOKEN");
}

#[tokio::test]
async fn logging_out_ends_one_session_or_all() {
    let server = Server::start().await;
    let alice = server.register("alice").await;
    let (second, third) = (
        server.log_in(&alice.user_id).await,
        server.log_in(&alice.user_id).await,
    );
    assert_eq!(
        alice
            .post("/_matrix/client/v3/logout", json!({}))
            .await
            .ok(),
        json!({})
    );
    alice.get(WHOAMI).await.refused(401, "M_UNKNOWN_TOKEN");
    second.get(WHOAMI).await.ok();
    second
        .post("/_matrix/client/v3/logout/all", json!({}))
        .await
        .ok();
    third.get(WHOAMI).await.refused(401, "M_UNKNOWN_TOKEN");
    server
        .stranger()
        .post("/_matrix/client/v3/logout", json!({}))
        .await
        .refused(401, "M_MISSING_TOKEN");
}
