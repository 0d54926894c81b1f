//! What is answered to the errors of carrying news. Those of rooms come with them: an API that says these in another way takes them out first.

use http::StatusCode;
use orvale_delivery::Error as E;

use crate::MatrixError;

impl From<E> for MatrixError {
    fn from(error: E) -> Self {
        let message = error.to_string();
        match error {
            E::InvalidToken(_) | E::FutureToken | E::InvalidFilter(_) | E::InvalidParam(_) => {
                Self::invalid_param(message)
            }
            E::UnknownPos => Self::new(StatusCode::BAD_REQUEST, "M_UNKNOWN_POS", message),
            E::UnknownFilter => Self::not_found(message),
            E::SessionEnded => Self::unknown_token(false),
            E::Closed => Self::new(StatusCode::SERVICE_UNAVAILABLE, "M_UNKNOWN", message),
            E::Config { .. } => Self::unexpected(&error),
            E::Rooms(error) => error.into(),
            E::Users(error) => error.into(),
            E::Storage(error) => error.into(),
        }
    }
}
