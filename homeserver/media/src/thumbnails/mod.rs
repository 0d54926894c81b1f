//! Small pictures of pictures.
//!
//! - [`ThumbnailRequest`] is what a client asks for. `variant` rounds it up to one of few sizes, so that few thumbnails of a
//!   picture are made and kept, and says what a picture of given dimensions becomes.
//! - `picture` is the work on bytes: told apart by their first bytes alone, checked against the limits before anything is
//!   decoded, scaled, turned as EXIF says, encoded. It knows nothing of media.
//! - `thumbnailer` does this off the async threads, few at once, once for all who ask for the same, and keeps the results.
//! - `animation` tells whether a file has more than one frame.

mod animation;
mod picture;
mod thumbnailer;
mod variant;

pub(crate) use thumbnailer::Thumbnailer;
pub use variant::{Method, ThumbnailRequest};

use bytes::Bytes;

use crate::{Media, MediaFile, Result};

/// A thumbnail, or what stands for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Thumbnail {
    /// The type of these bytes, as found in them; safe to be shown in place.
    pub content_type: &'static str,
    /// The bytes.
    pub content: ThumbnailContent,
}

/// The bytes of a thumbnail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ThumbnailContent {
    /// Made for the purpose.
    Made(Bytes),
    /// The original serves: it is no larger than what was asked for, or is to keep its animation.
    Original,
}

impl Media {
    /// A thumbnail of a file, made now if it was not before.
    ///
    /// # Errors
    /// [`crate::Error::NoDimensions`], [`crate::Error::NoThumbnail`], [`crate::Error::TooLargeToThumbnail`],
    /// [`crate::Error::Busy`], [`crate::Error::NotFound`] if the file was removed, and failures of storage.
    pub async fn thumbnail(
        &self,
        file: &MediaFile,
        request: ThumbnailRequest,
    ) -> Result<Thumbnail> {
        self.inner.thumbnailer.get(file, request).await
    }
}
