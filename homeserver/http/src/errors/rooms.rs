//! What is answered to the errors of rooms.

use std::time::Duration;

use http::StatusCode;
use orvale_rooms::Error as E;

use crate::MatrixError;

impl From<E> for MatrixError {
    fn from(error: E) -> Self {
        let message = error.to_string();
        let bad_request = |errcode, message| Self::new(StatusCode::BAD_REQUEST, errcode, message);
        match error {
            E::UnknownRoom(_) | E::NoEventThen | E::UnknownEvent(_) | E::NoSuchState => {
                Self::not_found(message)
            }
            E::UnknownUser(_) | E::UnknownAlias(_) => Self::not_found(message),
            E::NotJoined | E::Forbidden(_) | E::RemoteUser(_) => Self::forbidden(message),
            E::StillInRoom | E::NestedThread => bad_request("M_UNKNOWN", message),
            E::NotInThread(_) => bad_request("IO.ELEMENT.MSC4306.M_NOT_IN_THREAD", message),
            E::AliasInUse(_) => bad_request("M_ROOM_IN_USE", message),
            E::InviteBlocked(_) => Self::new(StatusCode::FORBIDDEN, "M_INVITE_BLOCKED", message),
            E::BadAlias(_) => bad_request("M_BAD_ALIAS", message),
            E::InvalidRoomState(_) => bad_request("M_INVALID_ROOM_STATE", message),
            E::DuplicateAnnotation => bad_request("M_DUPLICATE_ANNOTATION", message),
            E::UnableToAuthoriseJoin => bad_request("M_UNABLE_TO_AUTHORISE_JOIN", message),
            E::UnableToGrantJoin => bad_request("M_UNABLE_TO_GRANT_JOIN", message),
            E::GuestsForbidden => {
                Self::new(StatusCode::FORBIDDEN, "M_GUEST_ACCESS_FORBIDDEN", message)
            }
            E::ThirdPartyInvite => bad_request("M_THREEPID_MEDIUM_NOT_SUPPORTED", message),
            E::Policy(refusal) => {
                Self::forbidden(message).with("com.orvale.reason", refusal.reason())
            }
            E::TooManyReports(_) => Self::forbidden(message),
            E::BadContent(_) => Self::bad_json(message),
            E::InvalidParam(_) => Self::invalid_param(message),
            E::UnsupportedRoomVersion(_) => bad_request("M_UNSUPPORTED_ROOM_VERSION", message),
            E::Unreachable => Self::not_found(message),
            E::PartialState => Self::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "M_UNABLE_DUE_TO_PARTIAL_STATE",
                message,
            ),
            E::IncompatibleRoomVersion(version) => {
                bad_request("M_INCOMPATIBLE_ROOM_VERSION", message).with("room_version", version)
            }
            E::Remote(error) => error.into(),
            E::PolicyServer(_) => Self::forbidden(message),
            E::PolicyServerBusy => Self::limit_exceeded(Duration::from_secs(1)),
            E::Event(error) => error.into(),
            E::Users(error) => error.into(),
            E::Storage(error) => error.into(),
            E::Internal(_) => Self::unexpected(&error),
        }
    }
}
