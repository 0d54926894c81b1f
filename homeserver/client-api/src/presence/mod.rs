//! Presence.

pub(crate) mod get_presence;
pub(crate) mod set_presence;

use orvale_http::Caller;
use orvale_users::Users;

/// Somebody sent, read or typed something: they are not idle. (What an application service does says nothing of a person.)
pub(crate) fn did_something(users: &Users, caller: &Caller) {
    if caller.session().appservice.is_none() {
        users
            .presence()
            .active(caller.user_id(), caller.device_id());
    }
}

#[cfg(test)]
mod tests;
