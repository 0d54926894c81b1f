//! Answers of endpoints.

use axum::{
    body::{Body, Bytes},
    response::Response,
};
use http::{HeaderValue, header};
use ruma::api::{OutgoingResponse, OutgoingResponseExt};
use serde::Serialize;

use crate::MatrixError;

/// What an endpoint may answer: every response of ruma's, [`Json`](crate::Json), [`JsonBytes`] or a ready [`Whole`].
pub trait Answer: Send {
    /// The HTTP response.
    ///
    /// # Errors
    /// If it cannot be written as one, which is a fault of ours.
    fn into_http(self) -> Result<Response, MatrixError>;
}

impl<T: OutgoingResponse + Send> Answer for T {
    fn into_http(self) -> Result<Response, MatrixError> {
        let response = self.try_into_http_response::<Vec<u8>>();
        response
            .map(|response| response.map(Body::from))
            .map_err(|error| MatrixError::unexpected(&error))
    }
}

/// JSON that is already written.
#[derive(Debug, Clone)]
pub struct JsonBytes(pub Bytes);

impl Answer for JsonBytes {
    fn into_http(self) -> Result<Response, MatrixError> {
        let mut response = Response::new(Body::from(self.0));
        response.headers_mut().insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/json"),
        );
        Ok(response)
    }
}

impl<T: Serialize + Send> Answer for crate::Json<T> {
    fn into_http(self) -> Result<Response, MatrixError> {
        let json = serde_json::to_vec(&self.0).map_err(|error| MatrixError::unexpected(&error))?;
        JsonBytes(json.into()).into_http()
    }
}

/// A response that is ready as it is: a file, a stream, a redirection.
#[derive(Debug)]
pub struct Whole(pub Response);

impl Answer for Whole {
    fn into_http(self) -> Result<Response, MatrixError> {
        Ok(self.0)
    }
}

impl axum::response::IntoResponse for Whole {
    fn into_response(self) -> Response {
        self.0
    }
}

impl axum::response::IntoResponse for JsonBytes {
    fn into_response(self) -> Response {
        self.into_http()
            .unwrap_or_else(axum::response::IntoResponse::into_response)
    }
}

impl<T: Serialize + Send> axum::response::IntoResponse for crate::Json<T> {
    fn into_response(self) -> Response {
        self.into_http()
            .unwrap_or_else(axum::response::IntoResponse::into_response)
    }
}
