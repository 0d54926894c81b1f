//! Requests as ruma's types.

use std::time::Duration;

use axum::{
    body::{Body, Bytes},
    extract::{FromRequest, FromRequestParts, RawPathParams, Request},
};
use http::request::Parts;
use http_body_util::BodyExt;
use ruma::api::{
    IncomingRequest, IncomingRequestExt,
    error::{DeserializationError, FromHttpRequestError, HeaderDeserializationError},
};
use serde::de::DeserializeOwned;

use crate::MatrixError;

/// How many bytes a JSON body may have, put into a request's extensions by the server.
#[derive(Debug, Clone, Copy)]
pub struct BodyLimit(pub usize);

impl Default for BodyLimit {
    fn default() -> Self {
        Self(8 * 1024 * 1024)
    }
}

/// A request of the specification.
#[derive(Debug, Clone)]
pub struct Ruma<T>(pub T);

impl<S: Send + Sync, T: IncomingRequest> FromRequest<S> for Ruma<T> {
    type Rejection = MatrixError;

    async fn from_request(request: Request, _: &S) -> Result<Self, MatrixError> {
        let received = Received::from(request).await?;
        received.parse().map(Self)
    }
}

/// A request that has arrived as a whole. Everything here is compiled once, not once an endpoint.
pub(crate) struct Received {
    parts: Parts,
    body: Bytes,
    path: Vec<String>,
}

impl Received {
    pub(crate) async fn from(request: Request) -> Result<Self, MatrixError> {
        let (mut parts, body) = request.into_parts();
        let params = RawPathParams::from_request_parts(&mut parts, &()).await;
        let params = params.map_err(|_| {
            MatrixError::invalid_param("The path is not UTF-8 when percent-decoded")
        })?;
        let mut path: Vec<String> = params.iter().map(|(_, value)| value.to_owned()).collect();
        if parts.extensions.get::<EmptyLastArgument>().is_some() {
            path.push(String::new());
        }
        let body = read_body(&parts, body).await?;
        Ok(Self { parts, body, path })
    }

    pub(crate) fn parse<T: IncomingRequest>(self) -> Result<T, MatrixError> {
        must_not_be_array(&self.body)?;
        let path: Vec<&str> = self.path.iter().map(String::as_str).collect();
        // ruma takes an empty body for `{}`, but not in the requests that it parses by hand (join by alias, knock).
        let again = (self.body.is_empty() && self.parts.method == http::Method::POST)
            .then(|| self.parts.clone());
        let request = http::Request::from_parts(self.parts, &self.body[..]);
        let parsed = match (T::try_from_http_request(request, &path), again) {
            (
                Err(FromHttpRequestError::Deserialization(DeserializationError::Json(_))),
                Some(parts),
            ) => T::try_from_http_request(http::Request::from_parts(parts, &b"{}"[..]), &path),
            (parsed, _) => parsed,
        };
        parsed.map_err(refusal)
    }
}

/// Requests are objects. Left alone, an array would be taken for the values of one without their names.
fn must_not_be_array(body: &[u8]) -> Result<(), MatrixError> {
    if body.trim_ascii_start().first() != Some(&b'[') {
        return Ok(());
    }
    Err(
        match serde_json::from_slice::<serde::de::IgnoredAny>(body) {
            Ok(_) => MatrixError::bad_json("The JSON body of a request is an object, not an array"),
            Err(error) => json_refusal(&error),
        },
    )
}

/// Marks a request whose path leaves the endpoint's last argument out, which then is empty
/// (`…/state/m.room.name` for `…/state/m.room.name/`).
#[derive(Debug, Clone, Copy)]
pub(crate) struct EmptyLastArgument;

/// The whole body, unless it is larger than allowed.
///
/// # Errors
/// `M_TOO_LARGE`, or `M_UNKNOWN` where the client went away.
pub async fn read_body(parts: &Parts, body: Body) -> Result<Bytes, MatrixError> {
    let BodyLimit(limit) = parts.extensions.get().copied().unwrap_or_default();
    let (mut body, mut whole, mut length) = (body, Frames::default(), 0_usize);
    while let Some(frame) = body.frame().await {
        let Ok(frame) = frame else {
            let message = "The body of this request broke off";
            return Err(MatrixError::new(
                http::StatusCode::BAD_REQUEST,
                "M_UNKNOWN",
                message,
            ));
        };
        let data = frame.into_data().unwrap_or_default();
        length = length.saturating_add(data.len());
        if length > limit {
            drain(body).await;
            let message = format!("The body of this request may have at most {limit} bytes");
            return Err(MatrixError::too_large(message));
        }
        whole.add(data);
    }
    Ok(whole.bytes())
}

/// A body as it arrives: nearly always one piece, which then is not copied.
#[derive(Default)]
struct Frames {
    first: Bytes,
    more: Vec<u8>,
}

impl Frames {
    fn add(&mut self, data: Bytes) {
        if self.first.is_empty() {
            self.first = data;
        } else {
            if self.more.is_empty() {
                self.more.extend_from_slice(&self.first);
            }
            self.more.extend_from_slice(&data);
        }
    }

    fn bytes(self) -> Bytes {
        if self.more.is_empty() {
            self.first
        } else {
            self.more.into()
        }
    }
}

/// Reads on for a while without keeping anything: a client that is still sending when the connection closes may never see
/// why it was refused.
async fn drain(mut body: Body) {
    let mut left = 16 * 1024 * 1024_usize;
    let reading = async {
        while let Some(Ok(frame)) = body.frame().await {
            let length = frame.data_ref().map_or(0, Bytes::len);
            left = left.saturating_sub(length);
            if left == 0 {
                return;
            }
        }
    };
    let _ = tokio::time::timeout(Duration::from_secs(5), reading).await;
}

fn refusal(error: FromHttpRequestError) -> MatrixError {
    let error = match error {
        FromHttpRequestError::Deserialization(error) => error,
        FromHttpRequestError::MethodMismatch { .. } => return MatrixError::no_such_method(),
        other => return MatrixError::invalid_param(other.to_string()),
    };
    match error {
        DeserializationError::Json(error) => json_refusal(&error),
        DeserializationError::Query(error) => parameter_refusal(&error.to_string()),
        DeserializationError::Header(HeaderDeserializationError::MissingHeader(name)) => {
            MatrixError::missing_param(format!("The header {name} is missing"))
        }
        other => MatrixError::invalid_param(other.to_string()),
    }
}

/// Syntax is `M_NOT_JSON`, shape is `M_BAD_JSON`.
pub(crate) fn json_refusal(error: &serde_json::Error) -> MatrixError {
    if error.is_data() {
        MatrixError::bad_json(format!(
            "The JSON body is not what this endpoint takes: {error}"
        ))
    } else {
        MatrixError::not_json(format!("The body is not JSON: {error}"))
    }
}

fn parameter_refusal(error: &str) -> MatrixError {
    if error.starts_with("missing field") {
        MatrixError::missing_param(format!("A parameter is missing: {error}"))
    } else {
        MatrixError::invalid_param(format!("A parameter has a wrong value: {error}"))
    }
}

/// The JSON body of an endpoint that the specification does not have. An empty body counts as `{}`.
#[derive(Debug, Clone)]
pub struct Json<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Json<T> {
    type Rejection = MatrixError;

    async fn from_request(request: Request, _: &S) -> Result<Self, MatrixError> {
        let (parts, body) = request.into_parts();
        let body = read_body(&parts, body).await?;
        must_not_be_array(&body)?;
        let json = if body.is_empty() { b"{}" } else { &body[..] };
        serde_json::from_slice(json)
            .map(Self)
            .map_err(|error| json_refusal(&error))
    }
}

/// The query parameters of an endpoint that the specification does not have.
#[derive(Debug, Clone)]
pub struct Query<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Query<T> {
    type Rejection = MatrixError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, MatrixError> {
        let found = axum::extract::Query::try_from_uri(&parts.uri);
        found
            .map(|axum::extract::Query(query)| Self(query))
            .map_err(|error| {
                let mut cause: &dyn std::error::Error = &error;
                while let Some(source) = cause.source() {
                    cause = source;
                }
                parameter_refusal(&cause.to_string())
            })
    }
}

/// The percent-decoded path arguments of an endpoint that the specification does not have.
#[derive(Debug, Clone)]
pub struct Path<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned + Send> FromRequestParts<S> for Path<T> {
    type Rejection = MatrixError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, MatrixError> {
        let found = axum::extract::Path::from_request_parts(parts, state).await;
        found
            .map(|axum::extract::Path(path)| Self(path))
            .map_err(|error| {
                MatrixError::invalid_param(format!(
                    "The path has a wrong value: {}",
                    error.body_text()
                ))
            })
    }
}
