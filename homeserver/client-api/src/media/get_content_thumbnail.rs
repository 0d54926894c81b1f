//! `GET /_matrix/media/v3/thumbnail/{serverName}/{mediaId}`

#![expect(
    deprecated,
    reason = "clients of before Matrix 1.11 know no other endpoint"
)]

use axum::extract::State;
use orvale_http::{Ruma, Whole};
use orvale_media::{Access, Media};
use ruma::api::client::media::get_content_thumbnail::v3::Request;

use super::serve::{self, Conditions};
use crate::Error;

pub(crate) async fn handle(
    State(media): State<Media>,
    conditions: Conditions,
    Ruma(request): Ruma<Request>,
) -> Result<Whole, Error> {
    let wanted = serve::wanted(
        request.width,
        request.height,
        request.method,
        request.animated,
    )?;
    let found = serve::find(
        &media,
        Access::Legacy,
        &request.server_name,
        &request.media_id,
        request.timeout_ms,
    );
    serve::thumbnail(&media, Access::Legacy, &found.await?, wanted, &conditions).await
}
