//! `GET /_matrix/client/versions`

use orvale_http::Ruma;
use ruma::api::client::discovery::get_supported_versions::{Request, Response};

use crate::Error;

/// The versions of the specification that clients written for them can rely on here.
const VERSIONS: [&str; 19] = [
    "r0.6.1", "v1.1", "v1.2", "v1.3", "v1.4", "v1.5", "v1.6", "v1.7", "v1.8", "v1.9", "v1.10",
    "v1.11", "v1.12", "v1.13", "v1.14", "v1.15", "v1.16", "v1.17", "v1.18",
];

/// What works here of later versions. Clients look for profiles with any field, sliding sync and so on under these names.
const FEATURES: [&str; 10] = [
    "uk.tcpip.msc4133.stable",
    "org.matrix.simplified_msc3575",
    // Threads that users follow, and their extension of sliding sync.
    "org.matrix.msc4306",
    "org.matrix.msc4308",
    // Whose invites are taken.
    "org.matrix.msc4155",
    "org.matrix.msc4380",
    // Deleting account data.
    "org.matrix.msc3391",
    "org.matrix.msc3026.busy_presence",
    // Rooms shared with somebody.
    "uk.half-shot.msc2666.query_mutual_rooms",
    "uk.half-shot.msc2666.query_mutual_rooms.stable",
];

pub(crate) async fn handle(_: Ruma<Request>) -> Result<Response, Error> {
    let mut response = Response::new(VERSIONS.map(str::to_owned).into());
    let features = FEATURES.map(|feature| (feature.to_owned(), true));
    response.unstable_features = features.into();
    Ok(response)
}
