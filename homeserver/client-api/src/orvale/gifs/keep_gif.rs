//! `POST /_orvale/client/v1/gifs/{gifId}`

use axum::extract::State;
use orvale_http::{Caller, Json, Path};
use orvale_media::Media;
use ruma::MilliSecondsSinceUnixEpoch;
use serde::Serialize;
use utoipa::ToSchema;

use crate::Error;

/// A GIF as media of this server, with what an `m.image` says of it.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct KeptGif {
    #[schema(example = "mxc://example.org/Kq0TLnLBvBfYRrDlqvCk")]
    content_uri: String,
    /// What it shows; may be empty.
    #[schema(example = "A cat jumps off a table")]
    title: String,
    info: GifInfo,
}

/// As `info` of `m.image` in Matrix.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct GifInfo {
    #[schema(example = "image/gif")]
    mimetype: &'static str,
    /// In bytes.
    #[schema(example = 1_204_331)]
    size: u64,
    /// In pixels.
    #[schema(example = 498)]
    w: u32,
    /// In pixels.
    #[schema(example = 280)]
    h: u32,
}

/// Makes a GIF that was found not long ago an upload of the caller's, without the detour over their client.
#[utoipa::path(
    post,
    path = "/_orvale/client/v1/gifs/{gifId}",
    operation_id = "keepGif",
    params(("gifId" = String, Path, description = "As a search told it.", example = "5521")),
    responses(
        (status = 200, description = "Where it is now.", body = KeptGif),
        (status = 403, description = "`M_FORBIDDEN`: the caller has uploaded as much as they may.", body = super::super::openapi::StandardError),
        (status = 404, description = "`M_NOT_FOUND`: no search told it, or that is long ago; or the service does not give it.", body = super::super::openapi::StandardError)
    ),
    security(("accessToken" = []))
)]
pub(crate) async fn handle(
    State(media): State<Media>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Json<KeptGif>, Error> {
    caller.must_not_be_guest()?;
    let now = MilliSecondsSinceUnixEpoch::now();
    let kept = media.keep_gif(caller.user_id(), &id, now).await?;
    Ok(Json(KeptGif {
        content_uri: kept.uri.to_string(),
        title: kept.title,
        info: GifInfo {
            mimetype: kept.content_type,
            size: kept.size,
            w: kept.width,
            h: kept.height,
        },
    }))
}
