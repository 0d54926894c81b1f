//! `DELETE /_matrix/client/v3/room_keys/version/{version}`

use axum::extract::State;
use orvale_http::{Caller, Ruma};
use orvale_users::Users;
use ruma::api::client::backup::delete_backup_version::v3::{Request, Response};

use crate::Error;

pub(crate) async fn handle(
    State(users): State<Users>,
    caller: Caller,
    Ruma(request): Ruma<Request>,
) -> Result<Response, Error> {
    users
        .delete_backup(caller.user_id(), &request.version)
        .await?;
    Ok(Response::default())
}
