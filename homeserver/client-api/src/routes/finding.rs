//! Finding: messages, people, rooms in spaces and before their doors.

use axum::{
    Router,
    routing::{get, post},
};
use orvale_http::{Endpoints, paths_of};
use ruma::api::client::search::search_events as ruma_search_events;

use crate::{ApiState, search, space, summary, user_directory};

/// Where clients asked for summaries before the specification had them.
const OLD_SUMMARY: &str = "/_matrix/client/unstable/im.nheko.summary/summary/{room_id_or_alias}";

pub(crate) fn routes() -> Router<ApiState> {
    let mut router = Router::new();
    for path in paths_of::<ruma_search_events::v3::Request>() {
        router = router.route(path, post(search::search_events::handle));
    }
    router
        .endpoint(user_directory::search_users::handle)
        .endpoint(space::get_hierarchy::handle)
        .endpoint(summary::get_summary::handle)
        .route(OLD_SUMMARY, get(summary::get_summary::handle))
}
