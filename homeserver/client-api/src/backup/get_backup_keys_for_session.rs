//! `GET /_matrix/client/v3/room_keys/keys/{roomId}/{sessionId}`

use axum::extract::State;
use orvale_http::{Caller, Ruma, heavy};
use orvale_users::{BackupWhich, Users};
use ruma::{
    api::client::backup::get_backup_keys_for_session::v3::{Request, Response},
    serde::Raw,
};

use crate::Error;

pub(crate) async fn handle(
    State(users): State<Users>,
    caller: Caller,
    Ruma(request): Ruma<Request>,
) -> Result<Response, Error> {
    let which = BackupWhich::Session(&request.room_id, &request.session_id);
    let found = heavy(|| users.backup_keys(caller.user_id(), &request.version, which))?;
    let session = found
        .into_values()
        .flat_map(std::collections::BTreeMap::into_values)
        .next();
    let session = session.ok_or(orvale_users::Error::NotFound("session in this key backup"))?;
    Ok(Response::new(Raw::from_json(session)))
}
