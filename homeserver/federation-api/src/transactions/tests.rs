//! Transactions as servers send them.

use axum::http::Method;
use serde_json::{Value, json};

use crate::testing::Server;

fn transaction(origin: &str, pdus: Value, edus: Value) -> Value {
    json!({ "origin": origin, "origin_server_ts": 1, "pdus": pdus, "edus": edus })
}

#[tokio::test]
async fn a_transaction_is_taken_once_within_its_bounds_from_who_sends_it() {
    let server = Server::start().await;
    let them = server.knows("them.example").await;
    let path = "/_matrix/federation/v1/send/1";
    let send = async |origin: &str, pdus: Value, edus: Value| {
        let body = transaction(origin, pdus, edus);
        server.ask(&them, Method::PUT, path, Some(body)).await
    };
    send("other.example", json!([]), json!([]))
        .await
        .refused(400, "M_INVALID_PARAM");
    send("them.example", json!(vec![json!({}); 51]), json!([]))
        .await
        .refused(400, "M_TOO_LARGE");
    send("them.example", json!([]), json!(vec![json!({}); 101]))
        .await
        .refused(400, "M_TOO_LARGE");
    send("them.example", json!({}), json!([]))
        .await
        .refused(400, "M_BAD_JSON");
    for _ in 0..2 {
        let answer = send("them.example", json!([{ "type": 7 }]), json!([7, {}])).await;
        assert_eq!(answer.ok(), json!({ "pdus": {} }));
    }
}
