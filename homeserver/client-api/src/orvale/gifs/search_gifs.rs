//! `GET /_orvale/client/v1/gifs/search`

use axum::extract::State;
use orvale_http::{Caller, Json, Query};
use orvale_media::{GifQuery, Media};
use ruma::MilliSecondsSinceUnixEpoch;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::Error;

/// What is looked for.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
pub(crate) struct SearchQuery {
    /// The words; without any, what many people like at the moment.
    q: String,
    /// Where to go on: `next` of the answer before.
    from: String,
    /// The language of the words, of two letters.
    lang: String,
}

/// A page of GIFs.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct FoundGifs {
    /// The service, to be named beside them.
    #[schema(example = "Tenor")]
    provider: &'static str,
    gifs: Vec<FoundGif>,
    /// Where to go on; missing at the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

/// A GIF among others.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct FoundGif {
    /// By this it is known here for a while.
    #[schema(example = "5521")]
    id: String,
    /// What it shows; may be empty.
    #[schema(example = "A cat jumps off a table")]
    title: String,
    /// The width of the small one, in pixels.
    #[schema(example = 220)]
    width: u32,
    /// Its height.
    #[schema(example = 124)]
    height: u32,
}

/// GIFs for some words. This server asks for them; the service does not learn for whom.
#[utoipa::path(
    get,
    path = "/_orvale/client/v1/gifs/search",
    operation_id = "searchGifs",
    params(SearchQuery),
    responses(
        (status = 200, description = "What there is.", body = FoundGifs),
        (status = 404, description = "`M_NOT_FOUND`: the service has nothing or cannot be asked, or this server has none.", body = super::super::openapi::StandardError)
    ),
    security(("accessToken" = []))
)]
pub(crate) async fn handle(
    State(media): State<Media>,
    caller: Caller,
    Query(query): Query<SearchQuery>,
) -> Result<Json<FoundGifs>, Error> {
    caller.must_not_be_guest()?;
    let query = GifQuery {
        words: query.q,
        from: query.from,
        language: query.lang,
    };
    let found = media
        .search_gifs(query, MilliSecondsSinceUnixEpoch::now())
        .await?;
    let shown = found.gifs.into_iter().map(|gif| FoundGif {
        id: gif.id,
        title: gif.title,
        width: gif.width,
        height: gif.height,
    });
    Ok(Json(FoundGifs {
        provider: found.provider,
        gifs: shown.collect(),
        next: found.next,
    }))
}
