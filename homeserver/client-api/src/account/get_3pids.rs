//! `GET /_matrix/client/v3/account/3pid`

use axum::extract::State;
use orvale_http::{Caller, Ruma};
use orvale_users::Users;
use ruma::{
    MilliSecondsSinceUnixEpoch, UInt,
    api::client::account::get_3pids::v3::{Request, Response},
    thirdparty::{Medium, ThirdPartyIdentifierInit},
};

use crate::Error;

/// The one identifier an account may have is the e-mail address that a trusted issuer vouched for.
pub(crate) async fn handle(
    State(users): State<Users>,
    caller: Caller,
    _: Ruma<Request>,
) -> Result<Response, Error> {
    let email = users.email(caller.user_id())?.map(|(address, at)| {
        let at = MilliSecondsSinceUnixEpoch(UInt::new_saturating(at));
        ThirdPartyIdentifierInit {
            address,
            medium: Medium::Email,
            validated_at: at,
            added_at: at,
        }
        .into()
    });
    Ok(Response::new(email.into_iter().collect()))
}
