//! `PUT /_synapse/admin/v1/registration_tokens/{token}`

use axum::extract::State;
use orvale_http::{Caller, Json, MatrixError, Path};
use orvale_users::Users;
use serde::{Deserialize, Deserializer};

use super::{Shown, check_expiry};

/// What is left out stays as it is; null takes the limit away.
#[derive(Deserialize)]
pub(crate) struct Request {
    #[serde(default, deserialize_with = "given")]
    uses_allowed: Option<Option<u64>>,
    #[serde(default, deserialize_with = "given")]
    expiry_time: Option<Option<u64>>,
}

fn given<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Option<u64>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}

pub(crate) async fn handle(
    State(users): State<Users>,
    caller: Caller,
    Path(token): Path<String>,
    Json(request): Json<Request>,
) -> Result<Json<Shown>, MatrixError> {
    caller.must_be_admin()?;
    check_expiry(&users, request.expiry_time.flatten())?;
    let changed = users.change_registration_token(&token, |token| {
        token.uses_allowed = request.uses_allowed.unwrap_or(token.uses_allowed);
        token.expires_at = request.expiry_time.unwrap_or(token.expires_at);
    });
    Ok(Json(changed.await?.into()))
}
