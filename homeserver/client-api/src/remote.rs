//! What other servers are asked for clients.

use orvale_http::{MatrixError, OptionalCaller};

/// Refuses to ask other servers for somebody whom nobody knows: anybody could make this server ask anything of anyone.
pub(crate) fn only_for_users(OptionalCaller(caller): &OptionalCaller) -> Result<(), MatrixError> {
    match caller {
        Some(_) => Ok(()),
        None => Err(MatrixError::missing_token()),
    }
}
