use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use axum::{
    Router,
    http::{StatusCode, header},
    routing::get,
};
use orvale_outward::Guard;
use ruma::server_name;

use super::*;
use crate::{connect::tls, testing::Network};

/// How often `.well-known` was asked.
type Count = Arc<AtomicUsize>;

/// A discovery in a network where `.well-known` of `a.example` answers this.
async fn with_answer(status: StatusCode, body: &'static str) -> (Network, Discovery, Count) {
    let count = Count::default();
    let counted = count.clone();
    let router = Router::new().route(
        "/.well-known/matrix/server",
        get(async move || {
            counted.fetch_add(1, Ordering::Relaxed);
            (status, body)
        }),
    );
    let network = Network::new().await;
    network.name("a.example");
    let port = network.serve(&["a.example"], router).await;
    let discovery = discovery(&network, port, &network.config());
    (network, discovery, count)
}

fn discovery(network: &Network, https_port: u16, config: &Config) -> Discovery {
    let guard = Guard::new(config.allowed_private_ranges.clone());
    let web = Web::new(network.names(), guard, tls(config).unwrap(), config).unwrap();
    Discovery::new(network.names(), web, config, https_port)
}

/// A network in which there is nothing but DNS.
async fn without_answer() -> (Network, Discovery) {
    let network = Network::new().await;
    let discovery = discovery(&network, 9, &network.config());
    (network, discovery)
}

async fn resolve(discovery: &Discovery, server: &str) -> (String, Vec<Target>) {
    let server = OwnedServerName::try_from(server).unwrap();
    let authority = discovery.authority(&server).await;
    let targets = discovery.targets(&authority).await.unwrap();
    (authority.to_string(), targets)
}

fn address(address: &str, port: u16) -> Vec<Target> {
    vec![Target {
        host: Host::Address(address.parse().unwrap()),
        port,
    }]
}

#[tokio::test]
async fn step_1_a_literal_is_the_address() {
    let (_network, discovery) = without_answer().await;
    for (server, ip, port) in [
        ("192.0.2.7", "192.0.2.7", 8448),
        ("192.0.2.7:80", "192.0.2.7", 80),
        ("[2001:db8::1]", "2001:db8::1", 8448),
        ("[2001:db8::1]:80", "2001:db8::1", 80),
    ] {
        assert_eq!(
            resolve(&discovery, server).await,
            (server.to_owned(), address(ip, port))
        );
    }
}

#[tokio::test]
async fn step_2_a_name_with_a_port_asks_nobody_else() {
    let (network, discovery, count) =
        with_answer(StatusCode::OK, r#"{"m.server":"b.example"}"#).await;
    network.service("_matrix-fed._tcp.a.example", "c.example", 1);
    let found = resolve(&discovery, "a.example:80").await;
    assert_eq!(
        found,
        (
            "a.example:80".to_owned(),
            vec![Target::named("a.example", 80)]
        )
    );
    assert_eq!(count.load(Ordering::Relaxed), 0);
}

#[tokio::test]
async fn step_3_1_delegation_to_a_literal() {
    for (body, authority, port) in [
        (r#"{"m.server":"192.0.2.7"}"#, "192.0.2.7", 8448),
        (r#"{"m.server":"192.0.2.7:80"}"#, "192.0.2.7:80", 80),
    ] {
        let (_network, discovery, _) = with_answer(StatusCode::OK, body).await;
        let found = resolve(&discovery, "a.example").await;
        assert_eq!(found, (authority.to_owned(), address("192.0.2.7", port)));
    }
}

#[tokio::test]
async fn step_3_2_delegation_to_a_name_with_a_port() {
    let (network, discovery, _) =
        with_answer(StatusCode::OK, r#"{"m.server":"b.example:80"}"#).await;
    network.service("_matrix-fed._tcp.b.example", "c.example", 1);
    let found = resolve(&discovery, "a.example").await;
    assert_eq!(
        found,
        (
            "b.example:80".to_owned(),
            vec![Target::named("b.example", 80)]
        )
    );
}

#[tokio::test]
async fn step_3_3_delegation_to_a_name_with_a_service() {
    let (network, discovery, _) = with_answer(StatusCode::OK, r#"{"m.server":"b.example"}"#).await;
    network.service("_matrix-fed._tcp.b.example", "c.example", 1);
    network.service("_matrix._tcp.b.example", "d.example", 2);
    let found = resolve(&discovery, "a.example").await;
    assert_eq!(
        found,
        ("b.example".to_owned(), vec![Target::named("c.example", 1)])
    );
}

#[tokio::test]
async fn step_3_4_delegation_to_a_name_with_a_service_of_the_old_kind() {
    let (network, discovery, _) = with_answer(StatusCode::OK, r#"{"m.server":"b.example"}"#).await;
    network.service("_matrix._tcp.b.example", "d.example", 2);
    let found = resolve(&discovery, "a.example").await;
    assert_eq!(
        found,
        ("b.example".to_owned(), vec![Target::named("d.example", 2)])
    );
}

#[tokio::test]
async fn step_3_5_delegation_to_a_name_alone() {
    let (_network, discovery, _) = with_answer(StatusCode::OK, r#"{"m.server":"b.example"}"#).await;
    let found = resolve(&discovery, "a.example").await;
    assert_eq!(
        found,
        (
            "b.example".to_owned(),
            vec![Target::named("b.example", 8448)]
        )
    );
}

#[tokio::test]
async fn steps_4_to_6_without_an_answer_the_name_itself_is_looked_up() {
    let (network, discovery) = without_answer().await;
    let found = resolve(&discovery, "a.example").await;
    assert_eq!(
        found,
        (
            "a.example".to_owned(),
            vec![Target::named("a.example", 8448)]
        )
    );

    network.service("_matrix._tcp.b.example", "d.example", 2);
    let found = resolve(&discovery, "b.example").await;
    assert_eq!(
        found,
        ("b.example".to_owned(), vec![Target::named("d.example", 2)])
    );

    network.service("_matrix._tcp.c.example", "d.example", 2);
    network.service("_matrix-fed._tcp.c.example", "e.example", 3);
    let found = resolve(&discovery, "c.example").await;
    assert_eq!(
        found,
        ("c.example".to_owned(), vec![Target::named("e.example", 3)])
    );
}

#[tokio::test]
async fn answers_that_are_none_are_passed_over() {
    let long: &'static str = Box::leak(
        format!(r#"{{"m.server":"b.example","x":"{}"}}"#, "x".repeat(70_000)).into_boxed_str(),
    );
    for (status, body) in [
        (StatusCode::NOT_FOUND, r#"{"m.server":"b.example"}"#),
        (StatusCode::OK, "not JSON"),
        (StatusCode::OK, "{}"),
        (StatusCode::OK, r#"{"m.server":7}"#),
        (StatusCode::OK, r#"{"m.server":"https://b.example"}"#),
        (StatusCode::OK, long),
    ] {
        let (_network, discovery, _) = with_answer(status, body).await;
        let authority = discovery.authority(server_name!("a.example")).await;
        assert_eq!(authority, "a.example", "{status} {body:.40}");
    }
}

#[tokio::test]
async fn answers_and_failures_are_kept() {
    for status in [StatusCode::OK, StatusCode::NOT_FOUND] {
        let (_network, discovery, count) = with_answer(status, r#"{"m.server":"b.example"}"#).await;
        for _ in 0..3 {
            discovery.authority(server_name!("a.example")).await;
        }
        assert_eq!(count.load(Ordering::Relaxed), 1);
    }
}

#[tokio::test]
async fn redirections_are_followed_but_not_for_ever_and_not_out_of_tls() {
    let to = |place: &'static str| async move || (StatusCode::FOUND, [(header::LOCATION, place)]);
    let network = Network::new().await;
    let mut authorities = Vec::new();
    for place in [
        "/there",
        "/.well-known/matrix/server",
        "http://a.example/there",
    ] {
        let router = Router::new()
            .route("/.well-known/matrix/server", get(to(place)))
            .route("/there", get(async || r#"{"m.server":"b.example"}"#));
        let name = format!("r{}.example", authorities.len());
        network.name(&name);
        let port = network.serve(&[&name], router).await;
        let discovery = discovery(&network, port, &network.config());
        let name = OwnedServerName::try_from(name).unwrap();
        authorities.push(discovery.authority(&name).await.to_string());
    }
    assert_eq!(authorities, ["b.example", "r1.example", "r2.example"]);
}

#[tokio::test]
async fn well_known_of_a_private_address_is_not_asked() {
    let (network, _, count) = with_answer(StatusCode::OK, r#"{"m.server":"b.example"}"#).await;
    let config = Config {
        allowed_private_ranges: Vec::new(),
        ..network.config()
    };
    let discovery = discovery(&network, 443, &config);
    assert_eq!(
        discovery.authority(server_name!("a.example")).await,
        "a.example"
    );
    assert_eq!(count.load(Ordering::Relaxed), 0);
}
