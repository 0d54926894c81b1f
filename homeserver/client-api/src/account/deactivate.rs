//! `POST /_matrix/client/v3/account/deactivate`

use axum::extract::State;
use orvale_http::{Attempts, Caller, Ruma};
use orvale_rooms::Rooms;
use orvale_users::Users;
use ruma::api::client::account::{
    ThirdPartyIdRemovalStatus,
    deactivate::v3::{Request, Response},
};

use crate::Error;

pub(crate) async fn handle(
    State(users): State<Users>,
    State(rooms): State<Rooms>,
    caller: Caller,
    attempts: Attempts,
    Ruma(request): Ruma<Request>,
) -> Result<Response, Error> {
    let (user_id, device_id) = (caller.user_id(), caller.device_id());
    if !caller.session().by_appservice {
        let operation = users.operation_of(
            "POST /account/deactivate",
            user_id,
            device_id,
            &request.erase,
        )?;
        let proof = users.authenticate_operation(&operation, request.auth.as_ref());
        attempts.run(user_id.as_str(), proof).await?;
    }
    // Rooms first: if we fall over in between, the user can ask again. Then once more for what was joined meanwhile.
    rooms.leave_all(user_id).await?;
    users.deactivate(user_id, request.erase).await?;
    rooms.leave_all(user_id).await?;
    // We bind nothing at identity servers, so nothing stays bound.
    Ok(Response::new(ThirdPartyIdRemovalStatus::Success))
}
