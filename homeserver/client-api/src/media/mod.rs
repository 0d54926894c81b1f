//! The content repository: uploads, and the old endpoints for downloads, which ask nobody who they are.
//!
//! `serve` makes the responses that carry files, for these and for [`crate::authenticated_media`]: what browsers may do with
//! them, which part of them is wanted, whether the client has them already. `receive` is what both kinds of upload share.

pub(crate) mod create_content;
pub(crate) mod create_content_async;
pub(crate) mod create_mxc_uri;
pub(crate) mod get_content;
pub(crate) mod get_content_as_filename;
pub(crate) mod get_content_thumbnail;
pub(crate) mod get_media_config;
pub(crate) mod get_media_preview;

mod receive;
pub(crate) mod serve;

#[cfg(test)]
mod tests;
