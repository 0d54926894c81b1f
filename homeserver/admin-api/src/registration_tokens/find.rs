//! `GET /_synapse/admin/v1/registration_tokens/{token}`

use axum::extract::State;
use orvale_http::{Caller, Json, MatrixError, Path};
use orvale_users::Users;

use super::Shown;

pub(crate) async fn handle(
    State(users): State<Users>,
    caller: Caller,
    Path(token): Path<String>,
) -> Result<Json<Shown>, MatrixError> {
    caller.must_be_admin()?;
    let found = users.registration_token(&token)?;
    let found =
        found.ok_or_else(|| MatrixError::not_found("There is no such registration token"))?;
    Ok(Json(found.into()))
}
