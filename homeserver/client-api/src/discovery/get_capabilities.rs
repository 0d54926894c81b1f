//! `GET /_matrix/client/v3/capabilities`

use std::sync::Arc;

use axum::extract::State;
use orvale_http::{Caller, Ruma};
use ruma::api::client::discovery::get_capabilities::v3::{
    AccountModerationCapability, Capabilities, ChangePasswordCapability, GetLoginTokenCapability,
    ProfileFieldsCapability, Request, Response, RoomVersionsCapability,
    ThirdPartyIdChangesCapability,
};

use crate::{Error, discovery::Discovery};

pub(crate) async fn handle(
    State(discovery): State<Arc<Discovery>>,
    caller: Caller,
    _: Ruma<Request>,
) -> Result<Response, Error> {
    let mut capabilities = Capabilities::new();
    capabilities.change_password = ChangePasswordCapability::new(discovery.change_password);
    let (default, available) = (
        discovery.default_room_version.clone(),
        discovery.room_versions.clone(),
    );
    capabilities.room_versions = RoomVersionsCapability::new(default, available);
    capabilities.thirdparty_id_changes = ThirdPartyIdChangesCapability::new(false);
    capabilities.get_login_token = GetLoginTokenCapability::new(discovery.login_tokens);
    capabilities.profile_fields = Some(ProfileFieldsCapability::new(true));
    if caller.session().admin {
        capabilities.account_moderation = AccountModerationCapability::new(true, true);
    }
    Ok(Response::new(capabilities))
}
