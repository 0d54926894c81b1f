//! `GET /_matrix/client/v3/account/whoami`

use orvale_http::{Caller, Ruma};
use ruma::{
    DeviceId,
    api::client::account::whoami::v3::{Request, Response},
};

use crate::Error;

pub(crate) async fn handle(caller: Caller, _: Ruma<Request>) -> Result<Response, Error> {
    let mut response = Response::new(caller.user_id().to_owned(), caller.session().guest);
    response.device_id = Some(caller.device_id())
        .filter(|id| !id.as_str().is_empty())
        .map(DeviceId::to_owned);
    Ok(response)
}
