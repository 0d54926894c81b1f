//! `GET /_orvale/client/v1/gifs/{gifId}`

use axum::extract::State;
use orvale_http::{Caller, Path, Query, Whole};
use orvale_media::{GifSize, Media};
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

use crate::{Error, media::serve};

/// Which picture of it.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct SizeQuery {
    /// Without: `small`.
    #[serde(default)]
    #[param(inline)]
    size: Size,
}

/// A picture of a GIF.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Size {
    /// To choose from.
    #[default]
    Small,
    /// The same, without motion.
    Still,
    /// To be sent.
    Full,
}

/// A picture of a GIF that was found not long ago, fetched by this server.
#[utoipa::path(
    get,
    path = "/_orvale/client/v1/gifs/{gifId}",
    operation_id = "getGif",
    params(("gifId" = String, Path, description = "As a search told it.", example = "5521"), SizeQuery),
    responses(
        (status = 200, description = "The picture: GIF, WebP, PNG or JPEG.", content_type = "image/*"),
        (status = 404, description = "`M_NOT_FOUND`: no search told it, or that is long ago; or the service does not give it.", body = super::super::openapi::StandardError)
    ),
    security(("accessToken" = []))
)]
pub(crate) async fn handle(
    State(media): State<Media>,
    caller: Caller,
    Path(id): Path<String>,
    Query(query): Query<SizeQuery>,
) -> Result<Whole, Error> {
    caller.must_not_be_guest()?;
    let size = match query.size {
        Size::Small => GifSize::Small,
        Size::Still => GifSize::Still,
        Size::Full => GifSize::Full,
    };
    let picture = media.gif(&id, size).await?;
    Ok(serve::fetched(picture.content_type, picture.body))
}
