//! Downloads and thumbnails for callers with an access token.
//!
//! The responses are made in [`crate::media::serve`].

pub(crate) mod get_content;
pub(crate) mod get_content_as_filename;
pub(crate) mod get_content_thumbnail;
pub(crate) mod get_media_config;
pub(crate) mod get_media_preview;
