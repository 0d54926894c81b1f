//! What is answered to the errors of storage: nobody foresaw them.

use orvale_storage::Error as E;

use crate::MatrixError;

impl From<E> for MatrixError {
    fn from(error: E) -> Self {
        match error {
            E::Conflict { .. }
            | E::Corrupt { .. }
            | E::Damaged { .. }
            | E::InUse(_)
            | E::Newer { .. }
            | E::Io(_)
            | E::Full
            | E::Closed => Self::unexpected(&error),
        }
    }
}
