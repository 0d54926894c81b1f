//! What a client sees of each error: as `orvale-http` answers it, but for what is said to clients in another way.

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
        Self(error.into())
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
        Self(match error {
            // What the other server says, in its words, where a client can do something about it.
            E::Remote(error) => match error.answered() {
                Some(answered) if answered.errcode == "M_NOT_FOUND" => {
                    MatrixError::not_found(error.to_string())
                }
                Some(answered) if answered.status == StatusCode::FORBIDDEN => {
                    MatrixError::forbidden(error.to_string())
                }
                _ => MatrixError::new(StatusCode::BAD_GATEWAY, "M_UNKNOWN", error.to_string()),
            },
            E::PolicyServer(answered) => refused_by_policy_server(*answered),
            error => error.into(),
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
        Self(error.into())
    }
}

impl From<orvale_delivery::Error> for Error {
    fn from(error: orvale_delivery::Error) -> Self {
        match error {
            orvale_delivery::Error::Rooms(error) => error.into(),
            error => Self(error.into()),
        }
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
        Self(error.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_differs_for_clients_differs_by_way_of_delivery_too() {
        let refused = || {
            orvale_rooms::Error::PolicyServer(Box::new(Answered {
                status: StatusCode::BAD_REQUEST,
                errcode: "M_SPAM".to_owned(),
                message: "no".to_owned(),
                retry_after: None,
                room_version: None,
            }))
        };
        let direct = Error::from(refused());
        let by_way = Error::from(orvale_delivery::Error::from(refused()));
        for Error(error) in [direct, by_way] {
            assert_eq!(error.status(), StatusCode::BAD_REQUEST);
            assert_eq!(error.errcode(), "M_SPAM");
        }
    }
}
