//! What a caller sees of each error: one `match` for each crate below, without a catch-all, so that a new variant does not
//! compile before somebody has decided.

use std::time::Duration;

use axum::{
    http::StatusCode,
    response::{IntoResponse, Response},
};
use orvale_federation_client::Answered;
use orvale_http::MatrixError;

/// What makes clients end their session, or show their user something else than the room.
const OF_THE_SESSION: [&str; 6] = [
    "M_UNKNOWN_TOKEN",
    "M_MISSING_TOKEN",
    "M_USER_LOCKED",
    "M_USER_DEACTIVATED",
    "M_USER_SUSPENDED",
    "M_CONSENT_NOT_GIVEN",
];

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
            E::StillInRoom | E::NestedThread => {
                MatrixError::new(StatusCode::BAD_REQUEST, "M_UNKNOWN", message)
            }
            E::NotInThread(_) => MatrixError::new(
                StatusCode::BAD_REQUEST,
                "IO.ELEMENT.MSC4306.M_NOT_IN_THREAD",
                message,
            ),
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
                StatusCode::SERVICE_UNAVAILABLE,
                "M_UNABLE_DUE_TO_PARTIAL_STATE",
                message,
            ),
            E::IncompatibleRoomVersion(_) => MatrixError::new(
                StatusCode::BAD_REQUEST,
                "M_INCOMPATIBLE_ROOM_VERSION",
                message,
            ),
            // What the other server says, in its words, where a client can do something about it.
            E::Remote(error) => match error.answered() {
                Some(answered) if answered.errcode == "M_NOT_FOUND" => {
                    MatrixError::not_found(message)
                }
                Some(answered) if answered.status == StatusCode::FORBIDDEN => {
                    MatrixError::forbidden(message)
                }
                _ => MatrixError::new(StatusCode::BAD_GATEWAY, "M_UNKNOWN", message),
            },
            E::PolicyServer(answered) => refused_by_policy_server(*answered),
            E::PolicyServerBusy => MatrixError::limit_exceeded(Duration::from_secs(1)),
            E::Event(error) => return error.into(),
            E::Users(error) => return error.into(),
            E::Storage(error) => return error.into(),
            E::Internal(_) => MatrixError::unexpected(&error),
        })
    }
}

/// What a policy server says, to the letter where it speaks of the event. Whatever else it says is no reason for a client to end its
/// session.
fn refused_by_policy_server(answered: Answered) -> MatrixError {
    let speaks_of_event = matches!(answered.status.as_u16(), 400 | 403 | 404 | 429)
        && answered.errcode.starts_with("M_")
        && !OF_THE_SESSION.contains(&&*answered.errcode);
    if !speaks_of_event {
        return MatrixError::forbidden(format!("the room's policy server refuses it: {answered}"));
    }
    if let Some(after) = answered.retry_after {
        return MatrixError::limit_exceeded(after);
    }
    MatrixError::new(answered.status, answered.errcode, answered.message)
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

impl From<orvale_federation_client::Error> for Error {
    fn from(error: orvale_federation_client::Error) -> Self {
        use orvale_federation_client::Error as E;
        let message = error.to_string();
        Self(match error {
            E::Matrix(answered) => match answered.status {
                StatusCode::NOT_FOUND => MatrixError::not_found(answered.message),
                StatusCode::FORBIDDEN => MatrixError::forbidden(answered.message),
                _ => MatrixError::new(StatusCode::BAD_GATEWAY, "M_UNKNOWN", message),
            },
            E::NotReached(_) | E::BadAnswer(_) | E::TooLarge(_) => {
                MatrixError::new(StatusCode::BAD_GATEWAY, "M_UNKNOWN", message)
            }
            E::NotAllowed(_) => MatrixError::not_found(message),
            E::Request(_) | E::Config { .. } => MatrixError::unexpected(&error),
            E::Storage(error) => return error.into(),
        })
    }
}

impl From<orvale_search::Error> for Error {
    fn from(error: orvale_search::Error) -> Self {
        use orvale_search::Error as E;
        Self(match error {
            E::InvalidParam(message) => MatrixError::invalid_param(message),
            E::Closed => MatrixError::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "M_UNKNOWN",
                error.to_string(),
            ),
            E::Rooms(error) => return error.into(),
            E::Users(error) => return error.into(),
            E::Storage(error) => return error.into(),
            E::Index(_) | E::Panicked | E::Io(_) => MatrixError::unexpected(&error),
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
            E::QuotaExceeded => MatrixError::forbidden(message),
            E::Infected => MatrixError::forbidden(message).with("com.orvale.reason", "infected"),
            E::NotScanned => {
                MatrixError::new(StatusCode::SERVICE_UNAVAILABLE, "M_UNKNOWN", message)
            }
            E::NotAccepted { .. } => {
                MatrixError::forbidden(message).with("com.orvale.reason", "type_not_accepted")
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
