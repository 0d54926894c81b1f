//! `POST /_synapse/admin/v1/registration_tokens/new`

use axum::extract::State;
use orvale_http::{Caller, Json, MatrixError};
use orvale_users::Users;
use serde::Deserialize;

use super::{Shown, check_expiry};

#[derive(Deserialize)]
pub(crate) struct Request {
    token: Option<String>,
    uses_allowed: Option<u64>,
    expiry_time: Option<u64>,
}

pub(crate) async fn handle(
    State(users): State<Users>,
    caller: Caller,
    Json(request): Json<Request>,
) -> Result<Json<Shown>, MatrixError> {
    caller.must_be_admin()?;
    check_expiry(&users, request.expiry_time)?;
    let made = users.create_registration_token(
        request.token.as_deref(),
        request.uses_allowed,
        request.expiry_time,
    );
    Ok(Json(made.await?.into()))
}
