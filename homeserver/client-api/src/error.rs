//! What a caller sees of each error: one `match` for each crate below, without a catch-all, so that a new variant does not
//! compile before somebody has decided.

use axum::{
    http::StatusCode,
    response::{IntoResponse, Response},
};
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
            E::Conflict { .. }
            | E::Corrupt { .. }
            | E::Damaged { .. }
            | E::InUse(_)
            | E::Newer { .. }
            | E::Io(_)
            | E::Closed => Self(MatrixError::unexpected(&error)),
        }
    }
}

impl From<orvale_rooms::Error> for Error {
    fn from(error: orvale_rooms::Error) -> Self {
        use orvale_rooms::Error as E;
        let message = error.to_string();
        Self(match error {
            E::UnknownRoom(_) | E::UnknownEvent(_) | E::NoSuchState => MatrixError::not_found(message),
            E::NotJoined | E::Forbidden(_) => MatrixError::forbidden(message),
            E::BadContent(_) => MatrixError::bad_json(message),
            E::InvalidParam(_) => MatrixError::invalid_param(message),
            E::UnsupportedRoomVersion(_) => {
                MatrixError::new(StatusCode::BAD_REQUEST, "M_UNSUPPORTED_ROOM_VERSION", message)
            }
            E::Unreachable => MatrixError::not_found(message),
            E::Event(error) => return error.into(),
            E::Storage(error) => return error.into(),
            E::Internal(_) => MatrixError::unexpected(&error),
        })
    }
}
