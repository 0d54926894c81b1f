//! `DELETE /_matrix/client/v3/profile/{userId}/{keyName}`

use axum::extract::State;
use orvale_http::{Caller, Ruma};
use orvale_rooms::Rooms;
use orvale_users::Users;
use ruma::api::client::profile::delete_profile_field::v3::{Request, Response};

use super::{changed, may_change};
use crate::Error;

pub(crate) async fn handle(
    State(users): State<Users>,
    State(rooms): State<Rooms>,
    caller: Caller,
    Ruma(request): Ruma<Request>,
) -> Result<Response, Error> {
    let field = request.field.to_string();
    may_change(&caller, &request.user_id, &field)?;
    let change = users.remove_profile_field(&request.user_id, &field).await?;
    changed(rooms, request.user_id, change);
    Ok(Response::new())
}
