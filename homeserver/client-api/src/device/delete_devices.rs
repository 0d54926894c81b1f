//! `POST /_matrix/client/v3/delete_devices`

use axum::extract::State;
use orvale_http::{Attempts, Caller, Ruma};
use orvale_users::Users;
use ruma::api::client::device::delete_devices::v3::{Request, Response};

use crate::Error;

pub(crate) async fn handle(
    State(users): State<Users>,
    caller: Caller,
    attempts: Attempts,
    Ruma(request): Ruma<Request>,
) -> Result<Response, Error> {
    caller.must_not_be_guest()?;
    let user_id = caller.user_id();
    if !caller.session().by_appservice {
        let operation = users.operation_of(
            "POST /delete_devices",
            user_id,
            caller.device_id(),
            &request.devices,
        )?;
        let proof = users.authenticate_operation(&operation, request.auth.as_ref());
        attempts.run(user_id.as_str(), proof).await?;
    }
    let device_ids = request
        .devices
        .iter()
        .map(|device_id| &**device_id)
        .collect::<Vec<_>>();
    users.delete_devices(user_id, &device_ids).await?;
    Ok(Response::new())
}
