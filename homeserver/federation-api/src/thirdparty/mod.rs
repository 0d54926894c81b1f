//! Invites by e-mail address or phone number.

pub(crate) mod bind_callback;
pub(crate) mod exchange_invite;
