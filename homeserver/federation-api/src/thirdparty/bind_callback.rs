//! `PUT /_matrix/federation/v1/3pid/onbind`

use orvale_http::Ruma;
use ruma::api::federation::thirdparty::bind_callback::v1::{Request, Response};

use crate::Error;

/// Identity servers tell here whose address was found. This server trusts none: addresses are not managed here, so none can be bound to a user of it.
pub(crate) async fn handle(Ruma(_): Ruma<Request>) -> Result<Response, Error> {
    Err(orvale_rooms::Error::ThirdPartyInvite.into())
}
