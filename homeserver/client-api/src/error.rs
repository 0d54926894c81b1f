//! What a caller sees of each error: one `match` for each crate below, without a catch-all, so that a new variant does not
//! compile before somebody has decided.

use axum::response::{IntoResponse, Response};
use orvale_http::MatrixError;

/// The error of a handler.
#[derive(Debug, Clone)]
pub struct Error(MatrixError);

impl From<MatrixError> for Error {
    fn from(error: MatrixError) -> Self {
        Self(error)
    }
}

impl From<Error> for MatrixError {
    fn from(Error(error): Error) -> Self {
        error
    }
}

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        self.0.into_response()
    }
}

impl From<orvale_storage::Error> for Error {
    fn from(error: orvale_storage::Error) -> Self {
        use orvale_storage::Error as E;
        match error {
            E::Conflict { .. } | E::Corrupt { .. } | E::Io(_) | E::Closed => {
                Self(MatrixError::unexpected(&error))
            }
        }
    }
}
