//! `GET /_matrix/client/v1/media/preview_url`

use axum::extract::State;
use orvale_http::{Caller, JsonBytes, Ruma};
use orvale_media::Media;
use ruma::{
    MilliSecondsSinceUnixEpoch, api::client::authenticated_media::get_media_preview::v1::Request,
};

use crate::Error;

pub(crate) async fn handle(
    State(media): State<Media>,
    caller: Caller,
    Ruma(request): Ruma<Request>,
) -> Result<JsonBytes, Error> {
    // Guests may read media; they may not make this server look at pages.
    caller.must_not_be_guest()?;
    // Pages are as they are now: what they were at another time is not known.
    let now = MilliSecondsSinceUnixEpoch::now();
    let preview = media.preview(&request.url, now).await?;
    Ok(JsonBytes(preview.0.clone().into()))
}
