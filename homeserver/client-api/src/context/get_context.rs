//! `GET /_matrix/client/v3/rooms/{roomId}/context/{eventId}`

use std::io::Write;

use axum::extract::State;
use orvale_http::{Caller, JsonBytes, Ruma, heavy};
use orvale_rooms::{MAX_PAGE, Rooms};
use ruma::api::client::context::get_context::v3::Request;

use crate::{Error, events};

pub(crate) async fn handle(
    State(rooms): State<Rooms>,
    caller: Caller,
    Ruma(request): Ruma<Request>,
) -> Result<JsonBytes, Error> {
    let Request {
        room_id,
        event_id,
        limit,
        filter,
        ..
    } = request;
    let limit = usize::try_from(u64::from(limit)).unwrap_or(MAX_PAGE);
    let (user, device) = (caller.user_id(), caller.device_id().as_str());
    let sides = rooms.reach_around(user, &room_id, &event_id, limit).await?;
    heavy(|| {
        let context = rooms.event_context(user, device, &room_id, &event_id, sides, &filter)?;
        let mut out = Vec::with_capacity(16 * 1024);
        let (start, end) = (context.start, context.end);
        write!(out, "{{\"start\":\"{start}\",\"end\":\"{end}\",\"event\":")
            .expect("writing to memory");
        context.event.write(&mut out)?;
        let lists = [
            ("events_before", &context.before),
            ("events_after", &context.after),
            ("state", &context.state),
        ];
        for (name, list) in lists {
            write!(out, ",\"{name}\":").expect("writing to memory");
            events::write_list(list, &mut out)?;
        }
        out.push(b'}');
        Ok(JsonBytes(out.into()))
    })
}
