//! All endpoints, by area.

mod discovery;
mod finding;
pub(crate) mod media;
mod orvale;
mod rooms;
mod sync;
mod users;

use axum::Router;

use crate::ApiState;

/// The router of the client-server API.
pub fn routes() -> Router<ApiState> {
    Router::new()
        .merge(discovery::routes())
        .merge(users::routes())
        .merge(rooms::routes())
        .merge(finding::routes())
        .merge(sync::routes())
        .merge(media::routes())
        .merge(orvale::routes())
}

#[cfg(test)]
mod tests {
    #[test]
    fn no_two_endpoints_claim_one_path_and_method() {
        let _ = super::routes();
    }
}
