//! `POST /_matrix/key/v2/query`

use axum::extract::State;
use orvale_federation_client::{Criteria, FederationClient};
use orvale_http::Ruma;
use ruma::api::federation::discovery::get_remote_server_keys_batch::v2::{Request, Response};

use crate::{Error, discovery::raw};

pub(crate) async fn handle(
    State(client): State<FederationClient>,
    Ruma(request): Ruma<Request>,
) -> Result<Response, Error> {
    let wanted = request.server_keys.into_iter().map(|(server, keys)| {
        let criteria: Criteria = keys
            .into_iter()
            .map(|(id, criteria)| {
                let until = criteria.minimum_valid_until_ts;
                (id.to_string(), until.map(|until| until.get().into()))
            })
            .collect();
        (server, criteria)
    });
    let keys = client.notarised(wanted.collect()).await?;
    let keys: Result<_, _> = keys.into_iter().map(raw).collect();
    Ok(Response::new(keys?))
}
