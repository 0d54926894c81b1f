//! Who asks: the server whose signature is on the request.
//!
//! <https://spec.matrix.org/v1.19/server-server-api/#request-authentication>

use std::ops::Deref;

use axum::{
    body::Body,
    extract::{FromRequestParts, Request, State},
    middleware::Next,
    response::{IntoResponse, Response},
};
use http::{StatusCode, header, request::Parts};
use orvale_federation_client::{FederationClient, XMatrix, canonical};
use orvale_http::{Class, Limits, MatrixError, read_body};
use ruma::{OwnedServerName, ServerName};

/// Where transactions arrive.
const TRANSACTIONS: &str = "/_matrix/federation/v1/send/";

/// The server that asks, known by its signature.
#[derive(Debug, Clone)]
pub struct Origin(OwnedServerName);

impl Deref for Origin {
    type Target = ServerName;

    fn deref(&self) -> &ServerName {
        &self.0
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Origin {
    type Rejection = MatrixError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, MatrixError> {
        let origin = parts.extensions.get().cloned();
        origin.ok_or_else(|| unauthorised("This endpoint is for other servers"))
    }
}

/// The layer around all endpoints that servers sign their requests to.
pub(crate) async fn authenticate(
    State((client, limits)): State<(FederationClient, Limits)>,
    request: Request,
    next: Next,
) -> Response {
    let class = match request.uri().path().starts_with(TRANSACTIONS) {
        true => Class::Transaction,
        false => Class::Server,
    };
    let verified = verified(&client, request).await;
    // Whose limit it is has to be certain, or anybody could use up somebody else's.
    let allowed = verified.and_then(|(origin, request)| {
        limits.server(class, &origin)?;
        Ok(request)
    });
    match allowed {
        Ok(request) => next.run(request).await,
        Err(refusal) => refusal.into_response(),
    }
}

/// Who asks, and the request with its [`Origin`] and its whole body, if its signature is right.
async fn verified(
    client: &FederationClient,
    request: Request,
) -> Result<(OwnedServerName, Request), MatrixError> {
    let (mut parts, body) = request.into_parts();
    let header = parts.headers.get(header::AUTHORIZATION);
    let header = header.and_then(|value| value.to_str().ok());
    let header = header.ok_or_else(|| unauthorised("The header Authorization is missing"))?;
    let header = XMatrix::parse(header).map_err(|error| unauthorised(error.to_string()))?;
    let us = client.server_name();
    if header
        .destination
        .as_deref()
        .is_some_and(|named| named != us)
    {
        return Err(unauthorised("The request is signed for another server"));
    }
    if header.origin == us {
        return Err(unauthorised("This server does not ask itself"));
    }
    let key = client.key_of_request(&header.origin, &header.key_id).await;
    let key = key.map_err(|error| MatrixError::unexpected(&error))?;
    let key = key.ok_or_else(|| {
        let message = format!(
            "The key {} of {} cannot be found, or is no longer valid",
            header.key_id, header.origin
        );
        unauthorised(message)
    })?;

    let body = read_body(&parts, body).await?;
    let content = match &body[..] {
        [] => None,
        body => Some(
            canonical(body)
                .map_err(|error| MatrixError::not_json(format!("The body is not JSON: {error}")))?,
        ),
    };
    let uri = parts.uri.path_and_query().map_or("/", |uri| uri.as_str());
    if !header.is_signed_by(&key, &parts.method, uri, us, content.as_deref()) {
        return Err(unauthorised("The signature is not right for this request"));
    }
    client.heard_from(&header.origin);
    tracing::Span::current().record("server_name", header.origin.as_str());
    parts.extensions.insert(Origin(header.origin.clone()));
    Ok((header.origin, Request::from_parts(parts, Body::from(body))))
}

fn unauthorised(message: impl Into<std::borrow::Cow<'static, str>>) -> MatrixError {
    MatrixError::new(StatusCode::UNAUTHORIZED, "M_UNAUTHORIZED", message)
}

#[cfg(test)]
mod tests {
    use axum::{Router, http::Method, middleware, routing::put};
    use orvale_federation_client::authorization;
    use orvale_http::{LimitsConfig, Rate};
    use ruma::server_name;
    use serde_json::json;

    use super::*;
    use crate::testing::Server;

    /// A server with one endpoint, which says who asked and what.
    async fn server() -> Server {
        let said = async |origin: Origin, body: String| format!("[\"{}\",{body}]", &*origin);
        Server::with(LimitsConfig::default(), |client, limits| {
            let known = (client.clone(), limits.clone());
            let layer = middleware::from_fn_with_state(known, authenticate);
            Router::new().route("/said", put(said)).route_layer(layer)
        })
        .await
    }

    #[tokio::test]
    async fn handler_sees_who_asked_and_the_body() {
        let server = server().await;
        let them = server.knows("them.example").await;
        let mut alive = server.state.client.alive();
        let answer = server
            .ask(
                &them,
                Method::PUT,
                "/said?x=%20y",
                Some(json!({ "b": 1.5, "a": [] })),
            )
            .await;
        assert_eq!(answer.ok(), json!(["them.example", { "a": [], "b": 1.5 }]));
        assert_eq!(alive.recv().await.unwrap(), "them.example");
    }

    #[tokio::test]
    async fn what_is_not_signed_for_this_request_is_refused() {
        let server = server().await;
        let them = server.knows("them.example").await;
        let us = server_name!("example.org");
        let body: &[u8] = br#"{"a":1}"#;
        let header =
            |method: &Method, uri: &str, to| authorization(&them, method, uri, to, Some(body));
        let right = header(&Method::PUT, "/said", us);
        let forged = orvale_events::ServerKey::generate(server_name!("them.example").to_owned());
        let unknown = authorization(&forged, &Method::PUT, "/said", us, Some(body));
        let ours = authorization(
            server.state.client.key(),
            &Method::PUT,
            "/said",
            us,
            Some(body),
        );
        let as_another = right.replace("them.example", "other.example");
        server.knows("other.example").await;
        for (header, uri, body) in [
            (&right, "/said?x", body),
            (&right, "/said", &br#"{"a":2}"#[..]),
            (&right, "/said", &[]),
            (&header(&Method::POST, "/said", us), "/said", body),
            (
                &header(&Method::PUT, "/said", server_name!("else.example")),
                "/said",
                body,
            ),
            (&unknown, "/said", body),
            (&ours, "/said", body),
            (&as_another, "/said", body),
            (&"Bearer abc".to_owned(), "/said", body),
            (&String::new(), "/said", body),
        ] {
            let answer = server
                .ask_with(header, Method::PUT, uri, body.to_vec())
                .await;
            answer.refused(401, "M_UNAUTHORIZED");
        }
        let answer = server
            .ask_with(&right, Method::PUT, "/said", body.to_vec())
            .await;
        assert_eq!(answer.status, StatusCode::OK);
        let answer = server
            .ask_with(&right, Method::PUT, "/said", b"{".to_vec())
            .await;
        answer.refused(400, "M_NOT_JSON");
    }

    #[tokio::test]
    async fn each_server_has_limits_of_its_own_for_transactions_and_for_the_rest() {
        let two = Rate {
            per_second: 0.5,
            burst: 2,
        };
        let limits = LimitsConfig {
            transaction: two,
            server: two,
            exempt_servers: vec![server_name!("free.example").to_owned()],
            ..LimitsConfig::default()
        };
        let server = Server::with(limits, crate::routes).await;
        let [them, others, free] = ["them.example", "other.example", "free.example"];
        let [them, others, free] = [
            server.knows(them).await,
            server.knows(others).await,
            server.knows(free).await,
        ];
        let send = async |key, n: u32| {
            let key: &orvale_events::ServerKey = key;
            let body = json!({ "origin": key.server_name(), "origin_server_ts": 1, "pdus": [], "edus": [] });
            let path = format!("/_matrix/federation/v1/send/{n}");
            server.ask(key, Method::PUT, &path, Some(body)).await
        };
        let profile = "/_matrix/federation/v1/query/profile?user_id=@a:example.org";
        for n in 0..2 {
            send(&them, n).await.ok();
            let answer = server.ask(&them, Method::GET, profile, None).await;
            answer.refused(404, "M_NOT_FOUND");
        }
        let refused = send(&them, 2).await;
        refused.refused(429, "M_LIMIT_EXCEEDED");
        let body: serde_json::Value = serde_json::from_slice(&refused.body).unwrap();
        assert!((1..=2000).contains(&body["retry_after_ms"].as_u64().unwrap()));
        let answer = server.ask(&them, Method::GET, profile, None).await;
        answer.refused(429, "M_LIMIT_EXCEEDED");
        send(&others, 0).await.ok();
        for n in 0..5 {
            send(&free, n).await.ok();
        }
        // Who only says that they are somebody uses up nothing of theirs.
        let forged = orvale_events::ServerKey::generate(server_name!("other.example").to_owned());
        for n in 1..5 {
            send(&forged, n).await.refused(401, "M_UNAUTHORIZED");
        }
        send(&others, 5).await.ok();
    }
}
