//! Profiles.
//!
//! Anyone may look at them: display names and avatars are what people show others.

pub(crate) mod delete_profile_field;
pub(crate) mod get_profile;
pub(crate) mod get_profile_field;
mod remote;
pub(crate) mod set_profile_field;

use orvale_http::{Caller, MatrixError};
use orvale_rooms::Rooms;
use orvale_users::{ProfileChange, Users};
use ruma::{OwnedUserId, UserId};

pub use self::remote::RemoteProfiles;
use crate::Error;

#[cfg(test)]
mod tests;

/// Refuses profiles of users of this server that do not exist.
fn must_exist(users: &Users, user_id: &UserId) -> Result<(), Error> {
    if users.exists(user_id)? {
        Ok(())
    } else {
        Err(MatrixError::not_found("There is no profile of this user").into())
    }
}

/// Whose profile this is alone changes it; of a guest's only the display name may change.
fn may_change(caller: &Caller, user_id: &UserId, field: &str) -> Result<(), Error> {
    caller.must_be(user_id)?;
    if field != "displayname" {
        caller.must_not_be_guest()?;
    }
    Ok(())
}

/// Brings the user's rooms up to date after a change. They may be many, so nobody waits for it.
fn changed(rooms: Rooms, user_id: OwnedUserId, change: ProfileChange) {
    match change {
        ProfileChange::None | ProfileChange::Field => {}
        ProfileChange::ShownInRooms => tell_rooms(rooms, user_id),
    }
}

/// Brings display name and avatar in the user's rooms up to date, meanwhile.
pub(crate) fn tell_rooms(rooms: Rooms, user_id: OwnedUserId) {
    tokio::spawn(async move {
        if let Err(error) = rooms.update_profile(&user_id).await {
            tracing::error!(%user_id, %error, "the user's rooms were not told of the new profile");
        }
    });
}
