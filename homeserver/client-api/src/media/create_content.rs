//! `POST /_matrix/media/v3/upload`

use axum::extract::{Request, State};
use orvale_http::{Answer, Caller, MatrixError, Query};
use orvale_media::Media;
use ruma::{MilliSecondsSinceUnixEpoch, api::client::media::create_content::v3::Response};

use super::receive::{self, UploadQuery};
use crate::Error;

pub(crate) async fn handle(
    State(media): State<Media>,
    caller: Caller,
    Query(query): Query<UploadQuery>,
    request: Request,
) -> Result<axum::response::Response, MatrixError> {
    caller.must_not_be_guest()?;
    let (details, body) = receive::parts(query, request)?;
    let now = MilliSecondsSinceUnixEpoch::now();
    let uploaded = media.upload(caller.user_id(), details, body, now).await;
    Response::new(uploaded.map_err(Error::from)?).into_http()
}
