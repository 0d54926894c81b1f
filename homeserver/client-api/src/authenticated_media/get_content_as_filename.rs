//! `GET /_matrix/client/v1/media/download/{serverName}/{mediaId}/{fileName}`

use axum::extract::State;
use orvale_http::{Caller, Ruma, Whole};
use orvale_media::{Access, Media};
use ruma::api::client::authenticated_media::get_content_as_filename::v1::Request;

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
    let found = serve::find(
        &media,
        Access::Authenticated,
        &request.server_name,
        &request.media_id,
        request.timeout_ms,
    );
    let file = found.await?;
    serve::file(
        &media,
        Access::Authenticated,
        &file,
        Some(&request.filename),
        &conditions,
    )
    .await
}
