//! `GET /_matrix/client/v3/admin/whois/{userId}`

use axum::extract::State;
use orvale_http::{Caller, Ruma};
use orvale_users::{DeviceInfo as Device, Error as E, Users};
use ruma::{
    MilliSecondsSinceUnixEpoch, UInt,
    api::client::admin::get_user_info::v3::{
        ConnectionInfo, DeviceInfo, Request, Response, SessionInfo,
    },
};

use crate::Error;

/// For administrators, and for everybody about themselves.
pub(crate) async fn handle(
    State(users): State<Users>,
    caller: Caller,
    Ruma(request): Ruma<Request>,
) -> Result<Response, Error> {
    if caller.user_id() != request.user_id {
        super::check(&users, &caller, &request.user_id)?;
    }
    if !users.exists(&request.user_id)? {
        return Err(E::NoSuchUser.into());
    }
    let mut response = Response::new();
    for device in users.devices(&request.user_id)? {
        response
            .devices
            .insert(device.device_id.to_string(), shown(device));
    }
    response.user_id = Some(request.user_id);
    Ok(response)
}

/// A device has one session, and of its connections the last is known.
fn shown(device: Device) -> DeviceInfo {
    let mut connection = ConnectionInfo::new();
    connection.ip = device.last_seen_from;
    connection.last_seen = device
        .last_seen_at
        .map(|at| MilliSecondsSinceUnixEpoch(UInt::new_saturating(at)));
    let mut session = SessionInfo::new();
    session.connections.push(connection);
    let mut shown = DeviceInfo::new();
    shown.sessions.push(session);
    shown
}
