//! An upload as it arrives.

use axum::{body::BodyDataStream, extract::Request};
use http::{HeaderMap, header};
use orvale_http::MatrixError;
use orvale_media::Details;
use serde::Deserialize;

/// The query of an upload.
#[derive(Deserialize)]
pub(crate) struct UploadQuery {
    filename: Option<String>,
}

/// What is said about an upload, and its body, which is not in memory but on its way.
pub(super) fn parts(
    query: UploadQuery,
    request: Request,
) -> Result<(Details, BodyDataStream), MatrixError> {
    let (parts, body) = request.into_parts();
    let details = Details {
        content_type: text(&parts.headers, &header::CONTENT_TYPE),
        filename: query.filename,
        size: size(&parts.headers)?,
    };
    Ok((details, body.into_data_stream()))
}

fn text(headers: &HeaderMap, name: &header::HeaderName) -> Option<String> {
    headers.get(name)?.to_str().ok().map(str::to_owned)
}

fn size(headers: &HeaderMap) -> Result<Option<u64>, MatrixError> {
    let Some(size) = text(headers, &header::CONTENT_LENGTH) else {
        return Ok(None);
    };
    let size = size
        .parse()
        .map_err(|_| MatrixError::invalid_param("The header Content-Length is no number"))?;
    Ok(Some(size))
}
