//! What another server sees of each error: one `match` for each crate below, without a catch-all, so that a new variant does not
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
            | E::Full
            | E::Closed => Self(MatrixError::unexpected(&error)),
        }
    }
}

impl From<orvale_users::Error> for Error {
    fn from(error: orvale_users::Error) -> Self {
        Self(error.into())
    }
}

impl From<orvale_rooms::Error> for Error {
    fn from(error: orvale_rooms::Error) -> Self {
        use orvale_rooms::Error as E;
        let message = error.to_string();
        Self(match error {
            E::UnknownRoom(_) | E::NoEventThen | E::UnknownEvent(_) | E::NoSuchState => {
                MatrixError::not_found(message)
            }
            E::UnknownUser(_) | E::UnknownAlias(_) => MatrixError::not_found(message),
            E::NotJoined | E::Forbidden(_) | E::RemoteUser(_) => MatrixError::forbidden(message),
            E::StillInRoom | E::NestedThread | E::NotInThread(_) => {
                MatrixError::new(StatusCode::BAD_REQUEST, "M_UNKNOWN", message)
            }
            E::AliasInUse(_) => MatrixError::new(StatusCode::BAD_REQUEST, "M_ROOM_IN_USE", message),
            E::InviteBlocked(_) => {
                MatrixError::new(StatusCode::FORBIDDEN, "M_INVITE_BLOCKED", message)
            }
            E::BadAlias(_) => MatrixError::new(StatusCode::BAD_REQUEST, "M_BAD_ALIAS", message),
            E::InvalidRoomState(_) => {
                MatrixError::new(StatusCode::BAD_REQUEST, "M_INVALID_ROOM_STATE", message)
            }
            E::DuplicateAnnotation => {
                MatrixError::new(StatusCode::BAD_REQUEST, "M_DUPLICATE_ANNOTATION", message)
            }
            E::UnableToAuthoriseJoin => MatrixError::new(
                StatusCode::BAD_REQUEST,
                "M_UNABLE_TO_AUTHORISE_JOIN",
                message,
            ),
            E::UnableToGrantJoin => {
                MatrixError::new(StatusCode::BAD_REQUEST, "M_UNABLE_TO_GRANT_JOIN", message)
            }
            E::GuestsForbidden => {
                MatrixError::new(StatusCode::FORBIDDEN, "M_GUEST_ACCESS_FORBIDDEN", message)
            }
            E::ThirdPartyInvite => MatrixError::new(
                StatusCode::BAD_REQUEST,
                "M_THREEPID_MEDIUM_NOT_SUPPORTED",
                message,
            ),
            E::Policy(refusal) => {
                MatrixError::forbidden(message).with("com.orvale.reason", refusal.reason())
            }
            E::TooManyReports(_) => MatrixError::forbidden(message),
            E::BadContent(_) => MatrixError::bad_json(message),
            E::InvalidParam(_) => MatrixError::invalid_param(message),
            E::UnsupportedRoomVersion(_) => MatrixError::new(
                StatusCode::BAD_REQUEST,
                "M_UNSUPPORTED_ROOM_VERSION",
                message,
            ),
            E::Unreachable => MatrixError::not_found(message),
            E::PartialState => MatrixError::new(
                StatusCode::NOT_FOUND,
                "M_UNABLE_DUE_TO_PARTIAL_STATE",
                message,
            ),
            E::IncompatibleRoomVersion(version) => MatrixError::new(
                StatusCode::BAD_REQUEST,
                "M_INCOMPATIBLE_ROOM_VERSION",
                message,
            )
            .with("room_version", version),
            E::Remote(error) => return error.into(),
            E::PolicyServer(_) => MatrixError::forbidden(message),
            E::PolicyServerBusy => MatrixError::limit_exceeded(std::time::Duration::from_secs(1)),
            E::Event(error) => return error.into(),
            E::Users(error) => return error.into(),
            E::Storage(error) => return error.into(),
            E::Internal(_) => MatrixError::unexpected(&error),
        })
    }
}

impl From<orvale_events::Error> for Error {
    fn from(error: orvale_events::Error) -> Self {
        use orvale_events::Error as E;
        let message = error.to_string();
        Self(match error {
            E::Json(_) | E::Format(_) => MatrixError::bad_json(message),
            E::TooLarge { .. } | E::FieldTooLong { .. } => MatrixError::too_large(message),
            E::UnsupportedRoomVersion(_) => MatrixError::new(
                StatusCode::BAD_REQUEST,
                "M_UNSUPPORTED_ROOM_VERSION",
                message,
            ),
            E::Signature(_) => {
                MatrixError::new(StatusCode::BAD_REQUEST, "M_INVALID_SIGNATURE", message)
            }
            E::Key(_) | E::MissingEvent(_) | E::AuthChainTooLong(_) | E::Resolution(_) => {
                MatrixError::unexpected(&error)
            }
        })
    }
}

impl From<orvale_delivery::Error> for Error {
    fn from(error: orvale_delivery::Error) -> Self {
        use orvale_delivery::Error as E;
        let message = error.to_string();
        Self(match error {
            E::InvalidToken(_) | E::FutureToken | E::InvalidFilter(_) | E::InvalidParam(_) => {
                MatrixError::invalid_param(message)
            }
            E::UnknownPos => MatrixError::new(StatusCode::BAD_REQUEST, "M_UNKNOWN_POS", message),
            E::UnknownFilter => MatrixError::not_found(message),
            E::SessionEnded => MatrixError::unknown_token(false),
            E::Closed => MatrixError::new(StatusCode::SERVICE_UNAVAILABLE, "M_UNKNOWN", message),
            E::Config { .. } => MatrixError::unexpected(&error),
            E::Rooms(error) => return error.into(),
            E::Users(error) => return error.into(),
            E::Storage(error) => return error.into(),
        })
    }
}

impl From<orvale_media::Error> for Error {
    fn from(error: orvale_media::Error) -> Self {
        use orvale_media::Error as E;
        let message = error.to_string();
        Self(match error {
            E::NotFound => MatrixError::not_found(message),
            E::NotYetUploaded => {
                MatrixError::new(StatusCode::GATEWAY_TIMEOUT, "M_NOT_YET_UPLOADED", message)
            }
            E::CannotOverwrite => {
                MatrixError::new(StatusCode::CONFLICT, "M_CANNOT_OVERWRITE_MEDIA", message)
            }
            E::NotTheCreator => MatrixError::forbidden(message),
            E::TooLarge { .. } => MatrixError::too_large(message),
            E::QuotaExceeded | E::NotAccepted { .. } | E::Infected => {
                MatrixError::forbidden(message)
            }
            E::NotScanned => {
                MatrixError::new(StatusCode::SERVICE_UNAVAILABLE, "M_UNKNOWN", message)
            }
            E::TooManyPending { retry_after } => MatrixError::limit_exceeded(retry_after),
            E::NoPreview(_) | E::NoGifs(_) => MatrixError::not_found(message),
            E::Interrupted => MatrixError::new(StatusCode::BAD_REQUEST, "M_UNKNOWN", message),
            E::NoDimensions => MatrixError::invalid_param(message),
            E::NoThumbnail(_) => MatrixError::new(StatusCode::BAD_REQUEST, "M_UNKNOWN", message),
            E::TooLargeToThumbnail => MatrixError::too_large(message),
            E::Busy => MatrixError::limit_exceeded(std::time::Duration::from_secs(1)),
            E::NoSuchRange { .. } => MatrixError::new(
                StatusCode::RANGE_NOT_SATISFIABLE,
                "M_INVALID_PARAM",
                message,
            ),
            E::Closed => MatrixError::new(StatusCode::SERVICE_UNAVAILABLE, "M_UNKNOWN", message),
            E::Storage(error) => return error.into(),
            E::Objects(_) | E::Disk(_) => MatrixError::unexpected(&error),
        })
    }
}

impl From<orvale_federation_client::Error> for Error {
    fn from(error: orvale_federation_client::Error) -> Self {
        use orvale_federation_client::Error as E;
        Self(match error {
            // What a third server said is nothing that the asking one could act upon.
            E::Matrix(_)
            | E::NotReached(_)
            | E::BadAnswer(_)
            | E::TooLarge(_)
            | E::NotAllowed(_) => {
                MatrixError::new(StatusCode::BAD_GATEWAY, "M_UNKNOWN", error.to_string())
            }
            E::Request(_) | E::Config { .. } => MatrixError::unexpected(&error),
            E::Storage(error) => return error.into(),
        })
    }
}
