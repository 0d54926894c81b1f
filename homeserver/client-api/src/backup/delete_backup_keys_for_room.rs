//! `DELETE /_matrix/client/v3/room_keys/keys/{roomId}`

use axum::extract::State;
use orvale_http::{Caller, Ruma};
use orvale_users::{BackupWhich, Users};
use ruma::api::client::backup::delete_backup_keys_for_room::v3::{Request, Response};

use super::count;
use crate::Error;

pub(crate) async fn handle(
    State(users): State<Users>,
    caller: Caller,
    Ruma(request): Ruma<Request>,
) -> Result<Response, Error> {
    let which = BackupWhich::Room(&request.room_id);
    let state = users
        .delete_backup_keys(caller.user_id(), &request.version, which)
        .await?;
    Ok(Response::new(state.etag, count(state.count)))
}
