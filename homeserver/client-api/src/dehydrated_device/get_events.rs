//! `POST /_matrix/client/unstable/org.matrix.msc3814.v1/dehydrated_device/{deviceId}/events`, and the same by `GET`
//!
//! matrix-rust-sdk asks by `POST` until no event comes, matrix-js-sdk by `GET` until no token comes.
//!
//! The token is the position of the last message given out. Asking with it says that those up to there have arrived, but
//! they stay until the device is replaced or removed: a client that does not get to the end begins anew.

use axum::extract::State;
use orvale_http::{Caller, Json, MatrixError, Path, Query, Ruma};
use orvale_storage::Position;
use orvale_users::{Error as UsersError, Users};
use ruma::{
    DeviceId, OwnedDeviceId, UserId,
    api::client::dehydrated_device::get_events::unstable::{Request, Response},
    events::AnyToDeviceEvent,
    serde::Raw,
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json, value::to_raw_value};

use crate::Error;

/// How many messages one answer brings.
const MESSAGES: usize = 100;

/// Where it is by `GET`, which ruma does not have.
pub(crate) const PATH: &str =
    "/_matrix/client/unstable/org.matrix.msc3814.v1/dehydrated_device/{device_id}/events";

pub(crate) async fn handle(
    State(users): State<Users>,
    caller: Caller,
    Ruma(request): Ruma<Request>,
) -> Result<Response, Error> {
    let after = request.next_batch.as_deref();
    let page = page(&users, caller.user_id(), &request.device_id, after)?;
    let mut response = Response::new(page.events);
    response.next_batch = Some(page.last);
    Ok(response)
}

/// Where to go on.
#[derive(Deserialize)]
pub(crate) struct From {
    from: Option<String>,
}

/// What is answered by `GET`.
#[derive(Serialize)]
pub(crate) struct Found {
    events: Vec<Raw<AnyToDeviceEvent>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_batch: Option<String>,
}

pub(crate) async fn by_get(
    State(users): State<Users>,
    caller: Caller,
    Path(device_id): Path<OwnedDeviceId>,
    Query(from): Query<From>,
) -> Result<Json<Found>, Error> {
    let page = page(&users, caller.user_id(), &device_id, from.from.as_deref())?;
    Ok(Json(Found {
        events: page.events,
        next_batch: page.more.then_some(page.last),
    }))
}

struct Page {
    events: Vec<Raw<AnyToDeviceEvent>>,
    last: String,
    more: bool,
}

fn page(
    users: &Users,
    user_id: &UserId,
    device_id: &DeviceId,
    after: Option<&str>,
) -> Result<Page, Error> {
    if !users.is_dehydrated(user_id, device_id)? {
        return Err(UsersError::NotFound("dehydrated device").into());
    }
    let after = match after {
        None | Some("") => Position::START,
        Some(token) => token_position(token)
            .ok_or_else(|| MatrixError::invalid_param("This is no token of this endpoint"))?,
    };
    let (upto, limit) = (Position::END, MESSAGES + 1);
    let mut found = users.to_device_messages(user_id, device_id, after, upto, limit)?;
    let more = found.len() > MESSAGES;
    found.truncate(MESSAGES);
    let last = found.last().map_or(after, |(at, _)| *at);
    let mut events = Vec::with_capacity(found.len());
    for (_, message) in found {
        let content: Value = message
            .content
            .parse()
            .map_err(|e| MatrixError::unexpected(&e))?;
        let event = json!({ "type": message.kind, "sender": message.sender, "content": content });
        let event = to_raw_value(&event).map_err(|e| MatrixError::unexpected(&e))?;
        events.push(Raw::from_json(event));
    }
    Ok(Page {
        events,
        last: format!("d{last}"),
        more,
    })
}

fn token_position(token: &str) -> Option<Position> {
    let digits = token.strip_prefix('d')?;
    let is_number = digits.bytes().all(|byte| byte.is_ascii_digit());
    digits.parse().ok().filter(|_| is_number).map(Position)
}
