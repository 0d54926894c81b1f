//! `GET /_matrix/federation/v1/version`

use orvale_http::Ruma;
use ruma::api::federation::discovery::get_server_version::v1::{Request, Response, Server};

use crate::Error;

pub(crate) async fn handle(Ruma(_): Ruma<Request>) -> Result<Response, Error> {
    let mut server = Server::new();
    server.name = Some("Orvale".to_owned());
    server.version = Some(env!("CARGO_PKG_VERSION").to_owned());
    let mut response = Response::new();
    response.server = Some(server);
    Ok(response)
}
