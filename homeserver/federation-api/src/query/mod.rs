//! What another server wants to know of a user or an alias of this one.

pub(crate) mod get_profile_information;
pub(crate) mod get_room_information;
