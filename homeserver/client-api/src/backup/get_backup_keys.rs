//! `GET /_matrix/client/v3/room_keys/keys`

use axum::extract::State;
use orvale_http::{Caller, Ruma, heavy};
use orvale_users::{BackupWhich, Users};
use ruma::api::client::backup::get_backup_keys::v3::{Request, Response};

use super::rooms;
use crate::Error;

pub(crate) async fn handle(
    State(users): State<Users>,
    caller: Caller,
    Ruma(request): Ruma<Request>,
) -> Result<Response, Error> {
    let which = BackupWhich::All;
    let found = heavy(|| users.backup_keys(caller.user_id(), &request.version, which))?;
    Ok(Response::new(rooms(found)))
}
