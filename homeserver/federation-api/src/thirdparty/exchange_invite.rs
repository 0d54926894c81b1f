//! `PUT /_matrix/federation/v1/exchange_third_party_invite/{roomId}`

use orvale_http::Ruma;
use ruma::api::federation::thirdparty::exchange_invite::v1::{Request, Response};

use crate::{Error, Origin};

/// Invites of this server name users: none of its rooms has a third-party invite that could be exchanged.
pub(crate) async fn handle(_: Origin, Ruma(_): Ruma<Request>) -> Result<Response, Error> {
    Err(orvale_rooms::Error::ThirdPartyInvite.into())
}
