//! Uploads, downloads, thumbnails.

use axum::{
    Router,
    extract::FromRef,
    routing::{get, post, put},
};
use orvale_http::{Authenticator, Endpoints, paths_of};
use orvale_media::Media;
use ruma::api::client::media::{create_content, create_content_async};

use crate::{authenticated_media, media};

/// Before the paths of today there was `v1`, which old clients and bots still use.
const OLDEST: &str = "/_matrix/media/v1";

pub(crate) fn routes<S>() -> Router<S>
where
    S: Clone + Send + Sync + 'static,
    Authenticator: FromRef<S>,
    Media: FromRef<S>,
{
    Router::new()
        .merge(uploads())
        .endpoint(media::create_mxc_uri::handle)
        .endpoint(authenticated_media::get_content::handle)
        .endpoint(authenticated_media::get_content_as_filename::handle)
        .endpoint(authenticated_media::get_content_thumbnail::handle)
        .endpoint(authenticated_media::get_media_config::handle)
        .endpoint(authenticated_media::get_media_preview::handle)
        .endpoint(media::get_content::handle)
        .endpoint(media::get_content_as_filename::handle)
        .endpoint(media::get_content_thumbnail::handle)
        .endpoint(media::get_media_config::handle)
        .endpoint(media::get_media_preview::handle)
        .merge(oldest())
}

/// Bodies of uploads are taken as they arrive, not as a whole, by handlers of their own shape.
fn uploads<S>() -> Router<S>
where
    S: Clone + Send + Sync + 'static,
    Authenticator: FromRef<S>,
    Media: FromRef<S>,
{
    let mut router = Router::new();
    for path in paths_of::<create_content::v3::Request>() {
        router = router.route(path, post(media::create_content::handle));
    }
    for path in paths_of::<create_content_async::v3::Request>() {
        router = router.route(path, put(media::create_content_async::handle));
    }
    router
}

fn oldest<S>() -> Router<S>
where
    S: Clone + Send + Sync + 'static,
    Authenticator: FromRef<S>,
    Media: FromRef<S>,
{
    let one = "{server_name}/{media_id}";
    Router::new()
        .route(
            &format!("{OLDEST}/upload"),
            post(media::create_content::handle),
        )
        .route(
            &format!("{OLDEST}/download/{one}"),
            get(media::get_content::handle),
        )
        .route(
            &format!("{OLDEST}/download/{one}/{{filename}}"),
            get(media::get_content_as_filename::handle),
        )
        .route(
            &format!("{OLDEST}/thumbnail/{one}"),
            get(media::get_content_thumbnail::handle),
        )
}
