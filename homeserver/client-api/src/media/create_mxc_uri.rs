//! `POST /_matrix/media/v1/create`

use axum::extract::State;
use orvale_http::{Caller, Ruma};
use orvale_media::Media;
use ruma::{
    MilliSecondsSinceUnixEpoch,
    api::client::media::create_mxc_uri::v1::{Request, Response},
};

use crate::Error;

pub(crate) async fn handle(
    State(media): State<Media>,
    caller: Caller,
    _: Ruma<Request>,
) -> Result<Response, Error> {
    caller.must_not_be_guest()?;
    let created = media
        .create(caller.user_id(), MilliSecondsSinceUnixEpoch::now())
        .await?;
    let mut response = Response::new(created.content_uri);
    response.unused_expires_at = Some(created.unused_expires_at);
    Ok(response)
}
