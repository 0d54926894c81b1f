//! What administrators may do to accounts by the specification.

pub(crate) mod get_user_info;
pub(crate) mod is_user_locked;
pub(crate) mod is_user_suspended;
pub(crate) mod lock_user;
pub(crate) mod suspend_user;

use orvale_http::{Caller, MatrixError};
use orvale_users::Users;
use ruma::UserId;

use crate::Error;

#[cfg(test)]
mod tests;

/// Refuses all but administrators, and accounts of other servers.
fn check(users: &Users, caller: &Caller, user_id: &UserId) -> Result<(), Error> {
    caller.must_be_admin()?;
    if users.is_local(user_id) {
        Ok(())
    } else {
        Err(MatrixError::invalid_param("This user is not one of this server").into())
    }
}

/// Refuses what the specification forbids even administrators: to shut out themselves and each other.
fn check_change(users: &Users, caller: &Caller, user_id: &UserId) -> Result<(), Error> {
    check(users, caller, user_id)?;
    if users.is_admin(user_id)? {
        return Err(MatrixError::forbidden("Administrators cannot be locked or suspended").into());
    }
    Ok(())
}
