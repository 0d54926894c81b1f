//! What is answered to what is wrong with an event.

use http::StatusCode;
use orvale_events::Error as E;

use crate::MatrixError;

impl From<E> for MatrixError {
    fn from(error: E) -> Self {
        let message = error.to_string();
        match error {
            E::Json(_) | E::Format(_) => Self::bad_json(message),
            E::TooLarge { .. } | E::FieldTooLong { .. } => Self::too_large(message),
            E::UnsupportedRoomVersion(_) => Self::new(
                StatusCode::BAD_REQUEST,
                "M_UNSUPPORTED_ROOM_VERSION",
                message,
            ),
            E::Signature(_) => Self::new(StatusCode::BAD_REQUEST, "M_INVALID_SIGNATURE", message),
            E::Key(_) | E::MissingEvent(_) | E::AuthChainTooLong(_) | E::Resolution(_) => {
                Self::unexpected(&error)
            }
        }
    }
}
