//! `GET /_matrix/key/v2/server`

use axum::extract::State;
use orvale_federation_client::FederationClient;
use orvale_http::{JsonBytes, Ruma};
use ruma::api::federation::discovery::get_server_keys::v2::{Request, Response};

use crate::{Error, discovery::raw};

pub(crate) async fn handle(
    State(client): State<FederationClient>,
    Ruma(_): Ruma<Request>,
) -> Result<Response, Error> {
    Ok(Response::new(raw(client.own_keys()?)?))
}

/// `GET /_matrix/key/v2/server/{keyId}`: all keys, whichever is named.
pub(crate) async fn any(State(client): State<FederationClient>) -> Result<JsonBytes, Error> {
    Ok(JsonBytes(client.own_keys()?.into()))
}
