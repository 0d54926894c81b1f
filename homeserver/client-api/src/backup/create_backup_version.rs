//! `POST /_matrix/client/v3/room_keys/version`

use axum::extract::State;
use orvale_http::{Caller, Ruma};
use orvale_users::Users;
use ruma::api::client::backup::create_backup_version::v3::{Request, Response};

use super::Algorithm;
use crate::Error;

pub(crate) async fn handle(
    State(users): State<Users>,
    caller: Caller,
    Ruma(request): Ruma<Request>,
) -> Result<Response, Error> {
    caller.must_not_be_guest()?;
    let given = Algorithm::of(&request.algorithm)?;
    let version = users
        .create_backup(caller.user_id(), &given.algorithm, &given.auth_data())
        .await?;
    Ok(Response::new(version))
}
