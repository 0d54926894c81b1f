//! `GET /_synapse/admin/v1/registration_tokens`

use axum::extract::State;
use orvale_http::{Caller, Json, MatrixError, Query};
use orvale_users::Users;
use serde::{Deserialize, Serialize};

use super::Shown;

#[derive(Deserialize)]
pub(crate) struct Filter {
    /// Only those that are still good for something, or only the others.
    valid: Option<bool>,
}

#[derive(Serialize)]
pub(crate) struct Response {
    registration_tokens: Vec<Shown>,
}

pub(crate) async fn handle(
    State(users): State<Users>,
    caller: Caller,
    Query(filter): Query<Filter>,
) -> Result<Json<Response>, MatrixError> {
    caller.must_be_admin()?;
    let mut shown = Vec::new();
    for token in users.registration_tokens(10_000)? {
        let wanted = match filter.valid {
            Some(valid) => users.is_valid_registration_token(&token.token)? == valid,
            None => true,
        };
        if wanted {
            shown.push(token.into());
        }
    }
    Ok(Json(Response {
        registration_tokens: shown,
    }))
}
