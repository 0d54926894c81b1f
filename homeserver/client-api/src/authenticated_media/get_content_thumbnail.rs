//! `GET /_matrix/client/v1/media/thumbnail/{serverName}/{mediaId}`

use axum::extract::State;
use orvale_http::{Caller, Ruma, Whole};
use orvale_media::{Access, Media};
use ruma::api::client::authenticated_media::get_content_thumbnail::v1::Request;

use crate::{
    Error,
    media::serve::{self, Conditions},
};

pub(crate) async fn handle(
    State(media): State<Media>,
    _: Caller,
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
        Access::Authenticated,
        &request.server_name,
        &request.media_id,
        request.timeout_ms,
    );
    serve::thumbnail(
        &media,
        Access::Authenticated,
        &found.await?,
        wanted,
        &conditions,
    )
    .await
}
