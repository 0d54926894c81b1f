//! Rooms: making, joining, sending, reading.

use axum::{Router, routing::put};
use orvale_http::{Endpoints, paths_of};
use ruma::api::client::typing::create_typing_event;

use crate::{
    ApiState, alias, context, directory, knock, membership, message, read_marker, receipt, redact,
    relations, room, state_events, threads, typing,
};

pub(crate) fn routes() -> Router<ApiState> {
    Router::new()
        .merge(reading())
        .endpoint(state_events::send_state_event::handle)
        .endpoint(message::send_message_event::handle)
        .endpoint(redact::redact_event::handle)
        .endpoint(room::create_room::handle)
        .endpoint(alias::create_alias::handle)
        .endpoint(alias::get_alias::handle)
        .endpoint(alias::delete_alias::handle)
        .endpoint(room::aliases::handle)
        .merge(membership_changes())
        .endpoint(directory::get_room_visibility::handle)
        .endpoint(directory::set_room_visibility::handle)
        .endpoint(directory::get_public_rooms::handle)
        .endpoint(directory::get_public_rooms_filtered::handle)
        .merge(typing_notices())
        .endpoint(receipt::create_receipt::handle)
        .endpoint(read_marker::set_read_marker::handle)
        .endpoint(room::upgrade_room::handle)
}

fn reading() -> Router<ApiState> {
    Router::new()
        .endpoint(room::get_room_event::handle)
        .endpoint(state_events::get_state_event_for_key::handle)
        .endpoint(state_events::get_state_events::handle)
        .endpoint(membership::get_member_events::handle)
        .endpoint(membership::joined_members::handle)
        .endpoint(message::get_message_events::handle)
        .endpoint(room::get_event_by_timestamp::handle)
        .endpoint(context::get_context::handle)
        .endpoint(relations::get_relating_events::handle)
        .endpoint(relations::get_relating_events_with_rel_type::handle)
        .endpoint(relations::get_relating_events_with_rel_type_and_event_type::handle)
        .endpoint(threads::get_threads::handle)
        .endpoint(threads::get_thread_subscription::handle)
        .endpoint(threads::subscribe_thread::handle)
        .endpoint(threads::unsubscribe_thread::handle)
        .endpoint(threads::get_thread_subscriptions_changes::handle)
}

fn membership_changes() -> Router<ApiState> {
    Router::new()
        .endpoint(membership::joined_rooms::handle)
        .endpoint(membership::invite_user::handle)
        .endpoint(membership::join_room_by_id_or_alias::handle)
        .endpoint(membership::join_room_by_id::handle)
        .endpoint(knock::knock_room::handle)
        .endpoint(membership::leave_room::handle)
        .endpoint(membership::forget_room::handle)
        .endpoint(membership::kick_user::handle)
        .endpoint(membership::ban_user::handle)
        .endpoint(membership::unban_user::handle)
}

fn typing_notices() -> Router<ApiState> {
    let paths = paths_of::<create_typing_event::v3::Request>().into_iter();
    paths.fold(Router::new(), |router, path| {
        router.route(path, put(typing::create_typing_event::handle))
    })
}
