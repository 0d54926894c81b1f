//! The Matrix error body.

use std::{borrow::Cow, time::Duration};

use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use serde_json::{Map, Value};

/// The error of an endpoint, as the specification's "standard error response".
///
/// <https://spec.matrix.org/v1.19/client-server-api/#standard-error-response>
#[derive(Debug, Clone)]
pub struct MatrixError {
    status: StatusCode,
    errcode: Cow<'static, str>,
    message: Cow<'static, str>,
    retry_after: Option<Duration>,
    /// More keys of the body; with an empty errcode, the whole body.
    extra: Option<Box<Map<String, Value>>>,
}

impl MatrixError {
    /// An error of any kind. The message is a sentence that helps a person.
    #[must_use]
    pub fn new(
        status: StatusCode,
        errcode: impl Into<Cow<'static, str>>,
        message: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self {
            status,
            errcode: errcode.into(),
            message: message.into(),
            retry_after: None,
            extra: None,
        }
    }

    /// A body of its own shape: the answer of user-interactive authentication.
    #[must_use]
    pub fn of_shape(status: StatusCode, body: Map<String, Value>) -> Self {
        Self {
            extra: Some(Box::new(body)),
            ..Self::new(status, "", "")
        }
    }

    /// Adds a key to the body.
    #[must_use]
    pub fn with(mut self, key: &str, value: impl Into<Value>) -> Self {
        self.extra
            .get_or_insert_default()
            .insert(key.to_owned(), value.into());
        self
    }

    /// 403 `M_FORBIDDEN`.
    #[must_use]
    pub fn forbidden(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::FORBIDDEN, "M_FORBIDDEN", message)
    }

    /// 404 `M_NOT_FOUND`.
    #[must_use]
    pub fn not_found(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::NOT_FOUND, "M_NOT_FOUND", message)
    }

    /// 400 `M_NOT_JSON`: the body is no JSON at all.
    #[must_use]
    pub fn not_json(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "M_NOT_JSON", message)
    }

    /// 400 `M_BAD_JSON`: the body is JSON of the wrong shape.
    #[must_use]
    pub fn bad_json(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "M_BAD_JSON", message)
    }

    /// 400 `M_INVALID_PARAM`.
    #[must_use]
    pub fn invalid_param(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "M_INVALID_PARAM", message)
    }

    /// 400 `M_MISSING_PARAM`.
    #[must_use]
    pub fn missing_param(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "M_MISSING_PARAM", message)
    }

    /// 413 `M_TOO_LARGE`.
    #[must_use]
    pub fn too_large(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, "M_TOO_LARGE", message)
    }

    /// 404 `M_UNRECOGNIZED`: no such endpoint.
    #[must_use]
    pub fn no_such_endpoint() -> Self {
        Self::new(
            StatusCode::NOT_FOUND,
            "M_UNRECOGNIZED",
            "This server has no such endpoint",
        )
    }

    /// 405 `M_UNRECOGNIZED`: the endpoint exists, the method does not.
    #[must_use]
    pub fn no_such_method() -> Self {
        Self::new(
            StatusCode::METHOD_NOT_ALLOWED,
            "M_UNRECOGNIZED",
            "This endpoint does not take this HTTP method",
        )
    }

    /// 401 `M_MISSING_TOKEN`.
    #[must_use]
    pub fn missing_token() -> Self {
        Self::new(
            StatusCode::UNAUTHORIZED,
            "M_MISSING_TOKEN",
            "This endpoint needs an access token, in the header \"Authorization: Bearer …\"",
        )
    }

    /// 401 `M_UNKNOWN_TOKEN`.
    #[must_use]
    pub fn unknown_token(soft_logout: bool) -> Self {
        let message = if soft_logout {
            "This access token has expired: refresh it, or log in again with the same device ID"
        } else {
            "This access token is not known here: log in again"
        };
        Self::new(StatusCode::UNAUTHORIZED, "M_UNKNOWN_TOKEN", message)
            .with("soft_logout", soft_logout)
    }

    /// 429 `M_LIMIT_EXCEEDED`.
    #[must_use]
    pub fn limit_exceeded(retry_after: Duration) -> Self {
        let error = Self::new(
            StatusCode::TOO_MANY_REQUESTS,
            "M_LIMIT_EXCEEDED",
            "Too many requests: wait a while, then try again",
        );
        let millis = u64::try_from(retry_after.as_millis())
            .unwrap_or(u64::MAX)
            .max(1);
        Self {
            retry_after: Some(retry_after),
            ..error.with("retry_after_ms", millis)
        }
    }

    /// 500 `M_UNKNOWN` for what nobody foresaw: logged here with its causes, told to nobody. 503 if the disk is almost full: that passes
    /// when somebody makes room, and other servers try again.
    #[must_use]
    pub fn unexpected(error: &(dyn std::error::Error + 'static)) -> Self {
        let mut causes = error.to_string();
        let mut source = Some(error);
        while let Some(cause) = source {
            if matches!(cause.downcast_ref(), Some(orvale_storage::Error::Full)) {
                return Self::full();
            }
            source = cause.source();
            if let Some(cause) = source {
                causes.push_str(": ");
                causes.push_str(&cause.to_string());
            }
        }
        tracing::error!(error = causes, "a request failed unexpectedly");
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "M_UNKNOWN",
            "Something went wrong in this server; it was logged",
        )
    }

    /// 503 `M_UNKNOWN`: nothing more can be kept.
    fn full() -> Self {
        Self::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "M_UNKNOWN",
            "This server's disk is full: nothing more can be kept until its administrator makes room",
        )
    }

    /// Its HTTP status.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// Its error code.
    #[must_use]
    pub fn errcode(&self) -> &str {
        &self.errcode
    }

    /// Its sentence.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.message
    }

    /// Its body.
    #[must_use]
    pub fn body(&self) -> Map<String, Value> {
        let mut body = self.extra.as_deref().cloned().unwrap_or_default();
        if !self.errcode.is_empty() {
            body.insert("errcode".to_owned(), self.errcode.as_ref().into());
            body.insert("error".to_owned(), self.message.as_ref().into());
        }
        body
    }
}

impl std::fmt::Display for MatrixError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "{} {}: {}",
            self.status.as_u16(),
            self.errcode,
            self.message
        )
    }
}

impl std::error::Error for MatrixError {}

impl IntoResponse for MatrixError {
    fn into_response(self) -> Response {
        let body = serde_json::to_vec(&self.body()).expect("a JSON object can be written");
        let mut response = Response::new(body.into());
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/json"),
        );
        if let Some(delay) = self.retry_after {
            headers.insert(
                header::RETRY_AFTER,
                HeaderValue::from(delay.as_millis().div_ceil(1000).max(1) as u64),
            );
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limit_exceeded_says_when_to_come_back_in_whole_seconds_rounded_up() {
        let response = MatrixError::limit_exceeded(Duration::from_millis(1200)).into_response();
        assert_eq!(response.status(), StatusCode::TOO_MANY_REQUESTS);
        assert_eq!(response.headers()[header::RETRY_AFTER], "2");
    }

    #[test]
    fn extra_keys_stand_beside_the_standard_ones() {
        let body = MatrixError::unknown_token(true).body();
        assert_eq!(body["errcode"], "M_UNKNOWN_TOKEN");
        assert_eq!(body["soft_logout"], true);
        assert!(body["error"].as_str().is_some_and(|e| !e.is_empty()));
    }

    #[test]
    fn body_of_its_own_shape_has_no_errcode() {
        let mut shape = Map::new();
        shape.insert("flows".to_owned(), Value::Array(Vec::new()));
        let body = MatrixError::of_shape(StatusCode::UNAUTHORIZED, shape.clone()).body();
        assert_eq!(body, shape);
    }
}
