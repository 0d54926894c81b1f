//! `GET /_matrix/media/v3/config`

#![expect(
    deprecated,
    reason = "clients of before Matrix 1.11 know no other endpoint"
)]

use axum::extract::State;
use orvale_http::{Caller, Ruma};
use orvale_media::Media;
use ruma::{
    UInt,
    api::client::media::get_media_config::v3::{Request, Response},
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
