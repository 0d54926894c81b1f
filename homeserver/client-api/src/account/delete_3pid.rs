//! `POST /_matrix/client/v3/account/3pid/delete`

use orvale_http::{Caller, Ruma};
use ruma::api::client::account::delete_3pid::v3::{Request, Response};

use crate::{Error, account::request_token::denied};

pub(crate) async fn handle(_: Caller, _: Ruma<Request>) -> Result<Response, Error> {
    Err(denied())
}
