use std::sync::atomic::{AtomicUsize, Ordering};

use axum::{Router, http::StatusCode, routing::get};
use ruma::{
    api::federation::{discovery::get_server_version, query::get_profile_information},
    server_name, user_id,
};
use serde_json::json;

use super::*;
use crate::{XMatrix, testing::Network};

fn version() -> get_server_version::v1::Request {
    get_server_version::v1::Request::new()
}

/// Answers with the `Host` header it was asked with.
fn host_teller() -> Router {
    let answer = async |headers: axum::http::HeaderMap| {
        let host = headers["host"].to_str().unwrap().to_owned();
        axum::Json(json!({ "server": { "name": host } }))
    };
    Router::new().route("/_matrix/federation/v1/version", get(answer))
}

async fn asked_host(client: &FederationClient, server: &str) -> Result<String> {
    let server = OwnedServerName::try_from(server).unwrap();
    let response = client.send(&server, version()).await?;
    Ok(response.server.unwrap().name.unwrap())
}

#[tokio::test]
async fn host_and_certificate_are_those_of_the_name_that_was_asked_for() {
    let network = Network::new().await;
    for name in ["a.example", "b.example", "srv.example"] {
        network.name(name);
    }
    let of_b = network.serve(&["b.example"], host_teller()).await;
    let well_known = format!(r#"{{"m.server":"b.example:{of_b}"}}"#);
    let router = Router::new().route("/.well-known/matrix/server", get(async || well_known));
    let https = network.serve(&["a.example"], router).await;
    let client = network.client("us.example", network.config(), https);

    let with_port = format!("b.example:{of_b}");
    assert_eq!(asked_host(&client, &with_port).await.unwrap(), with_port);
    // Delegated: the certificate is the delegate's.
    assert_eq!(asked_host(&client, "a.example").await.unwrap(), with_port);

    // By a service: the certificate is not the target's, but that of the name.
    let of_c = network.serve(&["c.example"], host_teller()).await;
    network.service("_matrix-fed._tcp.c.example", "srv.example", of_c);
    assert_eq!(asked_host(&client, "c.example").await.unwrap(), "c.example");
    let of_srv = network.serve(&["srv.example"], host_teller()).await;
    network.service("_matrix-fed._tcp.d.example", "srv.example", of_srv);
    let error = asked_host(&client, "d.example").await.unwrap_err();
    assert!(matches!(error, Error::NotReached(_)), "{error}");

    // A literal needs a certificate for the address.
    let of_ip = network.serve(&["127.0.0.1"], host_teller()).await;
    let literal = format!("127.0.0.1:{of_ip}");
    assert_eq!(asked_host(&client, &literal).await.unwrap(), literal);
    assert!(
        asked_host(&client, &format!("127.0.0.1:{of_b}"))
            .await
            .is_err()
    );
}

#[tokio::test]
async fn place_that_does_not_answer_is_passed_over_for_the_next() {
    let network = Network::new().await;
    network.name("srv.example");
    let port = network.serve(&["a.example"], host_teller()).await;
    network.service("_matrix-fed._tcp.a.example", "gone.example", 1);
    network.service("_matrix-fed._tcp.a.example", "srv.example", 9);
    network.service("_matrix-fed._tcp.a.example", "srv.example", port);
    let client = network.client("us.example", network.config(), 9);
    assert_eq!(asked_host(&client, "a.example").await.unwrap(), "a.example");
}

#[tokio::test]
async fn private_addresses_are_not_connected_to_unless_allowed() {
    let network = Network::new().await;
    let port = network
        .serve(&["127.0.0.1", "localhost"], host_teller())
        .await;
    let config = Config {
        allowed_private_ranges: Vec::new(),
        ..network.config()
    };
    let client = network.client("us.example", config, 9);
    for server in [format!("127.0.0.1:{port}"), format!("localhost:{port}")] {
        let error = asked_host(&client, &server).await.unwrap_err();
        assert!(error.to_string().contains("public address"), "{error}");
    }
}

#[tokio::test]
async fn certificate_of_an_unknown_authority_is_refused() {
    let network = Network::new().await;
    let port = network.serve(&["localhost"], host_teller()).await;
    let config = Config {
        extra_ca_file: None,
        ..network.config()
    };
    let client = network.client("us.example", config, 9);
    let error = asked_host(&client, &format!("localhost:{port}"))
        .await
        .unwrap_err();
    assert!(error.to_string().contains("UnknownIssuer"), "{error}");
}

#[tokio::test]
async fn request_carries_a_signature_that_the_other_can_check() {
    let network = Network::new().await;
    let answer = async |request: axum::extract::Request| {
        let header = request.headers()["authorization"]
            .to_str()
            .unwrap()
            .to_owned();
        let uri = request.uri().path_and_query().unwrap().to_string();
        axum::Json(json!({ "displayname": header, "avatar_url": format!("mxc://x/{}", uri.len()) }))
    };
    let router = Router::new().route("/_matrix/federation/v1/query/profile", get(answer));
    let port = network.serve(&["localhost"], router).await;
    let to = OwnedServerName::try_from(format!("localhost:{port}")).unwrap();
    let client = network.client("us.example", network.config(), 9);
    let mut alive = client.alive();
    let request = get_profile_information::v1::Request::new(user_id!("@a:x").to_owned());
    let response = client.send(&to, request).await.unwrap();
    let header = response
        .get("displayname")
        .unwrap()
        .as_str()
        .unwrap()
        .to_owned();
    let read = XMatrix::parse(&header).unwrap();
    assert_eq!(read.origin, "us.example");
    assert_eq!(read.destination.as_deref(), Some(&*to));
    use base64::Engine;
    let public = crate::signing::BASE64
        .decode(client.key().public_key())
        .unwrap();
    let uri = "/_matrix/federation/v1/query/profile?user_id=%40a%3Ax";
    assert!(read.is_signed_by(&public, &http::Method::GET, uri, &to, None));
    assert_eq!(alive.recv().await.unwrap(), to);
}

#[tokio::test]
async fn answers_are_told_from_not_having_been_reached() {
    let network = Network::new().await;
    let mut servers = Vec::new();
    let limited = r#"{"errcode":"M_LIMIT_EXCEEDED","error":"slow","retry_after_ms":15000}"#;
    for (status, body) in [
        (
            StatusCode::FORBIDDEN,
            r#"{"errcode":"M_FORBIDDEN","error":"no"}"#.to_owned(),
        ),
        (StatusCode::TOO_MANY_REQUESTS, limited.to_owned()),
        (StatusCode::NOT_FOUND, "nothing here".to_owned()),
        (StatusCode::BAD_GATEWAY, "<html>".to_owned()),
        (StatusCode::OK, "not JSON".to_owned()),
        (
            StatusCode::OK,
            format!("{{\"x\":\"{}\"}}", "x".repeat(2000)),
        ),
    ] {
        let router = Router::new().fallback(async move || (status, body));
        let port = network.serve(&["localhost"], router).await;
        servers.push(OwnedServerName::try_from(format!("localhost:{port}")).unwrap());
    }
    let config = Config {
        max_response_bytes: 1000,
        ..network.config()
    };
    let client = network.client("us.example", config, 9);
    let mut errors = Vec::new();
    for server in &servers {
        errors.push(client.send(server, version()).await.unwrap_err());
    }
    let answered = errors[0].answered().unwrap();
    assert_eq!(
        (answered.status.as_u16(), &*answered.errcode),
        (403, "M_FORBIDDEN")
    );
    let delay = errors[1].answered().unwrap().retry_after;
    assert_eq!(delay, Some(Duration::from_secs(15)));
    assert!(!errors[1].is_answer(), "another time it may be another");
    assert!(errors[2].is_unrecognised() && errors[2].is_answer());
    assert!(matches!(errors[3], Error::NotReached(_)));
    assert!(matches!(errors[4], Error::BadAnswer(_)));
    assert!(matches!(errors[5], Error::TooLarge(1000)));
}

#[tokio::test]
async fn a_server_that_wants_a_moment_is_asked_again_then_and_one_that_wants_more_is_not() {
    let network = Network::new().await;
    let client = network.client("us.example", network.config(), 9);
    let short = r#"{"errcode":"M_LIMIT_EXCEEDED","error":"slow","retry_after_ms":1}"#;
    let long = r#"{"errcode":"M_LIMIT_EXCEEDED","error":"slow","retry_after_ms":60000}"#;
    for (refusal, refusals, asked) in [(short, 2, 3), (short, 99, MOST_TRIES), (long, 1, 1)] {
        let count = Arc::new(AtomicUsize::new(0));
        let seen = count.clone();
        let answer = async move || match seen.fetch_add(1, Ordering::Relaxed) < refusals {
            true => (StatusCode::TOO_MANY_REQUESTS, refusal),
            false => (StatusCode::OK, "{}"),
        };
        let port = network
            .serve(&["localhost"], Router::new().fallback(answer))
            .await;
        let server = OwnedServerName::try_from(format!("localhost:{port}")).unwrap();
        let answer = client.send(&server, version()).await;
        assert_eq!(count.load(Ordering::Relaxed), asked);
        assert_eq!(answer.is_ok(), refusals < asked);
        // Who waits by themselves is told at once.
        count.store(0, Ordering::Relaxed);
        let error = client.send_once(&server, version()).await.unwrap_err();
        assert!(error.wants_pause().is_some(), "{error}");
        assert_eq!(count.load(Ordering::Relaxed), 1);
        // So with what is opened.
        let open = |bounds| client.open(&server, version(), bounds);
        count.store(0, Ordering::Relaxed);
        assert_eq!(open(client.bounds()).await.is_ok(), refusals < asked);
        assert_eq!(count.load(Ordering::Relaxed), asked);
    }
}

#[tokio::test]
async fn time_is_bounded_from_the_first_byte_to_the_last() {
    let network = Network::new().await;
    let never = async || {
        tokio::time::sleep(Duration::from_secs(600)).await;
        "{}"
    };
    let router = Router::new().route("/_matrix/federation/v1/version", get(never));
    let port = network.serve(&["localhost"], router).await;
    let server = OwnedServerName::try_from(format!("localhost:{port}")).unwrap();
    let client = network.client("us.example", network.config(), 9);
    let bounds = Bounds {
        timeout: Duration::from_millis(300),
        ..client.bounds()
    };
    let error = client
        .send_within(&server, version(), bounds)
        .await
        .unwrap_err();
    assert!(matches!(error, Error::NotReached(_)), "{error}");
}

#[tokio::test]
async fn nobody_is_asked_who_may_not_be() {
    let network = Network::new().await;
    let client = network.client("us.example", network.config(), 9);
    let error = client
        .send(server_name!("us.example"), version())
        .await
        .unwrap_err();
    assert!(matches!(error, Error::NotAllowed(_)));
    let off = Config {
        enabled: false,
        ..network.config()
    };
    let client = network.client("us.example", off, 9);
    let error = client
        .send(server_name!("a.example"), version())
        .await
        .unwrap_err();
    assert!(matches!(error, Error::NotAllowed(_)));
}
