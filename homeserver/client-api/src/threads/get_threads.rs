//! `GET /_matrix/client/v1/rooms/{roomId}/threads`

use std::io::Write;

use axum::extract::State;
use orvale_http::{Caller, JsonBytes, Ruma, heavy};
use orvale_rooms::Rooms;
use ruma::api::client::threads::get_threads::v1::{IncludeThreads, Request};

use crate::{Error, events, relations::page_size};

pub(crate) async fn handle(
    State(rooms): State<Rooms>,
    caller: Caller,
    Ruma(request): Ruma<Request>,
) -> Result<JsonBytes, Error> {
    let from = request.from.map(|token| token.parse()).transpose()?;
    let participated = request.include == IncludeThreads::Participated;
    let device = caller.device_id().as_str();
    heavy(|| {
        let (threads, end) = rooms.list_threads(
            caller.user_id(),
            device,
            &request.room_id,
            from,
            page_size(request.limit),
            participated,
        )?;
        let mut out = Vec::with_capacity(2048 * threads.len() + 128);
        out.extend_from_slice(b"{\"chunk\":");
        events::write_list(&threads, &mut out)?;
        if let Some(end) = end {
            write!(out, ",\"next_batch\":\"{end}\"").expect("writing to memory");
        }
        out.push(b'}');
        Ok(JsonBytes(out.into()))
    })
}
