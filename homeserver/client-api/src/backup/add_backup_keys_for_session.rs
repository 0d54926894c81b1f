//! `PUT /_matrix/client/v3/room_keys/keys/{roomId}/{sessionId}`

use axum::extract::State;
use orvale_http::{Caller, Ruma};
use orvale_users::Users;
use ruma::api::client::backup::add_backup_keys_for_session::v3::{Request, Response};

use super::{count, sessions};
use crate::Error;

pub(crate) async fn handle(
    State(users): State<Users>,
    caller: Caller,
    Ruma(request): Ruma<Request>,
) -> Result<Response, Error> {
    let session = [(request.session_id, request.session_data)].into();
    let keys = [(request.room_id, sessions(session))].into();
    let state = users
        .put_backup_keys(caller.user_id(), &request.version, &keys)
        .await?;
    Ok(Response::new(state.etag, count(state.count)))
}
