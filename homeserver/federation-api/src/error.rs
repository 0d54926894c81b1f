//! What another server sees of each error: as `orvale-http` answers it, but for what is said to servers in another way.

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
            // The specification's answer; clients are told to come again.
            E::PartialState => MatrixError::new(
                StatusCode::NOT_FOUND,
                "M_UNABLE_DUE_TO_PARTIAL_STATE",
                error.to_string(),
            ),
            error => error.into(),
        })
    }
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

impl From<orvale_media::Error> for Error {
    fn from(error: orvale_media::Error) -> Self {
        Self(error.into())
    }
}

impl From<orvale_federation_client::Error> for Error {
    fn from(error: orvale_federation_client::Error) -> Self {
        Self(error.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_differs_for_servers_differs_by_way_of_delivery_too() {
        let direct = Error::from(orvale_rooms::Error::PartialState);
        let by_way = Error::from(orvale_delivery::Error::from(
            orvale_rooms::Error::PartialState,
        ));
        for Error(error) in [direct, by_way] {
            assert_eq!(error.status(), StatusCode::NOT_FOUND);
            assert_eq!(error.errcode(), "M_UNABLE_DUE_TO_PARTIAL_STATE");
        }
    }
}
