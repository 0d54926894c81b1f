//! Account data, for all rooms or for one.

pub(crate) mod delete_account_data;
pub(crate) mod get_global_account_data;
pub(crate) mod get_room_account_data;
pub(crate) mod set_global_account_data;
pub(crate) mod set_room_account_data;

use orvale_http::MatrixError;
use orvale_rooms::Rooms;
use orvale_storage::Position;
use ruma::{RoomId, UserId};

use crate::Error;

#[cfg(test)]
mod tests;

/// The number of a room that the user has or had to do with. Of others is not said whether they exist, and nothing kept.
pub(crate) fn own_room(
    rooms: &Rooms,
    user_id: &UserId,
    room_id: &RoomId,
) -> Result<Position, Error> {
    let refused = || MatrixError::forbidden("You are not in this room and were not invited to it");
    let room = rooms.find(room_id)?.ok_or_else(refused)?;
    rooms.find_membership(&room, user_id)?.ok_or_else(refused)?;
    Ok(room.number)
}
