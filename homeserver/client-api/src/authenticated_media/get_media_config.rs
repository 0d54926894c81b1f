//! `GET /_matrix/client/v1/media/config`

use axum::extract::State;
use orvale_http::{Caller, Ruma};
use orvale_media::Media;
use ruma::{
    UInt,
    api::client::authenticated_media::get_media_config::v1::{Request, Response},
};

use crate::Error;

pub(crate) async fn handle(
    State(media): State<Media>,
    _: Caller,
    _: Ruma<Request>,
) -> Result<Response, Error> {
    Ok(Response::new(UInt::new_saturating(
        media.config().max_upload_bytes,
    )))
}
