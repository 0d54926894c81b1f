//! Accounts as clients meet them.

use orvale_users::config::{Appservice, Namespace, RegistrationMode};
use serde_json::{Value, json};

use crate::testing::{Client, Server, open_registration};

const REGISTER: &str = "/_matrix/client/v3/register";

/// Does what the first answer asks for, with this stage.
async fn confirmed(
    client: &Client,
    path: &str,
    body: Value,
    stage: Value,
) -> crate::testing::Answer {
    let asked = client.post(path, body.clone()).await;
    assert_eq!(asked.status, 401, "{}", asked.json);
    assert!(
        asked.json["flows"].is_array() && asked.json.get("errcode").is_none(),
        "{}",
        asked.json
    );
    let mut auth = stage;
    auth["session"] = asked.json["session"].clone();
    let mut body = body;
    body["auth"] = auth;
    client.post(path, body).await
}

fn password(client: &Client) -> Value {
    let identifier = json!({ "type": "m.id.user", "user": client.user_id });
    json!({ "type": "m.login.password", "identifier": identifier, "password": "the password" })
}

fn dummy() -> Value {
    json!({ "type": "m.login.dummy" })
}

#[tokio::test]
async fn whoever_registers_is_logged_in_with_the_device_they_name() {
    let server = Server::start().await;
    let body = json!({ "username": "alice", "password": "the password", "device_id": "PHONE" });
    let answer = confirmed(&server.stranger(), REGISTER, body, dummy())
        .await
        .ok();
    assert_eq!(answer["user_id"], "@alice:example.org");
    assert_eq!(answer["device_id"], "PHONE");
    let alice = server.stranger().with_token(&answer["access_token"]);
    let who = alice.get("/_matrix/client/v3/account/whoami").await.ok();
    assert_eq!(
        who,
        json!({ "user_id": "@alice:example.org", "device_id": "PHONE" })
    );
}

#[tokio::test]
async fn registering_can_leave_logging_in_for_later() {
    let server = Server::start().await;
    let body = json!({ "username": "alice", "password": "the password", "inhibit_login": true, "auth": dummy() });
    let answer = server.stranger().post(REGISTER, body).await.ok();
    assert!(answer.get("access_token").is_none_or(Value::is_null));
    let again = json!({ "username": "alice", "password": "the password", "auth": dummy() });
    server
        .stranger()
        .post(REGISTER, again)
        .await
        .refused(400, "M_USER_IN_USE");
}

#[tokio::test]
async fn names_passwords_and_kinds_are_checked_before_authentication() {
    let server = Server::start().await;
    let stranger = server.stranger();
    for (body, status, errcode) in [
        (json!({ "username": "Alice" }), 400, "M_INVALID_USERNAME"),
        (
            json!({ "username": "alice", "password": "short" }),
            400,
            "M_WEAK_PASSWORD",
        ),
        (
            json!({ "username": "alice", "auth": dummy() }),
            400,
            "M_MISSING_PARAM",
        ),
        (
            json!({ "type": "m.login.nonsense" }),
            400,
            "M_INVALID_PARAM",
        ),
        (
            json!({ "type": "m.login.application_service", "username": "alice" }),
            401,
            "M_UNKNOWN_TOKEN",
        ),
    ] {
        let client = stranger.clone().with_token(&json!("unknown"));
        client.post(REGISTER, body).await.refused(status, errcode);
    }
    stranger
        .post(&format!("{REGISTER}?kind=guest"), json!({}))
        .await
        .refused(403, "M_GUEST_ACCESS_FORBIDDEN");
    let asked = stranger.post(REGISTER, json!({})).await;
    assert_eq!(
        asked.json["flows"],
        json!([{ "stages": ["m.login.dummy"] }])
    );
}

#[tokio::test]
async fn guests_are_admitted_if_configured_and_may_not_do_everything() {
    let mut config = open_registration();
    config.registration.guests = true;
    let server = Server::start_with(config).await;
    let path = format!("{REGISTER}?kind=guest");
    let answer = server
        .stranger()
        .post(
            &path,
            json!({ "username": "chosen", "device_id": "CHOSEN" }),
        )
        .await
        .ok();
    assert_ne!(answer["user_id"], "@chosen:example.org");
    assert_ne!(answer["device_id"], "CHOSEN");
    let guest = server.stranger().with_token(&answer["access_token"]);
    assert_eq!(
        guest.get("/_matrix/client/v3/account/whoami").await.ok()["is_guest"],
        true
    );
    let body = json!({ "new_password": "a new password" });
    let refused = guest
        .post("/_matrix/client/v3/account/password", body)
        .await;
    refused.refused(403, "M_GUEST_ACCESS_FORBIDDEN");
}

#[tokio::test]
async fn registration_can_be_closed_or_ask_for_a_token() {
    let mut config = open_registration();
    config.registration.mode = RegistrationMode::Closed;
    let closed = Server::start_with(config.clone()).await.stranger();
    closed
        .post(REGISTER, json!({}))
        .await
        .refused(403, "M_FORBIDDEN");
    let validity = "/_matrix/client/v1/register/m.login.registration_token/validity?token=letmein";
    closed.get(validity).await.refused(403, "M_FORBIDDEN");

    config.registration.mode = RegistrationMode::Token;
    let server = Server::start_with(config).await;
    let stranger = server.stranger();
    assert_eq!(stranger.get(validity).await.ok(), json!({ "valid": false }));
    server
        .state
        .users
        .create_registration_token(Some("letmein"), Some(1), None)
        .await
        .unwrap();
    assert_eq!(stranger.get(validity).await.ok(), json!({ "valid": true }));
    let stage = json!({ "type": "m.login.registration_token", "token": "letmein" });
    let body = |name: &str| json!({ "username": name, "password": "the password" });
    confirmed(&stranger, REGISTER, body("alice"), stage.clone())
        .await
        .ok();
    let refused = confirmed(&stranger, REGISTER, body("bob"), stage)
        .await
        .refused(401, "M_FORBIDDEN");
    assert_eq!(
        refused["flows"],
        json!([{ "stages": ["m.login.registration_token"] }])
    );
}

#[tokio::test]
async fn an_application_service_registers_its_own_users_alone() {
    let mut config = open_registration();
    config.appservices.push(Appservice {
        id: "irc".to_owned(),
        as_token: "as token".to_owned(),
        sender_localpart: "ircbot".to_owned(),
        users: vec![Namespace {
            exclusive: true,
            regex: "@irc_.*".to_owned(),
        }],
    });
    let server = Server::start_with(config).await;
    let irc = server.stranger().with_token(&json!("as token"));
    let body = |name: &str| json!({ "type": "m.login.application_service", "username": name, "inhibit_login": true });
    assert_eq!(
        irc.post(REGISTER, body("irc_bob")).await.ok()["user_id"],
        "@irc_bob:example.org"
    );
    irc.post(REGISTER, body("bob"))
        .await
        .refused(400, "M_EXCLUSIVE");
    let person = json!({ "username": "irc_carol", "password": "the password", "auth": dummy() });
    server
        .stranger()
        .post(REGISTER, person)
        .await
        .refused(400, "M_EXCLUSIVE");
    let who = irc
        .get("/_matrix/client/v3/account/whoami?user_id=@irc_bob:example.org")
        .await
        .ok();
    assert_eq!(who, json!({ "user_id": "@irc_bob:example.org" }));
    let device = "/_matrix/client/v3/devices/BRIDGE?user_id=@irc_bob:example.org";
    assert_eq!(
        irc.put(device, json!({ "display_name": "Bridge" }))
            .await
            .status,
        201
    );
    assert_eq!(
        irc.put(device, json!({ "display_name": "The bridge" }))
            .await
            .status,
        200
    );
    irc.delete(device).await.ok();
    irc.get(device).await.refused(404, "M_NOT_FOUND");
}

#[tokio::test]
async fn names_can_be_tried() {
    let server = Server::start().await;
    server.register("alice").await;
    let tried = async |name: &str| {
        server
            .stranger()
            .get(&format!(
                "/_matrix/client/v3/register/available?username={name}"
            ))
            .await
    };
    assert_eq!(tried("bob").await.ok(), json!({ "available": true }));
    tried("alice").await.refused(400, "M_USER_IN_USE");
    tried("B%20b").await.refused(400, "M_INVALID_USERNAME");
    server
        .stranger()
        .get("/_matrix/client/v3/register/available")
        .await
        .refused(400, "M_MISSING_PARAM");
}

#[tokio::test]
async fn a_password_is_changed_by_who_knows_the_old_one() {
    let server = Server::start().await;
    let alice = server.register("alice").await;
    let elsewhere = server.log_in(&alice.user_id).await;
    let path = "/_matrix/client/v3/account/password";
    let body = json!({ "new_password": "a new password" });
    let mut wrong = password(&alice);
    wrong["password"] = json!("wrong");
    confirmed(&alice, path, body.clone(), wrong)
        .await
        .refused(401, "M_FORBIDDEN");
    alice
        .post(path, json!({ "new_password": "short" }))
        .await
        .refused(400, "M_WEAK_PASSWORD");
    assert_eq!(
        confirmed(&alice, path, body, password(&alice)).await.ok(),
        json!({})
    );
    alice.get("/_matrix/client/v3/account/whoami").await.ok();
    elsewhere
        .get("/_matrix/client/v3/account/whoami")
        .await
        .refused(401, "M_UNKNOWN_TOKEN");
}

#[tokio::test]
async fn other_devices_stay_if_asked_for() {
    let server = Server::start().await;
    let alice = server.register("alice").await;
    let elsewhere = server.log_in(&alice.user_id).await;
    let body = json!({ "new_password": "a new password", "logout_devices": false });
    confirmed(
        &alice,
        "/_matrix/client/v3/account/password",
        body,
        password(&alice),
    )
    .await
    .ok();
    elsewhere
        .get("/_matrix/client/v3/account/whoami")
        .await
        .ok();
}

#[tokio::test]
async fn who_deactivates_leaves_all_rooms_and_is_out() {
    let server = Server::start().await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    let room = alice
        .post(
            "/_matrix/client/v3/createRoom",
            json!({ "preset": "public_chat" }),
        )
        .await
        .ok();
    let room = room["room_id"].as_str().unwrap().to_owned();
    bob.post(&format!("/_matrix/client/v3/join/{room}"), json!({}))
        .await
        .ok();
    let path = "/_matrix/client/v3/account/deactivate";
    let done = confirmed(&bob, path, json!({}), password(&bob)).await.ok();
    assert_eq!(done, json!({ "id_server_unbind_result": "success" }));
    let members = alice
        .get(&format!("/_matrix/client/v3/rooms/{room}/joined_members"))
        .await
        .ok();
    assert_eq!(members["joined"].as_object().unwrap().len(), 1);
    bob.get("/_matrix/client/v3/account/whoami")
        .await
        .refused(401, "M_UNKNOWN_TOKEN");
    let login = json!({
        "type": "m.login.password",
        "identifier": { "type": "m.id.user", "user": "bob" },
        "password": "the password",
    });
    bob.post("/_matrix/client/v3/login", login)
        .await
        .refused(403, "M_USER_DEACTIVATED");
}

#[tokio::test]
async fn addresses_are_not_managed_here() {
    let server = Server::start().await;
    let alice = server.register("alice").await;
    assert_eq!(
        alice.get("/_matrix/client/v3/account/3pid").await.ok(),
        json!({ "threepids": [] })
    );
    let email = json!({ "client_secret": "s", "email": "a@example.org", "send_attempt": 1 });
    let sent = |path: &str| format!("/_matrix/client/v3/{path}/email/requestToken");
    for path in ["register", "account/3pid"] {
        alice
            .post(&sent(path), email.clone())
            .await
            .refused(403, "M_THREEPID_DENIED");
    }
    alice
        .post(&sent("account/password"), email)
        .await
        .refused(400, "M_THREEPID_NOT_FOUND");
    let phone =
        json!({ "client_secret": "s", "country": "DE", "phone_number": "0301", "send_attempt": 1 });
    let sent = |path: &str| format!("/_matrix/client/v3/{path}/msisdn/requestToken");
    for path in ["register", "account/3pid"] {
        let asked = alice.post(&sent(path), phone.clone()).await;
        asked.refused(403, "M_THREEPID_DENIED");
    }
    let asked = alice.post(&sent("account/password"), phone).await;
    asked.refused(400, "M_THREEPID_NOT_FOUND");
    let bind = json!({ "client_secret": "s", "sid": "1", "id_server": "id.example", "id_access_token": "t" });
    let asked = alice
        .post("/_matrix/client/v3/account/3pid/bind", bind)
        .await;
    asked.refused(403, "M_THREEPID_DENIED");
    let add = json!({ "client_secret": "s", "sid": "1" });
    alice
        .post("/_matrix/client/v3/account/3pid/add", add)
        .await
        .refused(403, "M_THREEPID_DENIED");
    let gone = json!({ "medium": "email", "address": "a@example.org" });
    alice
        .post("/_matrix/client/v3/account/3pid/delete", gone.clone())
        .await
        .refused(403, "M_THREEPID_DENIED");
    let unbound = alice
        .post("/_matrix/client/v3/account/3pid/unbind", gone)
        .await
        .ok();
    assert_eq!(unbound, json!({ "id_server_unbind_result": "no-support" }));
}

#[tokio::test]
async fn an_openid_token_is_for_oneself() {
    let server = Server::start().await;
    let alice = server.register("alice").await;
    let path = |user: &str| format!("/_matrix/client/v3/user/{user}/openid/request_token");
    let token = alice
        .post(&path(alice.user_id.as_str()), json!({}))
        .await
        .ok();
    assert_eq!(
        (&token["token_type"], &token["matrix_server_name"]),
        (&json!("Bearer"), &json!("example.org"))
    );
    let found = server
        .state
        .users
        .openid_user(token["access_token"].as_str().unwrap())
        .unwrap();
    assert_eq!(found, Some(alice.user_id.clone()));
    alice
        .post(&path("@bob:example.org"), json!({}))
        .await
        .refused(403, "M_FORBIDDEN");
}
