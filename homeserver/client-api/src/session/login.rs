//! `POST /_matrix/client/v3/login`

use axum::extract::State;
use orvale_http::{Attempts, Json, MatrixError};
use orvale_rooms::Rooms;
use orvale_users::{Error as E, JWT_STAGE, Users};
use ruma::{
    OwnedDeviceId, OwnedServerName, OwnedUserId,
    api::client::{
        session::login::v3::{LoginInfo, Password},
        uiaa::{MatrixUserIdentifier, UserIdentifier},
    },
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{Error, profile, session::ShownToken};

/// The request as the specification has it. ruma's own panics where the type is missing.
#[derive(Deserialize)]
struct Request {
    device_id: Option<OwnedDeviceId>,
    initial_device_display_name: Option<String>,
    #[serde(default)]
    refresh_token: bool,
}

/// The answer. ruma's leaves the deprecated `home_server` out unless one uses deprecated fields, and some clients need it.
#[derive(Serialize)]
pub(crate) struct Response {
    user_id: OwnedUserId,
    access_token: String,
    home_server: OwnedServerName,
    device_id: OwnedDeviceId,
    #[serde(skip_serializing_if = "Option::is_none")]
    refresh_token: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_in_ms: Option<u64>,
}

pub(crate) async fn handle(
    State(users): State<Users>,
    State(rooms): State<Rooms>,
    attempts: Attempts,
    ShownToken(token): ShownToken,
    Json(body): Json<Map<String, Value>>,
) -> Result<Json<Response>, Error> {
    let (request, login) = parse(body)?;
    let user_id = match &login {
        LoginInfo::Password(password) => {
            let identifier = identifier(password)?;
            let account = users.identified(&identifier);
            let account = account.map_or_else(String::new, |user_id| user_id.to_string());
            let check = users.log_in_by_password(&identifier, &password.password);
            attempts.run(&account, check).await?
        }
        LoginInfo::Token(token) => users.spend_login_token(&token.token).await?,
        LoginInfo::ApplicationService(appservice) => {
            let token = token.ok_or_else(MatrixError::missing_token)?;
            let known = users.appservice(&token);
            let known = known.ok_or(E::LoginRefused("this token is no application service's"))?;
            #[expect(deprecated, reason = "older application services name the user so")]
            let identifier = appservice
                .identifier
                .clone()
                .or_else(|| appservice.user.clone().map(named));
            users.log_in_by_appservice(&known, &identifier.ok_or(E::MissingParam("identifier"))?)?
        }
        other if other.login_type() == JWT_STAGE => {
            let data = other.data();
            let token = data
                .get("token")
                .and_then(Value::as_str)
                .ok_or(E::MissingParam("token"))?;
            let login = users.log_in_by_jwt(token).await?;
            if login.renamed {
                profile::tell_rooms(rooms, login.user_id.clone());
            }
            login.user_id
        }
        other => {
            let message = format!("this server does not log in by {}", other.login_type());
            return Err(
                MatrixError::new(http::StatusCode::BAD_REQUEST, "M_UNKNOWN", message).into(),
            );
        }
    };
    let name = request.initial_device_display_name.as_deref();
    let session = users
        .open_session(
            &user_id,
            request.device_id.as_deref(),
            name,
            request.refresh_token,
        )
        .await?;
    Ok(Json(Response {
        home_server: users.server_name().to_owned(),
        user_id: session.user_id,
        access_token: session.access_token,
        device_id: session.device_id,
        refresh_token: session.refresh_token,
        expires_in_ms: session
            .expires_in
            .map(|life| u64::try_from(life.as_millis()).unwrap_or(u64::MAX)),
    }))
}

fn parse(body: Map<String, Value>) -> Result<(Request, LoginInfo), Error> {
    match body.get("type") {
        Some(Value::String(_)) => {}
        Some(_) => return Err(E::BadJson("the type of a login is a text".to_owned()).into()),
        None => return Err(E::MissingParam("type").into()),
    }
    let body = Value::Object(body);
    let malformed = |error: serde_json::Error| E::BadJson(format!("this is no login: {error}"));
    let login = LoginInfo::deserialize(&body).map_err(malformed)?;
    Ok((Request::deserialize(&body).map_err(malformed)?, login))
}

fn named(user: String) -> UserIdentifier {
    UserIdentifier::Matrix(MatrixUserIdentifier::new(user))
}

/// Who logs in: by identifier, or as before there were identifiers.
fn identifier(password: &Password) -> Result<UserIdentifier, Error> {
    #[expect(
        deprecated,
        reason = "old clients still send `user`, `medium` and `address`"
    )]
    let old = match (&password.user, &password.medium, &password.address) {
        (Some(user), _, _) => Some(named(user.clone())),
        (None, Some(medium), Some(address)) => Some(UserIdentifier::third_party_id(
            medium.as_str().into(),
            address.clone(),
        )),
        _ => None,
    };
    let found = password.identifier.clone().or(old);
    Ok(found.ok_or(E::MissingParam("identifier"))?)
}
