//! Accounts, sessions, devices, account data, profiles, push rules, presence, filters, to-device messages, device keys.

use axum::{
    Router,
    routing::{get, post, put},
};
use orvale_http::{Endpoints, paths_of};
use ruma::api::client::{
    profile::set_profile_field as ruma_set_profile_field, session::login as ruma_login,
};

use crate::{
    ApiState, account, admin, backup, config, dehydrated_device, device, filter, keys, presence,
    profile, push, session, tag, to_device,
};

pub(crate) fn routes() -> Router<ApiState> {
    Router::new()
        .merge(sessions())
        .merge(accounts())
        .merge(kept_for_users())
        .merge(push_rules())
        .endpoint(device::get_devices::handle)
        .endpoint(device::get_device::handle)
        .endpoint(device::update_device::handle)
        .endpoint(device::delete_device::handle)
        .endpoint(device::delete_devices::handle)
        .endpoint(to_device::send_event_to_device::handle)
        .endpoint(keys::upload_keys::handle)
        .endpoint(keys::get_keys::handle)
        .endpoint(keys::claim_keys::handle)
        .endpoint(keys::get_key_changes::handle)
        .endpoint(keys::upload_signing_keys::handle)
        .endpoint(keys::upload_signatures::handle)
        .merge(key_backup())
        .endpoint(dehydrated_device::put_dehydrated_device::handle)
        .endpoint(dehydrated_device::get_dehydrated_device::handle)
        .endpoint(dehydrated_device::delete_dehydrated_device::handle)
        .endpoint(dehydrated_device::get_events::handle)
        .route(
            dehydrated_device::get_events::PATH,
            get(dehydrated_device::get_events::by_get),
        )
        .endpoint(presence::set_presence::handle)
        .endpoint(presence::get_presence::handle)
        .endpoint(admin::get_user_info::handle)
        .endpoint(admin::is_user_locked::handle)
        .endpoint(admin::lock_user::handle)
        .endpoint(admin::is_user_suspended::handle)
        .endpoint(admin::suspend_user::handle)
}

fn sessions() -> Router<ApiState> {
    let mut router = Router::new();
    for path in paths_of::<ruma_login::v3::Request>() {
        router = router.route(path, post(session::login::handle));
    }
    router
        .endpoint(session::get_login_types::handle)
        .endpoint(session::get_login_token::handle)
        .endpoint(session::refresh_token::handle)
        .endpoint(session::logout::handle)
        .endpoint(session::logout_all::handle)
}

fn accounts() -> Router<ApiState> {
    Router::new()
        .endpoint(account::register::handle)
        .endpoint(account::get_username_availability::handle)
        .endpoint(account::check_registration_token_validity::handle)
        .endpoint(account::request_token::registration_by_email)
        .endpoint(account::request_token::registration_by_msisdn)
        .endpoint(account::change_password::handle)
        .endpoint(account::request_token::password_by_email)
        .endpoint(account::request_token::password_by_msisdn)
        .endpoint(account::deactivate::handle)
        .endpoint(account::get_3pids::handle)
        .endpoint(account::add_3pid::handle)
        .endpoint(account::bind_3pid::handle)
        .endpoint(account::delete_3pid::handle)
        .endpoint(account::unbind_3pid::handle)
        .endpoint(account::request_token::by_email)
        .endpoint(account::request_token::by_msisdn)
        .endpoint(account::whoami::handle)
        .endpoint(account::request_openid_token::handle)
}

fn kept_for_users() -> Router<ApiState> {
    let mut router = Router::new();
    for path in paths_of::<ruma_set_profile_field::v3::Request>() {
        router = router.route(path, put(profile::set_profile_field::handle));
    }
    router
        .endpoint(profile::get_profile_field::handle)
        .endpoint(profile::delete_profile_field::handle)
        .endpoint(profile::get_profile::handle)
        .endpoint(filter::create_filter::handle)
        .endpoint(filter::get_filter::handle)
        .endpoint(config::set_global_account_data::handle)
        .endpoint(config::get_global_account_data::handle)
        .endpoint(config::set_room_account_data::handle)
        .endpoint(config::get_room_account_data::handle)
        .endpoint(tag::get_tags::handle)
        .endpoint(tag::create_tag::handle)
        .endpoint(tag::delete_tag::handle)
}

fn push_rules() -> Router<ApiState> {
    Router::new()
        .endpoint(push::get_pushers::handle)
        .endpoint(push::set_pusher::handle)
        .endpoint(push::get_pushrules_all::handle)
        .endpoint(push::get_pushrules_global_scope::handle)
        .endpoint(push::get_pushrule::handle)
        .endpoint(push::set_pushrule::handle)
        .endpoint(push::delete_pushrule::handle)
        .endpoint(push::get_pushrule_enabled::handle)
        .endpoint(push::set_pushrule_enabled::handle)
        .endpoint(push::get_pushrule_actions::handle)
        .endpoint(push::set_pushrule_actions::handle)
}

fn key_backup() -> Router<ApiState> {
    Router::new()
        .endpoint(backup::create_backup_version::handle)
        .endpoint(backup::get_latest_backup_info::handle)
        .endpoint(backup::get_backup_info::handle)
        .endpoint(backup::update_backup_version::handle)
        .endpoint(backup::delete_backup_version::handle)
        .endpoint(backup::add_backup_keys::handle)
        .endpoint(backup::add_backup_keys_for_room::handle)
        .endpoint(backup::add_backup_keys_for_session::handle)
        .endpoint(backup::get_backup_keys::handle)
        .endpoint(backup::get_backup_keys_for_room::handle)
        .endpoint(backup::get_backup_keys_for_session::handle)
        .endpoint(backup::delete_backup_keys::handle)
        .endpoint(backup::delete_backup_keys_for_room::handle)
        .endpoint(backup::delete_backup_keys_for_session::handle)
}
