//! `POST /_matrix/client/v3/keys/device_signing/upload`

use axum::extract::State;
use orvale_http::{Attempts, Caller, Ruma};
use orvale_users::{CrossSigningKeys, Error as UsersError, Users};
use ruma::api::client::keys::upload_signing_keys::v3::{Request, Response};

use crate::Error;

pub(crate) async fn handle(
    State(users): State<Users>,
    caller: Caller,
    attempts: Attempts,
    Ruma(request): Ruma<Request>,
) -> Result<Response, Error> {
    caller.must_not_be_guest()?;
    let user_id = caller.user_id();
    let keys = CrossSigningKeys {
        master: request.master_key,
        self_signing: request.self_signing_key,
        user_signing: request.user_signing_key,
    };
    let by_appservice = caller.session().by_appservice;
    let uploaded = users.upload_cross_signing_keys(user_id, &keys, by_appservice);
    match uploaded.await {
        Err(UsersError::ProofNeeded) => {}
        uploaded => {
            uploaded?;
            return Ok(Response::new());
        }
    }
    let body = [&keys.master, &keys.self_signing, &keys.user_signing];
    let name = "POST /keys/device_signing/upload";
    let operation = users.operation_of(name, user_id, caller.device_id(), &body)?;
    let proof = users.authenticate_operation(&operation, request.auth.as_ref());
    attempts.run(user_id.as_str(), proof).await?;
    users
        .upload_cross_signing_keys(user_id, &keys, true)
        .await?;
    Ok(Response::new())
}
