//! `GET /_matrix/client/v3/rooms/{roomId}/messages`

use std::io::Write;

use axum::extract::State;
use orvale_http::{Caller, JsonBytes, Ruma, heavy};
use orvale_rooms::{MAX_PAGE, Order, Rooms, Stretch};
use ruma::api::client::message::get_message_events::v3::Request;

use crate::{Error, events};

pub(crate) async fn handle(
    State(rooms): State<Rooms>,
    caller: Caller,
    Ruma(request): Ruma<Request>,
) -> Result<JsonBytes, Error> {
    let mut stretch = Stretch {
        from: order(request.from)?,
        to: order(request.to)?,
        direction: request.dir,
        limit: usize::try_from(u64::from(request.limit)).unwrap_or(MAX_PAGE),
        filter: &request.filter,
        bound: None,
    };
    let device = caller.device_id().as_str();
    stretch.bound = rooms
        .reach(caller.user_id(), &request.room_id, &stretch)
        .await?;
    heavy(|| {
        let page = rooms.list_events(caller.user_id(), device, &request.room_id, &stretch)?;
        let mut out = Vec::with_capacity(1024 * page.events.len() + 128);
        write!(out, "{{\"start\":\"{}\",", page.start).expect("writing to memory");
        if let Some(end) = page.end {
            write!(out, "\"end\":\"{end}\",").expect("writing to memory");
        }
        out.extend_from_slice(b"\"chunk\":");
        events::write_list(&page.events, &mut out)?;
        if !page.members.is_empty() {
            out.extend_from_slice(b",\"state\":");
            events::write_list(&page.members, &mut out)?;
        }
        out.push(b'}');
        Ok(JsonBytes(out.into()))
    })
}

/// The place that a token names. An empty one is none: libQuotient sends it before it has heard of one.
fn order(token: Option<String>) -> Result<Option<Order>, Error> {
    let token = token.filter(|token| !token.is_empty());
    Ok(token.map(|token| token.parse()).transpose()?)
}
