//! What relates to an event.

pub(crate) mod get_relating_events;
pub(crate) mod get_relating_events_with_rel_type;
pub(crate) mod get_relating_events_with_rel_type_and_event_type;

use std::io::Write;

use orvale_http::{Caller, JsonBytes, heavy};
use orvale_rooms::{Related, Relating, Rooms};
use ruma::{EventId, RoomId, UInt, api::Direction};

use crate::{Error, events};

#[cfg(test)]
mod tests;

const PAGE: usize = 50;
const MAX_PAGE: usize = 200;

/// A page as it is asked for, whichever of the endpoints is asked.
struct Asked {
    from: Option<String>,
    to: Option<String>,
    direction: Direction,
    limit: Option<UInt>,
    recurse: bool,
}

/// How many events a page shall have.
pub(crate) fn page_size(limit: Option<UInt>) -> usize {
    let limit = limit.map_or(PAGE, |limit| {
        usize::try_from(u64::from(limit)).unwrap_or(MAX_PAGE)
    });
    limit.clamp(1, MAX_PAGE)
}

fn answer(
    rooms: &Rooms,
    caller: &Caller,
    (room_id, event_id): (&RoomId, &EventId),
    (rel_type, kind): (Option<&str>, Option<&str>),
    asked: Asked,
) -> Result<JsonBytes, Error> {
    let relating = Relating {
        rel_type,
        kind,
        from: asked.from.map(|token| token.parse()).transpose()?,
        to: asked.to.map(|token| token.parse()).transpose()?,
        direction: asked.direction,
        limit: page_size(asked.limit),
        recurse: asked.recurse,
    };
    let device = caller.device_id().as_str();
    heavy(|| {
        let Related { events, end, depth } =
            rooms.list_relations(caller.user_id(), device, room_id, event_id, &relating)?;
        let mut out = Vec::with_capacity(1024 * events.len() + 128);
        out.extend_from_slice(b"{\"chunk\":");
        events::write_list(&events, &mut out)?;
        if let Some(end) = end {
            write!(out, ",\"next_batch\":\"{end}\"").expect("writing to memory");
        }
        if let Some(from) = relating.from {
            write!(out, ",\"prev_batch\":\"{from}\"").expect("writing to memory");
        }
        if let Some(depth) = depth {
            write!(out, ",\"recursion_depth\":{depth}").expect("writing to memory");
        }
        out.push(b'}');
        Ok(JsonBytes(out.into()))
    })
}
