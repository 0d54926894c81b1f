//! What is refused, and how; and what stands around every request.

use std::process::Command;

use orvale_tests::{Server, Settings, eventually};
use reqwest::Method;
use serde_json::json;

#[tokio::test]
async fn unknown_endpoints_and_wrong_methods_are_unrecognized() {
    let server = Server::start().await;
    let stranger = server.stranger();
    stranger
        .get("/_matrix/client/v3/nonsense")
        .await
        .refused(404, "M_UNRECOGNIZED");
    stranger
        .get("/_matrix/nonsense")
        .await
        .refused(404, "M_UNRECOGNIZED");
    stranger
        .delete("login")
        .await
        .refused(405, "M_UNRECOGNIZED");
    stranger
        .get("/nonsense")
        .await
        .refused(404, "M_UNRECOGNIZED");
}

#[tokio::test]
async fn malformed_requests_are_refused_by_what_is_wrong_with_them() {
    let server = Server::start().await;
    let alice = server.register("alice").await;
    for body in ["{", "nonsense", "{\"a\": \u{1}}", "{} trailing"] {
        alice
            .call(Method::POST, "login", body.to_owned())
            .await
            .refused(400, "M_NOT_JSON");
    }
    alice
        .call(
            Method::POST,
            "createRoom",
            vec![b'{', b'"', 0xff, b'"', b'}'],
        )
        .await
        .refused(400, "M_NOT_JSON");
    alice
        .post("createRoom", json!([]))
        .await
        .refused(400, "M_BAD_JSON");
    alice
        .post("createRoom", json!({ "invite": "alice" }))
        .await
        .refused(400, "M_BAD_JSON");
    alice
        .get("sync?timeout=soon")
        .await
        .refused(400, "M_INVALID_PARAM");
    alice
        .get("rooms/nonsense/members")
        .await
        .refused(400, "M_INVALID_PARAM");
    let deep = format!("{}{}", "[".repeat(20_000), "]".repeat(20_000));
    alice
        .call(Method::POST, "createRoom", deep.clone())
        .await
        .refused(400, "M_BAD_JSON");
    let room = alice.create_room(json!({})).await;
    let path = format!("rooms/{room}/send/m.room.message/deep");
    let content = format!(r#"{{"body":"a","msgtype":"m.text","deep":{deep}}}"#);
    let answer = alice.call(Method::PUT, &path, content).await;
    assert_eq!(answer.status, 400, "{}", answer.json);
}

#[tokio::test]
async fn oversized_bodies_are_refused() {
    let server = Server::with(Settings::default().and("[http]\nmax_request_bytes = 100000")).await;
    let alice = server.register("alice").await;
    let name = "x".repeat(200_000);
    alice
        .post("createRoom", json!({ "name": name }))
        .await
        .refused(413, "M_TOO_LARGE");
    let room = alice.create_room(json!({})).await;
    let text = json!({ "msgtype": "m.text", "body": "x".repeat(70_000) });
    alice
        .try_send(&room, "m.room.message", text)
        .await
        .refused(413, "M_TOO_LARGE");
}

#[tokio::test]
async fn who_calls_without_a_valid_token_is_told_so() {
    let server = Server::start().await;
    let stranger = server.stranger();
    stranger
        .get("account/whoami")
        .await
        .refused(401, "M_MISSING_TOKEN");
    stranger
        .post("createRoom", json!({}))
        .await
        .refused(401, "M_MISSING_TOKEN");
    let mut thief = server.register("alice").await;
    let token = std::mem::replace(&mut thief.token, "guess".to_owned());
    let body = thief
        .get("account/whoami")
        .await
        .refused(401, "M_UNKNOWN_TOKEN");
    assert_eq!(body["soft_logout"], false);
    // A token in the query is believed only where the settings say so.
    thief.token.clear();
    thief
        .get(&format!("account/whoami?access_token={token}"))
        .await
        .refused(401, "M_MISSING_TOKEN");
    let server =
        Server::with(Settings::default().and("[http]\naccess_token_in_query = true")).await;
    let alice = server.register("alice").await;
    let answer = server
        .stranger()
        .get(&format!("account/whoami?access_token={}", alice.token))
        .await
        .ok();
    assert_eq!(answer["user_id"], alice.user_id);
}

#[tokio::test]
async fn every_answer_has_cors_headers_and_preflights_cost_nothing() {
    let server = Server::start().await;
    let stranger = server.stranger();
    for path in [
        "/_matrix/client/versions",
        "/_matrix/client/v3/account/whoami",
        "/_matrix/nonsense",
    ] {
        for method in [Method::GET, Method::OPTIONS] {
            let answer = stranger.call(method.clone(), path, "").await;
            assert_eq!(
                answer.header("access-control-allow-origin"),
                "*",
                "{method} {path}"
            );
            let methods = answer.header("access-control-allow-methods");
            assert!(
                ["GET", "POST", "PUT", "DELETE", "OPTIONS"]
                    .iter()
                    .all(|method| methods.contains(method))
            );
            let headers = answer.header("access-control-allow-headers");
            assert!(
                ["X-Requested-With", "Content-Type", "Authorization"]
                    .iter()
                    .all(|name| headers.contains(name))
            );
            if method == Method::OPTIONS {
                assert!(answer.status.is_success() && answer.body.is_empty());
            }
        }
    }
}

#[tokio::test]
async fn who_asks_too_often_is_told_when_to_come_back() {
    let limits = r#"
        [rate_limits]
        message = { per_second = 0.1, burst = 2 }
        exempt_users = ["@bot:test.example"]
        [users.registration]
        mode = "open"
        [users.passwords]
        argon2_memory_kib = 64
        argon2_iterations = 1
    "#;
    let server = Server::with(Settings::new(limits)).await;
    let alice = server.register("alice").await;
    let bot = server.register("bot").await;
    let room = alice.create_room(json!({ "preset": "public_chat" })).await;
    bot.join(&room).await;
    let text = || json!({ "msgtype": "m.text", "body": "hi" });
    for _ in 0..2 {
        let _ = alice.try_send(&room, "m.room.message", text()).await.ok();
    }
    let refused = alice.try_send(&room, "m.room.message", text()).await;
    let seconds: u64 = refused.header("retry-after").parse().unwrap();
    assert!((1..=10).contains(&seconds), "{seconds}");
    let body = refused.refused(429, "M_LIMIT_EXCEEDED");
    assert!((1..=10_000).contains(&body["retry_after_ms"].as_u64().unwrap()));
    for _ in 0..5 {
        let _ = bot.try_send(&room, "m.room.message", text()).await.ok();
    }
    let _ = alice.get("sync").await.ok();
}

#[tokio::test]
async fn guessing_a_password_is_slowed_down_for_that_account_alone() {
    let limits = r#"
        [rate_limits]
        failed_login = { per_second = 0.01, burst = 3 }
        [users.registration]
        mode = "open"
        [users.passwords]
        argon2_memory_kib = 64
        argon2_iterations = 1
    "#;
    let server = Server::with(Settings::new(limits)).await;
    server.register("alice").await;
    server.register("bob").await;
    let guess = |name: &str, password: &str| {
        let user = json!({ "type": "m.id.user", "user": name });
        json!({ "type": "m.login.password", "identifier": user, "password": password })
    };
    for _ in 0..3 {
        server
            .stranger()
            .post("login", guess("alice", "guess"))
            .await
            .refused(403, "M_FORBIDDEN");
    }
    let right = guess("alice", "the password of alice");
    server
        .stranger()
        .post("login", right)
        .await
        .refused(429, "M_LIMIT_EXCEEDED");
    server.log_in("bob").await;
}

#[tokio::test]
async fn figures_are_for_who_may_see_them() {
    let server = Server::with(Settings::default().and("[metrics]\ntoken = \"figures\"")).await;
    let mut prometheus = server.stranger();
    prometheus.get("/metrics").await.refused(403, "M_FORBIDDEN");
    let alice = server.register("alice").await;
    let _ = alice.get("account/whoami").await.ok();
    prometheus.token = "figures".to_owned();
    let figures = prometheus.get("/metrics").await;
    let text = String::from_utf8(figures.body.to_vec()).unwrap();
    let line = text.lines().find(|line| {
        line.starts_with("orvale_http_request_seconds_count") && line.contains("whoami")
    });
    let line = line.unwrap_or_else(|| panic!("no figure of whoami in {text}"));
    assert!(
        line.contains("status=\"200\"") && line.ends_with(" 1"),
        "{line}"
    );
    let without = Server::start().await;
    without
        .stranger()
        .get("/metrics")
        .await
        .refused(404, "M_UNRECOGNIZED");
}

#[tokio::test]
async fn first_page_says_what_runs_here_and_health_says_that_it_does() {
    let server = Server::start().await;
    let page = server.stranger().get("/connect").await;
    let text = String::from_utf8(page.body.to_vec()).unwrap();
    assert!(
        text.contains("test.example") && text.contains(&server.base()),
        "{text}"
    );
    assert!(
        page.header("content-security-policy")
            .contains("default-src 'none'")
    );
    assert_eq!(server.stranger().get("/health").await.ok()["status"], "ok");
}

#[tokio::test]
async fn impossible_settings_are_refused_by_name() {
    let server = Server::start().await;
    let file = server.home().join("wrong.toml");
    for (settings, message) in [
        (
            "sever_name = 'a.example'",
            "sever_name: there is no such setting; did you mean server_name?",
        ),
        (
            "[rate_limits.message]\nper_second = -1.0\nburst = 1",
            "rate_limits.message.per_second: must be above 0",
        ),
        (
            "[users.registration]\nmode = 'sometimes'",
            "users.registration.mode: ",
        ),
    ] {
        std::fs::write(&file, settings).unwrap();
        let output = Command::new(orvale_tests::binary())
            .args(["serve", "--config"])
            .arg(&file)
            .output()
            .unwrap();
        let error = String::from_utf8(output.stderr).unwrap();
        assert!(
            !output.status.success() && error.contains(message),
            "{settings}: {error}"
        );
    }
}

#[tokio::test]
async fn log_has_a_span_for_each_request_and_no_secrets() {
    let settings = Settings::default().and("[log]\nformat = \"json\"\nlevel = \"debug\"");
    let server = Server::with(settings).await;
    let alice = server.register("alice").await;
    let room = alice.create_room(json!({})).await;
    alice
        .send_text(&room, "a word that is nobody's business")
        .await;
    let log = eventually("the log", async || {
        Some(server.log()).filter(|log| !log.is_empty())
    })
    .await;
    for secret in [&alice.token, "the password of alice", "nobody's business"] {
        assert!(!log.contains(secret), "{secret} is in the log");
    }
    for line in log.lines() {
        serde_json::from_str::<serde_json::Value>(line)
            .unwrap_or_else(|_| panic!("no JSON: {line}"));
    }
}

#[tokio::test]
async fn second_server_on_the_same_directory_is_refused() {
    let server = Server::start().await;
    let config = server.home().join("orvale.toml");
    let output = Command::new(orvale_tests::binary())
        .args(["serve", "--config"])
        .arg(config)
        .output()
        .unwrap();
    let error = String::from_utf8(output.stderr).unwrap();
    assert!(!output.status.success(), "{error}");
    let _ = server.stranger().get("/_matrix/client/versions").await.ok();
}
