//! What is answered where another server did not help: what it said is nothing that just anybody who asks could act upon.

use http::StatusCode;
use orvale_federation_client::Error as E;

use crate::MatrixError;

impl From<E> for MatrixError {
    fn from(error: E) -> Self {
        match error {
            E::Matrix(_)
            | E::NotReached(_)
            | E::BadAnswer(_)
            | E::TooLarge(_)
            | E::NotAllowed(_) => {
                Self::new(StatusCode::BAD_GATEWAY, "M_UNKNOWN", error.to_string())
            }
            E::Request(_) | E::Config { .. } => Self::unexpected(&error),
            E::Storage(error) => error.into(),
        }
    }
}
