//! Trees of `media`.
//!
//! The bytes of media are no part of the store: they are objects (files, by default), named by numbers of Orvale's own.
//! What is known about them is here, and it decides: an object that no record names does not exist for anybody.

use serde::{Deserialize, Serialize};

use crate::{Tree, record::JsonText, tree::Described};

/// Media: server name and media ID, the two parts of an `mxc://` URI → what is known of it.
pub const MEDIA: Tree<(String, String), MediaRecord> = Tree::new(0x0401, "media");

/// Media IDs waiting for their content: user ID and media ID → when the ID expires, in milliseconds since the epoch.
/// Counted when a user asks for one more; walked to find the expired.
pub const PENDING: Tree<(String, String), u64> = Tree::new(0x0402, "media_pending");

/// What a local user has uploaded, oldest first: user ID, time of upload, media ID → nothing.
pub const UPLOADS: Tree<(String, u64, String), ()> = Tree::new(0x0403, "media_uploads");

/// How much a local user has uploaded: user ID → files and bytes, written with every upload and deletion, so that a quota
/// costs one read.
pub const USAGE: Tree<(String,), Usage> = Tree::new(0x0404, "media_usage");

/// Names of objects that no record names: set aside for uploads, or left over from a deletion. An upload takes its name out
/// in the batch that makes its record. Whatever is here when the server starts is removed from the disk.
pub const LOOSE: Tree<(u128,), ()> = Tree::new(0x0405, "media_loose");

/// One piece of media.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MediaRecord {
    /// The local user who uploaded it or may upload it.
    pub uploader: Option<String>,
    /// When its ID was made, in milliseconds since the epoch.
    pub created_at: u64,
    /// Whether it has content yet.
    pub state: MediaState,
    /// Set where an administrator has withdrawn it from view.
    pub quarantine: Option<Quarantine>,
}

/// Whether media has content.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum MediaState {
    /// The ID was handed out; the content may follow until it expires.
    Pending {
        /// In milliseconds since the epoch.
        expires_at: u64,
    },
    /// It can be downloaded.
    Ready(MediaContent),
}

/// The content of media, but for its bytes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MediaContent {
    /// The name of the object that holds the bytes.
    pub object: u128,
    /// As declared by the uploader, if it was well-formed. Nothing is to be believed about the bytes because of it.
    pub content_type: Option<String>,
    /// As given by the uploader, without control characters and separators of directories.
    pub filename: Option<String>,
    /// In bytes.
    pub size: u64,
    /// The SHA-256 of the bytes.
    pub sha256: [u8; 32],
    /// In milliseconds since the epoch.
    pub uploaded_at: u64,
}

/// Who withdrew media from view, and when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quarantine {
    /// The administrator's user ID.
    pub by: String,
    /// In milliseconds since the epoch.
    pub at: u64,
}

/// How much a user has uploaded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Usage {
    /// Number of files.
    pub files: u64,
    /// Their sizes together.
    pub bytes: u64,
}

/// Previews of web pages: SHA-256 of the address → the preview.
pub const PREVIEWS: Tree<(Vec<u8>,), PreviewRecord> = Tree::new(0x0406, "media_previews");

/// When previews were made, in milliseconds since the epoch, then the key in [`PREVIEWS`]: to forget the oldest.
pub const PREVIEW_AGES: Tree<(u64, Vec<u8>), ()> = Tree::new(0x0407, "media_preview_ages");

/// What a web page says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PreviewRecord {
    /// When the page was asked, in milliseconds since the epoch.
    pub made_at: u64,
    /// The properties that clients are told, a JSON object.
    pub properties: JsonText,
    /// The media ID of its picture, which goes with it.
    pub picture: Option<String>,
}

/// Every tree here.
pub(crate) const TREES: &[&dyn Described] = &[
    &MEDIA,
    &PENDING,
    &UPLOADS,
    &USAGE,
    &LOOSE,
    &PREVIEWS,
    &PREVIEW_AGES,
];
