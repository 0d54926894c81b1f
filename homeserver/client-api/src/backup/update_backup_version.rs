//! `PUT /_matrix/client/v3/room_keys/version/{version}`

use axum::extract::State;
use orvale_http::{Caller, MatrixError, Ruma};
use orvale_users::Users;
use ruma::api::client::backup::update_backup_version::v3::{Request, Response};

use super::Algorithm;
use crate::Error;

pub(crate) async fn handle(
    State(users): State<Users>,
    caller: Caller,
    Ruma(request): Ruma<Request>,
) -> Result<Response, Error> {
    let given = Algorithm::of(&request.algorithm)?;
    if given
        .version
        .as_ref()
        .is_some_and(|version| *version != request.version)
    {
        let message = "The version in the body is not the one in the path";
        return Err(MatrixError::invalid_param(message).into());
    }
    users
        .update_backup(
            caller.user_id(),
            &request.version,
            &given.algorithm,
            &given.auth_data(),
        )
        .await?;
    Ok(Response::default())
}
