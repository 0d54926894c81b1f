//! The settings of media.

use orvale_outward::AddressRange;
use serde::{Deserialize, Serialize};

/// How much may be uploaded, and how it is served.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// The most bytes one upload may have; told to clients as `m.upload.size`.
    pub max_upload_bytes: u64,
    /// The most bytes one user may have here, all files together.
    pub max_bytes_per_user: Option<u64>,
    /// The most files one user may have here.
    pub max_files_per_user: Option<u64>,
    /// How many media IDs a user may have made without uploading the content yet.
    pub max_pending_uploads: usize,
    /// After how many seconds a media ID without content expires.
    pub pending_upload_seconds: u64,
    /// The longest a download waits for content that is announced but not there yet, in milliseconds, whatever the client
    /// asks for.
    pub max_wait_ms: u64,
    /// Whether the old endpoints, which ask for no access token, serve media at all. On by default, for clients and bridges
    /// that know no others; with [`Config::legacy_frozen_at`] they go on serving old media only.
    pub allow_legacy_media: bool,
    /// Media uploaded at this time or later (milliseconds since the epoch) is not served by the old endpoints.
    pub legacy_frozen_at: Option<u64>,
    /// Limits of thumbnailing.
    pub thumbnails: ThumbnailConfig,
    /// Previews of web pages.
    pub previews: PreviewConfig,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            max_upload_bytes: 50 * 1024 * 1024,
            max_bytes_per_user: None,
            max_files_per_user: None,
            max_pending_uploads: 20,
            pending_upload_seconds: 24 * 60 * 60,
            max_wait_ms: 60_000,
            allow_legacy_media: true,
            legacy_frozen_at: None,
            thumbnails: ThumbnailConfig::default(),
            previews: PreviewConfig::default(),
        }
    }
}

/// The bounds of work on pictures.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ThumbnailConfig {
    /// The most pixels a picture may have to be decoded.
    pub max_pixels: u64,
    /// The most bytes a decoder may use for one picture.
    pub max_memory_bytes: u64,
    /// The largest file that is tried.
    pub max_source_bytes: u64,
    /// How many pictures are worked on at once; by default as many as there are cores.
    pub concurrency: Option<usize>,
    /// How long a request waits for its thumbnail, in milliseconds, its turn included.
    pub max_wait_ms: u64,
    /// Up to this size a picture may be served as it is where a thumbnail cannot be made or would lose its animation.
    pub small_original_bytes: u64,
}

impl Default for ThumbnailConfig {
    fn default() -> Self {
        Self {
            max_pixels: 50_000_000,
            max_memory_bytes: 256 * 1024 * 1024,
            max_source_bytes: 50 * 1024 * 1024,
            concurrency: None,
            max_wait_ms: 20_000,
            small_original_bytes: 1024 * 1024,
        }
    }
}

/// Previews of web pages.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PreviewConfig {
    /// Whether this server looks at pages at all. On by default: nothing but public addresses is ever asked.
    pub enabled: bool,
    /// Addresses that are not public but may be asked all the same, as ranges.
    pub allowed_private_ranges: Vec<AddressRange>,
    /// Names of servers that are not asked, nor any below them.
    pub denied_hosts: Vec<String>,
    /// How much of a page is read, in bytes.
    pub max_page_bytes: usize,
    /// The most bytes a picture may have.
    pub max_picture_bytes: usize,
    /// How long everything for one preview may take, in seconds.
    pub timeout_seconds: u64,
    /// How many previews are made at once.
    pub concurrency: usize,
    /// After how many seconds a page is asked again.
    pub cache_seconds: u64,
}

impl Default for PreviewConfig {
    fn default() -> Self {
        Self {
            enabled: true,
            allowed_private_ranges: Vec::new(),
            denied_hosts: Vec::new(),
            max_page_bytes: 512 * 1024,
            max_picture_bytes: 5 * 1024 * 1024,
            timeout_seconds: 10,
            concurrency: 8,
            cache_seconds: 60 * 60,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_old_endpoints_serve_by_default_and_the_largest_upload_can_be_thumbnailed() {
        let config = Config::default();
        assert!(config.allow_legacy_media && config.legacy_frozen_at.is_none());
        assert!(config.thumbnails.max_source_bytes >= config.max_upload_bytes);
    }
}
