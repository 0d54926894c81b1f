//! `GET /_matrix/client/v3/room_keys/version`

use axum::extract::State;
use orvale_http::{Caller, Json, Ruma};
use orvale_users::Users;
use ruma::api::client::backup::get_latest_backup_info::v3::Request;

use super::{Shown, shown};
use crate::Error;

pub(crate) async fn handle(
    State(users): State<Users>,
    caller: Caller,
    _: Ruma<Request>,
) -> Result<Json<Shown>, Error> {
    Ok(shown(users.backup(caller.user_id(), None)?)?)
}
