//! `GET /_matrix/federation/v1/openid/userinfo`

use axum::{extract::State, http::StatusCode};
use orvale_http::{MatrixError, Ruma};
use orvale_users::Users;
use ruma::api::federation::openid::get_openid_userinfo::v1::{Request, Response};

use crate::Error;

pub(crate) async fn handle(
    State(users): State<Users>,
    Ruma(request): Ruma<Request>,
) -> Result<Response, Error> {
    let user = users.openid_user(&request.access_token)?;
    let user = user.ok_or_else(|| {
        let message = "This access token is not known here, or has expired";
        MatrixError::new(StatusCode::UNAUTHORIZED, "M_UNKNOWN_TOKEN", message)
    })?;
    Ok(Response::new(user))
}

#[cfg(test)]
mod tests {
    use axum::http::Method;

    use crate::testing::Server;

    #[tokio::test]
    async fn token_tells_its_user_to_anybody() {
        let server = Server::start().await;
        let alice = server.account("alice").await;
        let new = server
            .state
            .users
            .create_openid_token(&alice)
            .await
            .unwrap();
        let path = "/_matrix/federation/v1/openid/userinfo?access_token=";
        let ask = async |token: &str| {
            let path = format!("{path}{token}");
            server.ask_with("", Method::GET, &path, Vec::new()).await
        };
        assert_eq!(ask(&new.token).await.ok()["sub"], "@alice:example.org");
        ask("nonsense").await.refused(401, "M_UNKNOWN_TOKEN");
    }
}
