//! `PUT /_matrix/media/v3/upload/{serverName}/{mediaId}`

use axum::extract::{Request, State};
use orvale_http::{Answer, Caller, Json, MatrixError, Path, Query};
use orvale_media::Media;
use ruma::{MilliSecondsSinceUnixEpoch, OwnedServerName};

use super::receive::{self, UploadQuery};
use crate::Error;

pub(crate) async fn handle(
    State(media): State<Media>,
    caller: Caller,
    Path((server_name, media_id)): Path<(OwnedServerName, String)>,
    Query(query): Query<UploadQuery>,
    request: Request,
) -> Result<axum::response::Response, MatrixError> {
    caller.must_not_be_guest()?;
    let (details, body) = receive::parts(query, request)?;
    let now = MilliSecondsSinceUnixEpoch::now();
    let uploaded = media
        .upload_to(
            caller.user_id(),
            &server_name,
            &media_id,
            details,
            body,
            now,
        )
        .await;
    uploaded.map_err(Error::from)?;
    // Ruma's response has no fields, and no way to make one.
    Json(serde_json::json!({})).into_http()
}
