//! `DELETE /_synapse/admin/v1/registration_tokens/{token}`

use axum::extract::State;
use orvale_http::{Caller, Json, MatrixError, Path};
use orvale_users::Users;
use serde_json::{Map, Value};

pub(crate) async fn handle(
    State(users): State<Users>,
    caller: Caller,
    Path(token): Path<String>,
) -> Result<Json<Map<String, Value>>, MatrixError> {
    caller.must_be_admin()?;
    users.remove_registration_token(&token).await?;
    Ok(Json(Map::new()))
}
