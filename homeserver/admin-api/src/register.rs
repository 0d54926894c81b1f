//! `GET /_synapse/admin/v1/register`, `POST /_synapse/admin/v1/register`
//!
//! As Synapse has it, for tools that know the registration secret: a nonce, then the account, signed with the secret.

use axum::extract::State;
use orvale_http::{Json, MatrixError};
use orvale_users::{SharedSecretRegistration, Users};
use ruma::{OwnedDeviceId, OwnedServerName, OwnedUserId};
use serde::{Deserialize, Serialize};

#[derive(Serialize)]
pub(crate) struct Nonce {
    nonce: String,
}

pub(crate) async fn nonce(State(users): State<Users>) -> Result<Json<Nonce>, MatrixError> {
    Ok(Json(Nonce {
        nonce: users.registration_nonce()?,
    }))
}

#[derive(Deserialize)]
pub(crate) struct Request {
    nonce: String,
    username: String,
    password: String,
    #[serde(default)]
    admin: bool,
    user_type: Option<String>,
    displayname: Option<String>,
    mac: String,
    device_id: Option<OwnedDeviceId>,
    #[serde(default)]
    inhibit_login: bool,
}

#[derive(Serialize)]
pub(crate) struct Response {
    user_id: OwnedUserId,
    home_server: OwnedServerName,
    #[serde(skip_serializing_if = "Option::is_none")]
    access_token: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    device_id: Option<OwnedDeviceId>,
}

pub(crate) async fn handle(
    State(users): State<Users>,
    Json(request): Json<Request>,
) -> Result<Json<Response>, MatrixError> {
    let signed = SharedSecretRegistration {
        nonce: &request.nonce,
        username: &request.username,
        password: &request.password,
        admin: request.admin,
        user_type: request.user_type.as_deref(),
        display_name: request.displayname.as_deref(),
        mac: &request.mac,
    };
    let user_id = users.register_with_secret(signed).await?;
    let home_server = users.server_name().to_owned();
    let mut response = Response {
        user_id,
        home_server,
        access_token: None,
        device_id: None,
    };
    if !request.inhibit_login {
        let device_id = request.device_id.as_deref();
        let session = users
            .open_session(&response.user_id, device_id, None, false)
            .await?;
        response.access_token = Some(session.access_token);
        response.device_id = Some(session.device_id);
    }
    Ok(Json(response))
}

#[cfg(test)]
mod tests {
    use hmac::{Hmac, KeyInit, Mac};
    use serde_json::{Value, json};
    use sha1::Sha1;

    use crate::testing::Server;

    const PATH: &str = "/_synapse/admin/v1/register";

    fn signed(nonce: &Value, admin: bool) -> Value {
        let role = if admin { "admin" } else { "notadmin" };
        let text = format!(
            "{}\0alice\0the password\0{role}",
            nonce["nonce"].as_str().unwrap()
        );
        let mut mac = Hmac::<Sha1>::new_from_slice(b"secret").unwrap();
        mac.update(text.as_bytes());
        let mac = mac
            .finalize()
            .into_bytes()
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect::<String>();
        let nonce = nonce["nonce"].clone();
        json!({
            "nonce": nonce, "username": "alice", "password": "the password", "admin": admin, "mac": mac,
            "displayname": "Alice",
        })
    }

    #[tokio::test]
    async fn who_knows_the_secret_makes_accounts_and_administrators() {
        let server = Server::start();
        let nonce = server.get(PATH, "").await.ok();
        let body = signed(&nonce, true);
        let made = server.post(PATH, "", body.clone()).await.ok();
        assert_eq!(
            (&made["user_id"], &made["home_server"]),
            (&json!("@alice:example.org"), &json!("example.org"))
        );
        let session = server
            .users
            .authenticate(made["access_token"].as_str().unwrap())
            .await
            .unwrap()
            .unwrap();
        assert!(session.admin);
        assert_eq!(
            server
                .users
                .display_name(&session.user_id)
                .unwrap()
                .as_deref(),
            Some("Alice")
        );
        server
            .post(PATH, "", body)
            .await
            .refused(400, "M_INVALID_PARAM");
    }

    #[tokio::test]
    async fn what_is_signed_otherwise_is_refused() {
        let server = Server::start();
        let mut body = signed(&server.get(PATH, "").await.ok(), false);
        body["admin"] = json!(true);
        server
            .post(PATH, "", body)
            .await
            .refused(403, "M_FORBIDDEN");
        server
            .post(PATH, "", json!({ "nonce": "x" }))
            .await
            .refused(400, "M_BAD_JSON");
        server
            .post(PATH, "", signed(&json!({ "nonce": "ours not" }), false))
            .await
            .refused(400, "M_INVALID_PARAM");
    }
}
