//! What is answered to the errors of media.

use std::time::Duration;

use http::StatusCode;
use orvale_media::Error as E;

use crate::MatrixError;

impl From<E> for MatrixError {
    fn from(error: E) -> Self {
        let message = error.to_string();
        match error {
            E::NotFound => Self::not_found(message),
            E::NotYetUploaded => {
                Self::new(StatusCode::GATEWAY_TIMEOUT, "M_NOT_YET_UPLOADED", message)
            }
            E::CannotOverwrite => {
                Self::new(StatusCode::CONFLICT, "M_CANNOT_OVERWRITE_MEDIA", message)
            }
            E::NotTheCreator => Self::forbidden(message),
            E::TooLarge { .. } => Self::too_large(message),
            E::QuotaExceeded => Self::forbidden(message),
            E::Infected => Self::forbidden(message).with("com.orvale.reason", "infected"),
            E::NotScanned => Self::new(StatusCode::SERVICE_UNAVAILABLE, "M_UNKNOWN", message),
            E::NotAccepted { .. } => {
                Self::forbidden(message).with("com.orvale.reason", "type_not_accepted")
            }
            E::TooManyPending { retry_after } => Self::limit_exceeded(retry_after),
            E::NoPreview(_) | E::NoGifs(_) => Self::not_found(message),
            E::Interrupted => Self::new(StatusCode::BAD_REQUEST, "M_UNKNOWN", message),
            E::NoDimensions => Self::invalid_param(message),
            E::NoThumbnail(_) => Self::new(StatusCode::BAD_REQUEST, "M_UNKNOWN", message),
            E::TooLargeToThumbnail => Self::too_large(message),
            E::Busy => Self::limit_exceeded(Duration::from_secs(1)),
            E::NoSuchRange { .. } => Self::new(
                StatusCode::RANGE_NOT_SATISFIABLE,
                "M_INVALID_PARAM",
                message,
            ),
            E::Closed => Self::new(StatusCode::SERVICE_UNAVAILABLE, "M_UNKNOWN", message),
            E::Storage(error) => error.into(),
            E::Objects(_) | E::Disk(_) => Self::unexpected(&error),
        }
    }
}
