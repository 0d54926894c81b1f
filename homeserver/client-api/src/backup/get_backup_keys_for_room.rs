//! `GET /_matrix/client/v3/room_keys/keys/{roomId}`

use axum::extract::State;
use orvale_http::{Caller, Ruma, heavy};
use orvale_users::{BackupWhich, Users};
use ruma::api::client::backup::get_backup_keys_for_room::v3::{Request, Response};

use super::told;
use crate::Error;

pub(crate) async fn handle(
    State(users): State<Users>,
    caller: Caller,
    Ruma(request): Ruma<Request>,
) -> Result<Response, Error> {
    let which = BackupWhich::Room(&request.room_id);
    let found = heavy(|| users.backup_keys(caller.user_id(), &request.version, which))?;
    let of_room = found.into_values().next().unwrap_or_default();
    Ok(Response::new(told(of_room)))
}
