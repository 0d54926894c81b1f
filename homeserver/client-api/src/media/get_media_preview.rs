//! `GET /_matrix/media/v3/preview_url`

#![expect(deprecated, reason = "clients of before Matrix 1.11 ask here")]

use axum::extract::State;
use orvale_http::{Caller, JsonBytes, Ruma};
use orvale_media::Media;
use ruma::{MilliSecondsSinceUnixEpoch, api::client::media::get_media_preview::v3::Request};

use crate::Error;

pub(crate) async fn handle(
    State(media): State<Media>,
    caller: Caller,
    Ruma(request): Ruma<Request>,
) -> Result<JsonBytes, Error> {
    caller.must_not_be_guest()?;
    let now = MilliSecondsSinceUnixEpoch::now();
    let preview = media.preview(&request.url, now).await?;
    Ok(JsonBytes(preview.0.clone().into()))
}
