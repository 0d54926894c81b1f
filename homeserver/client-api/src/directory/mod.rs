//! The public directory.

pub(crate) mod get_public_rooms;
pub(crate) mod get_public_rooms_filtered;
pub(crate) mod get_room_visibility;
pub(crate) mod set_room_visibility;

use orvale_rooms::{DirectoryPage, Rooms};
use ruma::{UInt, directory::Filter};

use crate::{Error, heavy::heavy};

/// A page of this server's directory.
fn page(
    rooms: &Rooms,
    filter: &Filter,
    since: Option<String>,
    limit: Option<UInt>,
) -> Result<DirectoryPage, Error> {
    let since = since.map(|token| token.parse()).transpose()?;
    let limit = limit.and_then(|limit| usize::try_from(limit).ok());
    Ok(heavy(|| rooms.list_published(filter, since, limit))?)
}
