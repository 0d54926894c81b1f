//! Endpoints of the specification through a router, as a client meets them.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails there")]

use axum::{
    Router,
    body::Body,
    extract::{FromRef, State},
    response::Response,
};
use http::{Method, Request, StatusCode, header};
use http_body_util::BodyExt;
use orvale_http::{
    Authenticator, BodyLimit, Caller, ClientAddress, Edge, Endpoints, Limits, LimitsConfig,
    MatrixError, OptionalCaller, Rate, Ruma,
};
use orvale_storage::Store;
use orvale_users::{Clock, Config, NewAccount, Users};
use ruma::{
    api::client::{
        account::whoami, membership::join_room_by_id_or_alias, room::create_room, session::login,
        state::get_state_event_for_key, sync::sync_events, typing::create_typing_event,
    },
    server_name, user_id,
};
use serde_json::{Value, json, value::RawValue};
use tower::ServiceExt;

#[derive(Clone, FromRef)]
struct Api {
    authenticator: Authenticator,
    name: &'static str,
}

async fn typing(
    caller: Caller,
    Ruma(request): Ruma<create_typing_event::v3::Request>,
) -> Result<create_typing_event::v3::Response, MatrixError> {
    caller.must_be(&request.user_id)?;
    assert_eq!(request.room_id, "!a/b:a.example");
    Ok(create_typing_event::v3::Response::new())
}

async fn create(
    State(name): State<&'static str>,
    _: Caller,
    _: Ruma<create_room::v3::Request>,
) -> Result<create_room::v3::Response, MatrixError> {
    let room_id = format!("!room:{name}").try_into().unwrap();
    Ok(create_room::v3::Response::new(room_id))
}

async fn join(
    _: Caller,
    Ruma(request): Ruma<join_room_by_id_or_alias::v3::Request>,
) -> Result<join_room_by_id_or_alias::v3::Response, MatrixError> {
    let room_id = request.room_id_or_alias.try_into();
    let room_id = room_id.map_err(|_| MatrixError::invalid_param("That is an alias"))?;
    Ok(join_room_by_id_or_alias::v3::Response::new(room_id))
}

async fn who(
    OptionalCaller(caller): OptionalCaller,
    _: Ruma<whoami::v3::Request>,
) -> Result<whoami::v3::Response, MatrixError> {
    let user_id = caller.map_or_else(
        || user_id!("@nobody:a.example").to_owned(),
        |caller| caller.user_id().to_owned(),
    );
    Ok(whoami::v3::Response::new(user_id, false))
}

async fn state_event(
    Ruma(request): Ruma<get_state_event_for_key::v3::Request>,
) -> Result<get_state_event_for_key::v3::Response, MatrixError> {
    let content = json!({ "type": request.event_type.to_string(), "key": request.state_key });
    let content = RawValue::from_string(content.to_string()).unwrap();
    Ok(get_state_event_for_key::v3::Response::new(content))
}

async fn log_in(_: Ruma<login::v3::Request>) -> Result<login::v3::Response, MatrixError> {
    Err(MatrixError::forbidden("No"))
}

async fn sync(
    Ruma(request): Ruma<sync_events::v3::Request>,
) -> Result<sync_events::v3::Response, MatrixError> {
    let since = request.since.unwrap_or_default();
    Ok(sync_events::v3::Response::new(since))
}

fn router(users: Users, limits: LimitsConfig) -> Router {
    let limits = Limits::new(limits);
    let authenticator = Authenticator::new(users, limits.clone(), true);
    Router::new()
        .endpoint(typing)
        .endpoint(create)
        .endpoint(join)
        .endpoint(who)
        .endpoint(state_event)
        .endpoint(log_in)
        .endpoint(sync)
        .fallback(async || MatrixError::no_such_endpoint())
        .method_not_allowed_fallback(async || MatrixError::no_such_method())
        .layer(Edge::new(limits, BodyLimit(2000)))
        .with_state(Api {
            authenticator,
            name: "a.example",
        })
}

/// Alice's access token is "secret" in these tests, whatever it is this time.
async fn call_with(
    limits: LimitsConfig,
    method: Method,
    uri: &str,
    token: &str,
    body: &str,
) -> (StatusCode, Value, Response<()>) {
    let name = server_name!("a.example");
    let users = Users::new(Store::in_memory(), name, Config::default(), Clock::system()).unwrap();
    let alice = NewAccount {
        localpart: Some("alice"),
        ..NewAccount::default()
    };
    let alice = users.create_account(alice).await.unwrap();
    let session = users.open_session(&alice, None, None, false).await.unwrap();
    let secret = |text: &str| text.replace("secret", &session.access_token);
    let (uri, token) = (secret(uri), secret(token));
    let request = Request::builder()
        .method(method)
        .uri(uri)
        .extension(ClientAddress("192.0.2.1".parse().unwrap()));
    let request = if token.is_empty() {
        request
    } else {
        request.header(header::AUTHORIZATION, format!("Bearer {token}"))
    };
    let request = request.body(Body::from(body.to_owned())).unwrap();
    let (parts, body) = router(users, limits)
        .oneshot(request)
        .await
        .unwrap()
        .into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    let json = serde_json::from_slice(&body).unwrap_or(Value::Null);
    (parts.status, json, Response::from_parts(parts, ()))
}

async fn call(method: Method, uri: &str, token: &str, body: &str) -> (u16, Value) {
    let (status, json, response) =
        call_with(LimitsConfig::default(), method, uri, token, body).await;
    assert_eq!(
        response.headers()[header::ACCESS_CONTROL_ALLOW_ORIGIN],
        "*",
        "every answer has CORS headers"
    );
    (status.as_u16(), json)
}

const TYPING: &str = "/_matrix/client/v3/rooms/!a%2Fb:a.example/typing/@alice:a.example";
const CREATE: &str = "/_matrix/client/v3/createRoom";

async fn refused(method: Method, uri: &str, token: &str, body: &str, status: u16, errcode: &str) {
    let (found, json) = call(method.clone(), uri, token, body).await;
    assert_eq!(
        (found, &json["errcode"]),
        (status, &json!(errcode)),
        "{method} {uri} {body}: {json}"
    );
    assert!(json["error"].as_str().is_some_and(|error| error.len() > 10));
}

#[tokio::test]
async fn path_arguments_arrive_decoded_and_body_parsed() {
    let (status, json) = call(Method::PUT, TYPING, "secret", r#"{"typing":false}"#).await;
    assert_eq!((status, json), (200, json!({})));
}

#[tokio::test]
async fn older_path_of_an_endpoint_answers_too() {
    let old = TYPING.replace("v3", "r0");
    assert_eq!(
        call(Method::PUT, &old, "secret", r#"{"typing":false}"#)
            .await
            .0,
        200
    );
}

#[tokio::test]
async fn empty_body_stands_for_an_empty_object() {
    let (status, json) = call(Method::POST, CREATE, "secret", "").await;
    assert_eq!(
        (status, json),
        (200, json!({ "room_id": "!room:a.example" }))
    );
    // ruma parses this one by hand.
    let join = "/_matrix/client/v3/join/!room:a.example";
    assert_eq!(call(Method::POST, join, "secret", "").await.0, 200);
}

#[tokio::test]
async fn empty_state_key_may_be_left_out() {
    let base = "/_matrix/client/v3/rooms/!a:a.example/state/m.room.name";
    for (uri, key) in [
        (base.to_owned(), ""),
        (format!("{base}/"), ""),
        (format!("{base}/a%20b"), "a b"),
    ] {
        let (status, json) = call(Method::GET, &uri, "", "").await;
        assert_eq!(
            (status, json),
            (200, json!({ "type": "m.room.name", "key": key })),
            "{uri}"
        );
    }
}

#[tokio::test]
async fn malformed_bodies_are_refused_by_what_is_wrong_with_them() {
    for (body, errcode) in [
        ("{", "M_NOT_JSON"),
        ("nonsense", "M_NOT_JSON"),
        ("{\"name\": \"\u{fffd}\"} trailing", "M_NOT_JSON"),
        ("[1]", "M_BAD_JSON"),
        (r#"{"name": 5}"#, "M_BAD_JSON"),
        (r#"{"invite": ["no user id"]}"#, "M_BAD_JSON"),
    ] {
        refused(Method::POST, CREATE, "secret", body, 400, errcode).await;
    }
    // Not taken for the values without their names.
    refused(Method::PUT, TYPING, "secret", "[false]", 400, "M_BAD_JSON").await;
    // An empty body is an empty object, which lacks what this endpoint needs.
    refused(Method::PUT, TYPING, "secret", "", 400, "M_BAD_JSON").await;
}

#[tokio::test]
async fn malformed_parameters_are_refused() {
    let bad_room = "/_matrix/client/v3/rooms/nonsense/typing/@alice:a.example";
    refused(
        Method::PUT,
        bad_room,
        "secret",
        r#"{"typing":false}"#,
        400,
        "M_INVALID_PARAM",
    )
    .await;
    let bad_utf8 = "/_matrix/client/v3/rooms/%ff/typing/@alice:a.example";
    refused(
        Method::PUT,
        bad_utf8,
        "secret",
        r#"{"typing":false}"#,
        400,
        "M_INVALID_PARAM",
    )
    .await;
    let bad_query = "/_matrix/client/v3/sync?timeout=soon";
    refused(Method::GET, bad_query, "", "", 400, "M_INVALID_PARAM").await;
}

#[tokio::test]
async fn body_over_the_limit_is_refused() {
    let body = format!(r#"{{"name":"{}"}}"#, "x".repeat(2000));
    refused(Method::POST, CREATE, "secret", &body, 413, "M_TOO_LARGE").await;
}

#[tokio::test]
async fn request_without_valid_token_is_refused_before_its_body_is_read() {
    refused(Method::POST, CREATE, "", "{", 401, "M_MISSING_TOKEN").await;
    refused(Method::POST, CREATE, "wrong", "{", 401, "M_UNKNOWN_TOKEN").await;
    let in_query = format!("{CREATE}?access_token=wrong");
    refused(Method::POST, &in_query, "", "", 401, "M_UNKNOWN_TOKEN").await;
    let in_query = format!("{CREATE}?access_token=secret");
    assert_eq!(call(Method::POST, &in_query, "", "").await.0, 200);
}

#[tokio::test]
async fn optional_token_must_be_valid_if_given() {
    let uri = "/_matrix/client/v3/account/whoami";
    assert_eq!(
        call(Method::GET, uri, "", "").await.1["user_id"],
        "@nobody:a.example"
    );
    assert_eq!(
        call(Method::GET, uri, "secret", "").await.1["user_id"],
        "@alice:a.example"
    );
    refused(Method::GET, uri, "wrong", "", 401, "M_UNKNOWN_TOKEN").await;
}

#[tokio::test]
async fn caller_cannot_act_for_somebody_else() {
    let bob = TYPING.replace("@alice", "@bob");
    refused(
        Method::PUT,
        &bob,
        "secret",
        r#"{"typing":false}"#,
        403,
        "M_FORBIDDEN",
    )
    .await;
}

#[tokio::test]
async fn unknown_path_and_wrong_method_are_unrecognized() {
    refused(
        Method::GET,
        "/_matrix/client/v3/nonsense",
        "",
        "",
        404,
        "M_UNRECOGNIZED",
    )
    .await;
    refused(Method::DELETE, CREATE, "", "", 405, "M_UNRECOGNIZED").await;
}

#[tokio::test]
async fn preflight_is_answered_without_asking_the_endpoint() {
    for uri in [CREATE, "/_matrix/client/v3/nonsense"] {
        let (status, _) = call(Method::OPTIONS, uri, "wrong", "").await;
        assert_eq!(status, 204);
    }
}

#[tokio::test]
async fn limits_are_by_user_behind_the_token_and_by_address_before_it() {
    let none = Rate {
        per_second: 0.001,
        burst: 0,
    };
    let limits = LimitsConfig {
        create_room: none,
        login: none,
        ..LimitsConfig::default()
    };
    let login = r#"{"type":"m.login.password"}"#;
    for (uri, token, body) in [
        (CREATE, "secret", ""),
        ("/_matrix/client/v3/login", "", login),
    ] {
        let (status, json, response) =
            call_with(limits.clone(), Method::POST, uri, token, body).await;
        assert_eq!(
            (status.as_u16(), &json["errcode"]),
            (429, &json!("M_LIMIT_EXCEEDED"))
        );
        assert!(json["retry_after_ms"].as_u64().unwrap() > 0);
        assert!(response.headers().contains_key(header::RETRY_AFTER));
        assert_eq!(response.headers()[header::ACCESS_CONTROL_ALLOW_ORIGIN], "*");
    }
    // Without a token nobody's bucket is touched.
    let (status, ..) = call_with(limits, Method::POST, CREATE, "", "").await;
    assert_eq!(status.as_u16(), 401);
}

#[tokio::test]
async fn handler_that_panics_is_answered_for() {
    let broken = async || -> &'static str { panic!("on purpose") };
    let router: Router = Router::new()
        .route("/_matrix/broken", axum::routing::get(broken))
        .layer(Edge::new(
            Limits::new(LimitsConfig::default()),
            BodyLimit::default(),
        ));
    let request = Request::get("/_matrix/broken").body(Body::empty()).unwrap();
    let response = router.oneshot(request).await.unwrap();
    assert_eq!(response.status(), 500);
    assert_eq!(response.headers()[header::ACCESS_CONTROL_ALLOW_ORIGIN], "*");
    let body = response.into_body().collect().await.unwrap().to_bytes();
    let body: Value = serde_json::from_slice(&body).unwrap();
    assert_eq!(body["errcode"], "M_UNKNOWN");
}

#[tokio::test]
async fn body_that_nobody_wants_is_read_all_the_same() {
    use axum::body::Bytes;
    use futures_util::stream;
    use std::sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    };

    let written = Arc::new(AtomicUsize::new(0));
    let counted = written.clone();
    let chunks = stream::iter((0..100).map(move |_| {
        counted.fetch_add(1, Ordering::Relaxed);
        Ok::<_, std::io::Error>(Bytes::from_static(&[b' '; 1000]))
    }));
    let router: Router = Router::new()
        .fallback(async || MatrixError::no_such_endpoint())
        .layer(Edge::new(
            Limits::new(LimitsConfig::default()),
            BodyLimit::default(),
        ));
    let request = Request::post("/_matrix/nonsense")
        .body(Body::from_stream(chunks))
        .unwrap();
    assert_eq!(router.oneshot(request).await.unwrap().status(), 404);
    while written.load(Ordering::Relaxed) < 100 {
        tokio::task::yield_now().await;
    }
}
