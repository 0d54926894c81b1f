//! One router for everything that is served.

use std::sync::Arc;

use axum::{
    Router,
    extract::State,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use metrics_exporter_prometheus::PrometheusHandle;
use orvale_http::{BodyLimit, Edge, Json, MatrixError};
use orvale_storage::Store;
use serde_json::{Value, json};
use tower_http::compression::{
    CompressionLayer, CompressionLevel,
    predicate::{Predicate, SizeAbove},
};

use crate::{build::Parts, config::Config, landing};

/// Answers below this are not worth the work of compressing them.
const WORTH_COMPRESSING: u64 = 4096;

pub(crate) fn router(parts: &Parts, config: &Config, figures: Option<PrometheusHandle>) -> Router {
    let mut router = orvale_client_api::routes()
        .with_state(parts.client_api.clone())
        .merge(orvale_admin_api::routes().with_state(parts.admin_api.clone()));
    if config.http.compression {
        router = router.layer(compression());
    }
    if let (Some(figures), Some(token)) = (figures, &config.metrics.token) {
        router = router.merge(guarded_metrics(figures, token));
    }
    if config.federation.enabled {
        router = router.merge(server_to_server(parts));
    }
    router
        .merge(orvale_web_client::routes())
        .merge(landing::routes(
            &config.server_name,
            config.discovery.base_url.as_deref(),
        ))
        .route("/health", get(health).with_state(parts.store.clone()))
        .fallback(async || MatrixError::no_such_endpoint())
        .method_not_allowed_fallback(async || MatrixError::no_such_method())
        .layer(Edge::new(
            parts.limits.clone(),
            BodyLimit(config.http.max_request_bytes),
        ))
}

/// Whether the server can do its work, for who watches over it: 503 while it can keep nothing.
async fn health(State(store): State<Store>) -> (StatusCode, Json<Value>) {
    match store.check_health() {
        Ok(()) => (StatusCode::OK, Json(json!({ "status": "ok" }))),
        Err(error) => (
            StatusCode::SERVICE_UNAVAILABLE,
            Json(json!({ "status": "failing", "reason": error.to_string() })),
        ),
    }
}

/// What other servers are served at the listeners of their own.
pub(crate) fn federation(parts: &Parts, config: &Config) -> Router {
    server_to_server(parts)
        .fallback(async || MatrixError::no_such_endpoint())
        .method_not_allowed_fallback(async || MatrixError::no_such_method())
        .layer(Edge::new(
            parts.limits.clone(),
            BodyLimit(config.http.max_request_bytes),
        ))
}

fn server_to_server(parts: &Parts) -> Router {
    let state = parts.federation_api.clone();
    orvale_federation_api::routes(&state.client, &parts.limits).with_state(state)
}

/// JSON only: pictures and films are compressed already, and whoever puts secrets beside what strangers wrote into one
/// compressed answer tells its length.
fn compression() -> CompressionLayer<impl Predicate> {
    let json = |_: StatusCode, _: http::Version, headers: &HeaderMap, _: &http::Extensions| {
        headers
            .get(header::CONTENT_TYPE)
            .is_some_and(|value| value.as_bytes().starts_with(b"application/json"))
    };
    CompressionLayer::new()
        .gzip(true)
        .no_br()
        .quality(CompressionLevel::Fastest)
        .compress_when(SizeAbove::new(WORTH_COMPRESSING).and(json))
}

/// `/metrics` for who has the token.
fn guarded_metrics(figures: PrometheusHandle, token: &str) -> Router {
    let expected: Arc<str> = format!("Bearer {token}").into();
    let answer = async |State((figures, expected)): State<(PrometheusHandle, Arc<str>)>,
                        headers: HeaderMap| {
        let given = headers
            .get(header::AUTHORIZATION)
            .map_or(&b""[..], HeaderValue::as_bytes);
        if bool::from(subtle::ConstantTimeEq::ct_eq(given, expected.as_bytes())) {
            metrics_page(&figures)
        } else {
            MatrixError::forbidden(
                "The figures are for who has the token of the setting metrics.token",
            )
            .into_response()
        }
    };
    Router::new()
        .route("/metrics", get(answer))
        .with_state((figures, expected))
}

/// `/metrics` on a listener of its own.
pub(crate) fn open_metrics(figures: PrometheusHandle) -> Router {
    let answer = async |State(figures): State<PrometheusHandle>| metrics_page(&figures);
    Router::new()
        .route("/metrics", get(answer))
        .with_state(figures)
}

fn metrics_page(figures: &PrometheusHandle) -> Response {
    (
        [(header::CONTENT_TYPE, "text/plain; version=0.0.4")],
        figures.render(),
    )
        .into_response()
}
