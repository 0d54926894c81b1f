//! What anybody may ask, without a signature.

use axum::http::Method;
use serde_json::{Value, json};

use crate::testing::{Answer, Server};

async fn ask(server: &Server, method: Method, path: &str, body: Value) -> Answer {
    let body = match method {
        Method::GET => Vec::new(),
        _ => body.to_string().into_bytes(),
    };
    server.ask_with("", method, path, body).await
}

#[tokio::test]
async fn what_anybody_may_ask_is_answered_without_a_signature() {
    let server = Server::start().await;
    let version = "/_matrix/federation/v1/version";
    let version = ask(&server, Method::GET, version, Value::Null).await.ok();
    assert_eq!(version["server"]["name"], "Orvale");
    let key = server.state.client.key().clone();
    let own = ask(&server, Method::GET, "/_matrix/key/v2/server", Value::Null);
    let own = own.await.ok();
    assert_eq!(own["verify_keys"][key.key_id()]["key"], key.public_key());
    assert!(own["signatures"]["example.org"][key.key_id()].is_string());
    let named = "/_matrix/key/v2/query/example.org";
    let named = ask(&server, Method::GET, named, Value::Null).await.ok();
    let wanted = json!({ "server_keys": { "example.org": {} } });
    let many = ask(&server, Method::POST, "/_matrix/key/v2/query", wanted).await;
    for told in [named, many.ok()] {
        let told = &told["server_keys"][0];
        assert_eq!(told["server_name"], "example.org");
        assert_eq!(told["verify_keys"], own["verify_keys"]);
    }
}
