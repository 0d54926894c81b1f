//! `POST /_matrix/client/v3/register`

use axum::extract::State;
use orvale_http::{MatrixError, Ruma};
use orvale_users::{Error as E, NewAccount, Users};
use ruma::{
    DeviceId, OwnedUserId,
    api::client::account::register::{
        LoginType, RegistrationKind,
        v3::{Request, Response},
    },
};

use crate::{Error, session::ShownToken};

pub(crate) async fn handle(
    State(users): State<Users>,
    ShownToken(token): ShownToken,
    Ruma(request): Ruma<Request>,
) -> Result<Response, Error> {
    match (&request.kind, &request.login_type) {
        (RegistrationKind::Guest, _) => guest(&users, &request).await,
        (RegistrationKind::User, None) => person(&users, &request).await,
        (RegistrationKind::User, Some(LoginType::ApplicationService)) => {
            appservice(&users, token.as_deref(), &request).await
        }
        (RegistrationKind::User, Some(_)) => Err(E::InvalidParam(
            "there is no such type of registration".to_owned(),
        ))?,
        _ => Err(E::InvalidParam(
            "accounts are of the kind user or guest".to_owned(),
        ))?,
    }
}

async fn guest(users: &Users, request: &Request) -> Result<Response, Error> {
    if !users.config().registration.guests {
        return Err(E::GuestsRefused.into());
    }
    let user_id = users
        .create_account(NewAccount {
            guest: true,
            ..NewAccount::default()
        })
        .await?;
    // A guest chooses nothing but the name of the device.
    open(users, user_id, None, request).await
}

async fn person(users: &Users, request: &Request) -> Result<Response, Error> {
    // All that can be refused is refused before authentication, whose session would be used up by it.
    let operation = users.registration(&(
        &request.username,
        &request.password,
        &request.device_id,
        request.inhibit_login,
        request.refresh_token,
    ))?;
    if let Some(username) = &request.username {
        users.check_available(username)?;
    }
    if let Some(password) = &request.password {
        users.check_password(password)?;
    } else if request.auth.is_some() {
        return Err(E::MissingParam("password").into());
    }
    let completed = users
        .authenticate_operation(&operation, request.auth.as_ref())
        .await?;
    let new = NewAccount {
        localpart: request.username.as_deref(),
        password: request.password.as_deref(),
        registration_token: completed.registration_token.as_deref(),
        ..NewAccount::default()
    };
    let user_id = users.create_account(new).await?;
    open(users, user_id, request.device_id.as_deref(), request).await
}

async fn appservice(
    users: &Users,
    token: Option<&str>,
    request: &Request,
) -> Result<Response, Error> {
    let token = token.ok_or_else(MatrixError::missing_token)?;
    let appservice = users.appservice(token).ok_or(E::UnknownToken)?;
    let username = request
        .username
        .as_deref()
        .ok_or(E::MissingParam("username"))?;
    let new = NewAccount {
        localpart: Some(username),
        appservice: Some(appservice),
        ..NewAccount::default()
    };
    let user_id = users.create_account(new).await?;
    open(users, user_id, request.device_id.as_deref(), request).await
}

async fn open(
    users: &Users,
    user_id: OwnedUserId,
    device_id: Option<&DeviceId>,
    request: &Request,
) -> Result<Response, Error> {
    let mut response = Response::new(user_id);
    if request.inhibit_login {
        return Ok(response);
    }
    let name = request.initial_device_display_name.as_deref();
    let session = users
        .open_session(&response.user_id, device_id, name, request.refresh_token)
        .await?;
    response.device_id = Some(session.device_id);
    response.access_token = Some(session.access_token);
    response.refresh_token = session.refresh_token;
    response.expires_in = session.expires_in;
    Ok(response)
}
