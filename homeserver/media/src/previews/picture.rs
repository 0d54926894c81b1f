//! The picture of a preview, kept as media of this server: clients get it from here, and strangers do not learn who looks.

use std::{convert::Infallible, io::Cursor};

use bytes::Bytes;
use futures_util::stream;
use image::{ImageFormat, ImageReader};
use ruma::{MilliSecondsSinceUnixEpoch, OwnedUserId};
use serde_json::Value;

use super::Properties;
use crate::{Details, Error, Media, Result};

impl Media {
    /// Keeps a picture and notes it among the properties; its media ID, or nothing where it is no picture that clients can show.
    pub(crate) async fn keep_picture(
        &self,
        properties: &mut Properties,
        content_type: &str,
        body: Vec<u8>,
        now: MilliSecondsSinceUnixEpoch,
    ) -> Result<Option<String>> {
        let Some((kind, width, height)) = look(&body) else {
            tracing::debug!(content_type, "the picture of a preview is none");
            return Ok(None);
        };
        let size = body.len() as u64;
        let details = Details {
            content_type: Some(kind.to_owned()),
            filename: None,
            size: Some(size),
        };
        let stream = stream::iter([Ok::<_, Infallible>(Bytes::from(body))]);
        let uri = match self.upload(&self.previewer(), details, stream, now).await {
            Ok(uri) => uri,
            Err(Error::TooLarge { .. } | Error::QuotaExceeded | Error::NotAccepted { .. }) => {
                return Ok(None);
            }
            Err(error) => return Err(error),
        };
        properties.insert("og:image".to_owned(), Value::String(uri.to_string()));
        properties.insert("og:image:type".to_owned(), kind.into());
        properties.insert("og:image:width".to_owned(), width.into());
        properties.insert("og:image:height".to_owned(), height.into());
        properties.insert("matrix:image:size".to_owned(), size.into());
        Ok(uri.media_id().ok().map(str::to_owned))
    }

    /// Whose the pictures of previews are: nobody's, for an account has no capital letters.
    pub(crate) fn previewer(&self) -> OwnedUserId {
        let id = format!("@URL-PREVIEWS:{}", self.inner.server_name);
        id.try_into().expect("a user ID as there were in the past")
    }
}

/// Type and size of a picture, by its own bytes: what the stranger's server says of it is not believed.
pub(crate) fn look(body: &[u8]) -> Option<(&'static str, u32, u32)> {
    let reader = ImageReader::new(Cursor::new(body))
        .with_guessed_format()
        .ok()?;
    let kind = match reader.format()? {
        ImageFormat::Png => "image/png",
        ImageFormat::Jpeg => "image/jpeg",
        ImageFormat::Gif => "image/gif",
        ImageFormat::WebP => "image/webp",
        _ => return None,
    };
    let (width, height) = reader.into_dimensions().ok()?;
    (width > 1 && height > 1).then_some((kind, width, height))
}
