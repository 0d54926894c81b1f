//! `GET /_matrix/key/v2/query/{serverName}`

use axum::extract::State;
use orvale_federation_client::FederationClient;
use orvale_http::Ruma;
use ruma::api::federation::discovery::get_remote_server_keys::v2::{Request, Response};

use crate::{Error, discovery::raw};

pub(crate) async fn handle(
    State(client): State<FederationClient>,
    Ruma(request): Ruma<Request>,
) -> Result<Response, Error> {
    let wanted = [(request.server_name, Default::default())].into();
    let keys = client.notarised(wanted).await?;
    let keys: Result<_, _> = keys.into_iter().map(raw).collect();
    Ok(Response::new(keys?))
}
