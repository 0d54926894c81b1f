//! `POST /_matrix/client/v3/account/3pid/unbind`

use orvale_http::{Caller, Ruma};
use ruma::api::client::account::{
    ThirdPartyIdRemovalStatus,
    unbind_3pid::v3::{Request, Response},
};

use crate::Error;

/// We bind nothing at identity servers; what others bound there is not ours to unbind.
pub(crate) async fn handle(_: Caller, _: Ruma<Request>) -> Result<Response, Error> {
    Ok(Response::new(ThirdPartyIdRemovalStatus::NoSupport))
}
