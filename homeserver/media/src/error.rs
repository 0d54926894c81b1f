//! What can go wrong with media.

use std::{sync::Arc, time::Duration};

/// The result of a call to media.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a call to media failed.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Error {
    /// There is no such media here, or none that this caller may see.
    #[error("there is no such media on this server")]
    NotFound,
    /// The media ID exists, its content has not been uploaded in the time the caller would wait.
    #[error("the content of this media has not been uploaded yet")]
    NotYetUploaded,
    /// The media already has content.
    #[error("this media already has content, which cannot be replaced")]
    CannotOverwrite,
    /// Somebody else made this media ID.
    #[error("only the user who created this media ID may upload its content")]
    NotTheCreator,
    /// The upload is larger than allowed.
    #[error("an upload may have at most {limit} bytes")]
    TooLarge {
        /// The limit.
        limit: u64,
    },
    /// Files of this type may not be uploaded.
    #[error("this server takes no files of this type; it takes {accepted}")]
    NotAccepted {
        /// The types it takes.
        accepted: Arc<str>,
    },
    /// The scanner found something in the upload.
    #[error("the scanner of this server found something harmful in this file")]
    Infected,
    /// The scanner could not look at the upload.
    #[error("this file could not be scanned, so it was not taken; try again later")]
    NotScanned,
    /// The user has uploaded as much as they may.
    #[error("this upload would exceed what one user may keep on this server")]
    QuotaExceeded,
    /// The user has too many media IDs without content.
    #[error("too many media IDs of this user are waiting for their content")]
    TooManyPending {
        /// Until the first of them expires.
        retry_after: Duration,
    },
    /// The client went away in the middle of its upload.
    #[error("the upload broke off before its end")]
    Interrupted,
    /// A thumbnail of no width or no height was asked for.
    #[error("a thumbnail is at least one pixel wide and high")]
    NoDimensions,
    /// The content is no picture that can be made smaller.
    #[error("no thumbnail can be made of this content: {0}")]
    NoThumbnail(&'static str),
    /// The picture is too large to be decoded.
    #[error("the picture is too large for a thumbnail to be made of it")]
    TooLargeToThumbnail,
    /// The thumbnail was not ready in time.
    #[error("too many thumbnails are being made at the moment")]
    Busy,
    /// The range asked for is not in the file.
    #[error("the range is outside of the file, which has {size} bytes")]
    NoSuchRange {
        /// The size of the file.
        size: u64,
    },
    /// There is nothing to preview at an address, or nothing that may be asked.
    #[error("there is no preview of this address: {0}")]
    NoPreview(Arc<str>),
    /// The service with GIFs has none, or cannot be asked.
    #[error("there are no GIFs: {0}")]
    NoGifs(Arc<str>),
    /// Storage failed.
    #[error("storage of media records failed")]
    Storage(#[from] orvale_storage::Error),
    /// The object store failed.
    #[error("storage of media content failed")]
    Objects(#[source] Arc<object_store::Error>),
    /// The disk failed.
    #[error("the disk failed under media content")]
    Disk(#[source] Arc<std::io::Error>),
    /// The server is shutting down.
    #[error("media is shutting down")]
    Closed,
}

impl From<object_store::Error> for Error {
    fn from(error: object_store::Error) -> Self {
        Self::Objects(Arc::new(error))
    }
}

impl From<std::io::Error> for Error {
    fn from(error: std::io::Error) -> Self {
        Self::Disk(Arc::new(error))
    }
}
