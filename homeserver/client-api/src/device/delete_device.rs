//! `DELETE /_matrix/client/v3/devices/{deviceId}`

use axum::extract::State;
use orvale_http::{Attempts, Caller, Ruma};
use orvale_users::Users;
use ruma::api::client::device::delete_device::v3::{Request, Response};

use crate::Error;

pub(crate) async fn handle(
    State(users): State<Users>,
    caller: Caller,
    attempts: Attempts,
    Ruma(request): Ruma<Request>,
) -> Result<Response, Error> {
    caller.must_not_be_guest()?;
    let (user_id, device_id) = (caller.user_id(), &request.device_id);
    if !caller.session().by_appservice {
        let name = format!("DELETE /devices/{device_id}");
        let operation = users.operation_of(&name, user_id, caller.device_id(), &())?;
        let proof = users.authenticate_operation(&operation, request.auth.as_ref());
        attempts.run(user_id.as_str(), proof).await?;
    }
    users.delete_devices(user_id, &[device_id]).await?;
    Ok(Response::new())
}
