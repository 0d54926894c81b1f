//! `GET /_matrix/federation/v1/media/download/{mediaId}`

use axum::extract::State;
use orvale_federation_client::FederationClient;
use orvale_http::{Ruma, Whole};
use orvale_media::Media;
use ruma::api::federation::authenticated_media::get_content::v1::Request;

use super::{find, original};
use crate::{Error, Origin};

pub(crate) async fn handle(
    State(media): State<Media>,
    State(client): State<FederationClient>,
    _: Origin,
    Ruma(request): Ruma<Request>,
) -> Result<Whole, Error> {
    let us = client.server_name();
    let file = find(&media, us, &request.media_id, request.timeout_ms).await?;
    original(&media, &file).await
}
