//! `GET /_matrix/federation/v1/user/devices/{userId}`

use axum::extract::State;
use orvale_http::{MatrixError, Ruma};
use orvale_storage::Position;
use orvale_users::Users;
use ruma::{
    UInt,
    api::federation::device::get_devices::v1::{Request, Response, UserDevice},
};

use crate::{Error, Origin, keys::without_name};

pub(crate) async fn handle(
    State(users): State<Users>,
    _: Origin,
    Ruma(request): Ruma<Request>,
) -> Result<Response, Error> {
    let user = request.user_id;
    if !users.is_local(&user) || !users.exists(&user)? {
        return Err(MatrixError::not_found("This server has no such user").into());
    }
    // Read first: what changes meanwhile is told again.
    let stream_id = users.device_stream_id(&user, Position::END)?;
    let mut devices = Vec::new();
    for (device_id, keys) in users.query_keys(&user, &[], &user)? {
        devices.push(UserDevice::new(device_id, without_name(&keys)?));
    }
    let cross_signing = users.cross_signing_keys(&user, &user)?;
    let mut response = Response::new(user, UInt::new_saturating(stream_id));
    response.devices = devices;
    response.master_key = cross_signing.master;
    response.self_signing_key = cross_signing.self_signing;
    Ok(response)
}

#[cfg(test)]
mod tests {
    use axum::http::Method;

    use crate::testing::Server;

    #[tokio::test]
    async fn devices_of_a_user_are_told_with_their_stream() {
        let server = Server::start().await;
        let them = server.knows("them.example").await;
        let alice = server.account("alice").await;
        let users = &server.state.users;
        users
            .create_device(&alice, "PHONE".into(), None)
            .await
            .unwrap();
        users
            .rename_device(&alice, "PHONE".into(), "Phone")
            .await
            .unwrap();
        let ask = async |user: &str| {
            let path = format!("/_matrix/federation/v1/user/devices/{user}");
            server.ask(&them, Method::GET, &path, None).await
        };
        let told = ask(alice.as_str()).await.ok();
        assert_eq!(told["user_id"], alice.as_str());
        assert!(
            told["stream_id"].as_u64().is_some_and(|id| id > 0),
            "{told}"
        );
        assert!(told["devices"].is_array());
        ask("@nobody:example.org").await.refused(404, "M_NOT_FOUND");
    }
}
