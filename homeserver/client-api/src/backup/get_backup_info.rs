//! `GET /_matrix/client/v3/room_keys/version/{version}`

use axum::extract::State;
use orvale_http::{Caller, Json, Ruma};
use orvale_users::Users;
use ruma::api::client::backup::get_backup_info::v3::Request;

use super::{Shown, shown};
use crate::Error;

pub(crate) async fn handle(
    State(users): State<Users>,
    caller: Caller,
    Ruma(request): Ruma<Request>,
) -> Result<Json<Shown>, Error> {
    let info = users.backup(caller.user_id(), Some(&request.version))?;
    Ok(shown(info)?)
}
