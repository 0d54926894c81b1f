//! Orvale's own endpoints; calls, reports, and what else stands for itself.

use axum::{
    Router,
    routing::{delete, get, post},
};
use orvale_http::Endpoints;

use crate::{ApiState, config::delete_account_data, membership, orvale, reporting, voip};

pub(crate) fn routes() -> Router<ApiState> {
    Router::new()
        .route("/_orvale/client/v1/settings", get(orvale::settings::handle))
        .route(
            "/_orvale/client/v1/openapi.json",
            get(orvale::openapi::handle),
        )
        .route(
            "/_orvale/client/v1/direct/{user_id}",
            post(orvale::direct::handle),
        )
        .route(
            "/_orvale/client/v1/gifs/search",
            get(orvale::gifs::search_gifs::handle),
        )
        .route(
            "/_orvale/client/v1/gifs/{gif_id}",
            get(orvale::gifs::get_gif::handle).post(orvale::gifs::keep_gif::handle),
        )
        .endpoint(voip::get_turn_server_info::handle)
        .route(
            "/_matrix/client/unstable/org.matrix.msc4143/rtc/transports",
            get(voip::transports::handle),
        )
        .endpoint(reporting::report_content::handle)
        .endpoint(reporting::report_room::handle)
        .endpoint(reporting::report_user::handle)
        .route(
            "/_matrix/client/v1/mutual_rooms",
            get(membership::get_mutual_rooms::handle),
        )
        .route(
            "/_matrix/client/unstable/uk.half-shot.msc2666/user/mutual_rooms",
            get(membership::get_mutual_rooms::handle),
        )
        .merge(deletions())
}

/// Deleting account data, which the specification does not have yet.
fn deletions() -> Router<ApiState> {
    let user = "/_matrix/client/unstable/org.matrix.msc3391/user/{user_id}";
    Router::new()
        .route(
            &format!("{user}/account_data/{{type}}"),
            delete(delete_account_data::global),
        )
        .route(
            &format!("{user}/rooms/{{room_id}}/account_data/{{type}}"),
            delete(delete_account_data::of_room),
        )
}
