//! What happens around every request: CORS, limits by address, a span, figures, and an answer whatever happens inside.
//!
//! One layer, put around the whole router, because each of them needs the path that the router matched.

use std::{
    collections::HashMap,
    convert::Infallible,
    hash::{BuildHasher, RandomState},
    panic::AssertUnwindSafe,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Instant,
};

use axum::{
    extract::{MatchedPath, Request},
    response::{IntoResponse, Response},
};
use futures_util::FutureExt;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use metrics::Histogram;
use parking_lot::RwLock;
use tower::{Layer, Service};
use tracing::{Instrument, field::Empty};

use crate::{BodyLimit, ClientAddress, Limits, MatrixError, linger::lingering, rules::Rules};

/// The layer.
#[derive(Clone)]
pub struct Edge {
    inner: Arc<Inner>,
}

struct Inner {
    limits: Limits,
    body_limit: BodyLimit,
    /// What is known of each endpoint, by a hash of method and matched path.
    endpoints: RwLock<HashMap<u64, Arc<Endpoint>>>,
    hasher: RandomState,
}

struct Endpoint {
    rules: Rules,
    name: String,
    seconds: RwLock<HashMap<StatusCode, Histogram>>,
}

impl Edge {
    /// The layer with these limits.
    #[must_use]
    pub fn new(limits: Limits, body_limit: BodyLimit) -> Self {
        let inner = Inner {
            limits,
            body_limit,
            endpoints: RwLock::default(),
            hasher: RandomState::new(),
        };
        Self {
            inner: Arc::new(inner),
        }
    }
}

impl Inner {
    fn endpoint(&self, request: &Request) -> Arc<Endpoint> {
        let matched = request
            .extensions()
            .get::<MatchedPath>()
            .map(MatchedPath::as_str);
        let key = self.hasher.hash_one((request.method(), matched));
        if let Some(endpoint) = self.endpoints.read().get(&key) {
            return endpoint.clone();
        }
        let endpoint = Arc::new(Endpoint {
            rules: matched.map_or_else(Rules::default, |path| Rules::of(request.method(), path)),
            name: matched.map_or_else(
                || "none".to_owned(),
                |path| format!("{} {path}", known(request.method())),
            ),
            seconds: RwLock::default(),
        });
        let mut endpoints = self.endpoints.write();
        // Endpoints are as many as the router has paths; methods are whatever a client writes.
        if endpoints.len() < 4096 {
            endpoints.insert(key, endpoint.clone());
        }
        endpoint
    }
}

impl Endpoint {
    fn record(&self, status: StatusCode, since: Instant) {
        let seconds = since.elapsed().as_secs_f64();
        if let Some(histogram) = self.seconds.read().get(&status) {
            return histogram.record(seconds);
        }
        let status_label = status.as_str().to_owned();
        let histogram = metrics::histogram!("orvale_http_request_seconds", "endpoint" => self.name.clone(), "status" => status_label);
        histogram.record(seconds);
        self.seconds.write().insert(status, histogram);
    }
}

/// Methods that nobody knows are one label, however many a client invents.
fn known(method: &Method) -> &str {
    match *method {
        Method::GET | Method::HEAD => "GET",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::DELETE => "DELETE",
        _ => "other",
    }
}

impl<S> Layer<S> for Edge {
    type Service = EdgeService<S>;

    fn layer(&self, service: S) -> EdgeService<S> {
        EdgeService {
            inner: self.inner.clone(),
            service,
        }
    }
}

/// The service of [`Edge`].
#[derive(Clone)]
pub struct EdgeService<S> {
    inner: Arc<Inner>,
    service: S,
}

impl<S> Service<Request> for EdgeService<S>
where
    S: Service<Request, Response = Response, Error = Infallible>,
    S::Future: Send + 'static,
{
    type Response = Response;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.service.poll_ready(context)
    }

    fn call(&mut self, mut request: Request) -> Self::Future {
        let cors = takes_cors(request.uri().path());
        if cors && request.method() == Method::OPTIONS {
            return Box::pin(std::future::ready(Ok(preflight())));
        }
        let start = Instant::now();
        let endpoint = self.inner.endpoint(&request);
        let address = request.extensions().get::<ClientAddress>().copied();
        let refusal = match (endpoint.rules.by_address, address) {
            (Some(class), Some(ClientAddress(address))) => {
                self.inner.limits.address(class, address).err()
            }
            _ => None,
        };
        if let Some(refusal) = refusal {
            let mut response = refusal.into_response();
            endpoint.record(response.status(), start);
            if cors {
                add_cors(response.headers_mut());
            }
            return Box::pin(std::future::ready(Ok(response)));
        }
        request.extensions_mut().insert(endpoint.rules);
        request.extensions_mut().insert(self.inner.body_limit);

        let (parts, body) = request.into_parts();
        let body = lingering(&parts.headers, body);
        let request = Request::from_parts(parts, body);

        let span = tracing::info_span!(
            "request",
            endpoint = endpoint.name,
            user_id = Empty,
            server_name = Empty
        );
        let answering = AssertUnwindSafe(self.service.call(request)).catch_unwind();
        let answering = answering.instrument(span.clone());
        Box::pin(async move {
            // What panicked is told on standard error; other requests of the connection go on.
            let mut response = match answering.await {
                Ok(answered) => answered?,
                Err(_) => span.in_scope(broken),
            };
            endpoint.record(response.status(), start);
            if cors {
                add_cors(response.headers_mut());
            }
            Ok(response)
        })
    }
}

/// The answer of a handler that panicked.
fn broken() -> Response {
    metrics::counter!("orvale_http_panics_total").increment(1);
    MatrixError::unexpected(&Panicked).into_response()
}

#[derive(Debug, thiserror::Error)]
#[error("the handler panicked")]
struct Panicked;

/// Whether browsers of other origins may call this path: all that the specification has, and all APIs of ours.
fn takes_cors(path: &str) -> bool {
    [
        "/_matrix/",
        "/.well-known/matrix/",
        "/_orvale/",
        "/_synapse/",
    ]
    .iter()
    .any(|prefix| path.starts_with(prefix))
}

const CORS: [(HeaderName, &str); 4] = [
    (header::ACCESS_CONTROL_ALLOW_ORIGIN, "*"),
    (
        header::ACCESS_CONTROL_ALLOW_METHODS,
        "GET, HEAD, POST, PUT, DELETE, OPTIONS",
    ),
    (
        header::ACCESS_CONTROL_ALLOW_HEADERS,
        "X-Requested-With, Content-Type, Authorization",
    ),
    // Browsers hide it from clients otherwise.
    (header::ACCESS_CONTROL_EXPOSE_HEADERS, "Retry-After"),
];

fn add_cors(headers: &mut HeaderMap) {
    for (name, value) in CORS {
        headers
            .entry(name)
            .or_insert(HeaderValue::from_static(value));
    }
}

fn preflight() -> Response {
    let mut response = StatusCode::NO_CONTENT.into_response();
    add_cors(response.headers_mut());
    let a_day = HeaderValue::from_static("86400");
    response
        .headers_mut()
        .insert(header::ACCESS_CONTROL_MAX_AGE, a_day);
    response
}
