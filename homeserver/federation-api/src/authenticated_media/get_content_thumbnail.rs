//! `GET /_matrix/federation/v1/media/thumbnail/{mediaId}`

use axum::extract::State;
use futures_util::stream;
use orvale_federation_client::FederationClient;
use orvale_http::{MatrixError, Ruma, Whole};
use orvale_media::{Media, Method, ThumbnailContent, ThumbnailRequest, filename};
use ruma::{UInt, api::federation::authenticated_media::get_content_thumbnail::v1::Request};

use super::{find, original, parts};
use crate::{Error, Origin};

pub(crate) async fn handle(
    State(media): State<Media>,
    State(client): State<FederationClient>,
    _: Origin,
    Ruma(request): Ruma<Request>,
) -> Result<Whole, Error> {
    let wanted = wanted(&request)?;
    let us = client.server_name();
    let file = find(&media, us, &request.media_id, request.timeout_ms).await?;
    let thumbnail = media.thumbnail(&file, wanted).await?;
    let ThumbnailContent::Made(bytes) = thumbnail.content else {
        return original(&media, &file).await;
    };
    let kind = thumbnail.content_type;
    let name = format!("thumbnail.{}", kind.trim_start_matches("image/"));
    let disposition = filename::disposition(Some(kind), Some(&name));
    let size = bytes.len() as u64;
    let body = stream::once(async move { Ok(bytes) });
    Ok(parts(kind, &disposition, size, body))
}

fn wanted(request: &Request) -> Result<ThumbnailRequest, MatrixError> {
    let method = match request.method {
        Some(ruma::media::Method::Crop) => Method::Crop,
        None | Some(ruma::media::Method::Scale) => Method::Scale,
        Some(_) => {
            return Err(MatrixError::invalid_param(
                "A thumbnail's method is \"crop\" or \"scale\"",
            ));
        }
    };
    let pixels = |side: UInt| u32::try_from(u64::from(side)).unwrap_or(u32::MAX);
    Ok(ThumbnailRequest {
        width: pixels(request.width),
        height: pixels(request.height),
        method,
        animated: request.animated.unwrap_or(false),
    })
}
