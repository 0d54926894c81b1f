//! `GET /_matrix/federation/v1/query/profile`

use std::collections::BTreeMap;

use axum::extract::State;
use orvale_http::{Json, MatrixError, Ruma};
use orvale_users::Users;
use ruma::api::federation::query::get_profile_information::v1::Request;
use serde_json::Value;

use crate::{Error, Origin};

pub(crate) async fn handle(
    State(users): State<Users>,
    _: Origin,
    Ruma(request): Ruma<Request>,
) -> Result<Json<BTreeMap<String, Value>>, Error> {
    let user = &request.user_id;
    if !users.is_local(user) || !users.exists(user)? {
        return Err(MatrixError::not_found("This server has no such user").into());
    }
    let fields = users.profile(user)?.into_iter();
    let wanted = request.field;
    let wanted = |name: &str| wanted.as_ref().is_none_or(|field| field.as_str() == name);
    let shown = fields.filter(|(name, _)| wanted(name));
    Ok(Json(
        shown
            .filter_map(|(name, value)| Some((name, value.parse().ok()?)))
            .collect(),
    ))
}

#[cfg(test)]
mod tests {
    use axum::http::Method;
    use serde_json::json;

    use crate::testing::Server;

    #[tokio::test]
    async fn profile_is_told_as_a_whole_or_by_field() {
        let server = Server::start().await;
        let them = server.knows("them.example").await;
        let alice = server.account("alice").await;
        let users = &server.state.users;
        for (name, value) in [
            ("displayname", json!("Alice")),
            ("com.example.x", json!([1])),
        ] {
            users.set_profile_field(&alice, name, value).await.unwrap();
        }
        let ask = async |query: &str| {
            let path = format!("/_matrix/federation/v1/query/profile?user_id={query}");
            server.ask(&them, Method::GET, &path, None).await
        };
        let whole = json!({ "displayname": "Alice", "com.example.x": [1] });
        assert_eq!(ask("@alice:example.org").await.ok(), whole);
        let field = ask("@alice:example.org&field=displayname").await.ok();
        assert_eq!(field, json!({ "displayname": "Alice" }));
        assert_eq!(ask("@alice:example.org&field=m.tz").await.ok(), json!({}));
        ask("@nobody:example.org").await.refused(404, "M_NOT_FOUND");
        ask("@alice:else.example").await.refused(404, "M_NOT_FOUND");
    }
}
