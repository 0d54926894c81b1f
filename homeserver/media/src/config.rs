//! The settings of media.

use orvale_outward::AddressRange;
use serde::{Deserialize, Serialize};

/// How much may be uploaded, and how it is served.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// The most bytes one upload may have; told to clients as `m.upload.size`.
    pub max_upload_bytes: u64,
    /// The types of files that may be uploaded, like `image/*`, by what is said of them; none, and all may. Whatever is encrypted is of the type
    /// `application/octet-stream`.
    pub accepted_types: Vec<String>,
    /// The most bytes one user may have here, all files together.
    pub max_bytes_per_user: Option<u64>,
    /// The most files one user may have here.
    pub max_files_per_user: Option<u64>,
    /// The most bytes of other servers' media that are kept; what was fetched longest ago goes first.
    pub max_remote_bytes: u64,
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
    /// GIFs of another service.
    pub gifs: GifConfig,
    /// What looks at uploads before anybody can have them.
    pub scanner: ScannerConfig,
}

impl Config {
    /// Whether these can be.
    ///
    /// # Errors
    /// The key and what is wrong with it.
    pub fn check(&self) -> Result<(), (&'static str, String)> {
        let is_type = |kind: &String| {
            let mut parts = kind.split('/');
            let has_both = [parts.next(), parts.next()]
                .iter()
                .all(|part| part.is_some_and(|part| !part.is_empty()));
            has_both && parts.next().is_none()
        };
        if let Some(odd) = self.accepted_types.iter().find(|kind| !is_type(kind)) {
            let why = format!("{odd} is no type like text/plain or image/*");
            return Err(("accepted_types", why));
        }
        self.gifs.check()
    }

    /// Whether files of this type may be uploaded.
    #[must_use]
    pub fn accepts(&self, content_type: Option<&str>) -> bool {
        let given = content_type.unwrap_or("application/octet-stream");
        let given = given.split(';').next().unwrap_or_default().trim();
        self.accepted_types.is_empty()
            || self
                .accepted_types
                .iter()
                .any(|accepted| match accepted.strip_suffix("/*") {
                    Some(kind) => given
                        .split_once('/')
                        .is_some_and(|(main, _)| main.eq_ignore_ascii_case(kind)),
                    None => given.eq_ignore_ascii_case(accepted),
                })
    }
}

impl Default for Config {
    fn default() -> Self {
        Self {
            max_upload_bytes: 50 * 1024 * 1024,
            accepted_types: Vec::new(),
            max_bytes_per_user: None,
            max_files_per_user: None,
            max_remote_bytes: 10 * 1024 * 1024 * 1024,
            max_pending_uploads: 20,
            pending_upload_seconds: 24 * 60 * 60,
            max_wait_ms: 60_000,
            allow_legacy_media: true,
            legacy_frozen_at: None,
            thumbnails: ThumbnailConfig::default(),
            previews: PreviewConfig::default(),
            gifs: GifConfig::default(),
            scanner: ScannerConfig::default(),
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

/// A program that looks at uploads.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ScannerConfig {
    /// The program and its arguments. It gets the content on its standard input; exit status 0 lets it through, 1 refuses it. Nothing, and nobody
    /// looks.
    pub command: Vec<String>,
    /// How long it may take, in seconds.
    pub timeout_seconds: u64,
    /// How many of it run at once.
    pub concurrency: usize,
}

impl Default for ScannerConfig {
    fn default() -> Self {
        Self {
            command: Vec::new(),
            timeout_seconds: 60,
            concurrency: 2,
        }
    }
}

/// A service in which people look for GIFs. This server asks it for them: no client ever does, and the key stays here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct GifConfig {
    /// Whose interface the service has. Without, nobody is asked, and clients offer no GIFs.
    pub provider: Option<GifProvider>,
    /// The key that the service gave this server.
    pub key: Option<String>,
    /// Where the service is, if it is not where its makers have it.
    pub base_url: Option<String>,
    /// What is kept out of what is found.
    pub filter: GifFilter,
    /// Addresses that are not public but may be asked all the same, as ranges.
    pub allowed_private_ranges: Vec<AddressRange>,
    /// The most bytes a GIF may have.
    pub max_picture_bytes: usize,
    /// How long the service may take to answer, in seconds.
    pub timeout_seconds: u64,
    /// How many requests there are to it at once.
    pub concurrency: usize,
}

/// The interfaces of services with GIFs that are known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum GifProvider {
    /// Tenor, version 2, and who speaks as it does.
    Tenor,
    /// GIPHY, version 1, and who speaks as it does.
    Giphy,
}

/// What is kept out of what is found, by what the service says of it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum GifFilter {
    /// Everything that is not for everybody.
    #[default]
    Strict,
    /// What is for adults.
    Moderate,
    /// Nothing.
    Off,
}

impl Default for GifConfig {
    fn default() -> Self {
        Self {
            provider: None,
            key: None,
            base_url: None,
            filter: GifFilter::default(),
            allowed_private_ranges: Vec::new(),
            max_picture_bytes: 8 * 1024 * 1024,
            timeout_seconds: 10,
            concurrency: 16,
        }
    }
}

impl GifConfig {
    fn check(&self) -> Result<(), (&'static str, String)> {
        if self.provider.is_some() && self.key.as_deref().unwrap_or_default().is_empty() {
            let why = "the provider answers only who has a key";
            return Err(("gifs.key", why.to_owned()));
        }
        let Some(base) = &self.base_url else {
            return Ok(());
        };
        match reqwest::Url::parse(base) {
            Ok(url) if matches!(url.scheme(), "http" | "https") => Ok(()),
            _ => Err(("gifs.base_url", "it is no web address".to_owned())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_are_accepted_by_name_or_kind() {
        let mut config = Config::default();
        assert!(config.accepts(None) && config.accepts(Some("application/x-msdownload")));
        config.accepted_types = vec!["image/*".to_owned(), "application/pdf".to_owned()];
        assert_eq!(config.check(), Ok(()));
        assert!(config.accepts(Some("IMAGE/png")));
        assert!(config.accepts(Some("application/pdf; version=1.7")));
        assert!(!config.accepts(Some("application/pdfx")) && !config.accepts(Some("imagex/png")));
        assert!(!config.accepts(None));
        config.accepted_types.push("pictures".to_owned());
        assert_eq!(config.check().unwrap_err().0, "accepted_types");
    }

    #[test]
    fn the_old_endpoints_serve_by_default_and_the_largest_upload_can_be_thumbnailed() {
        let config = Config::default();
        assert!(config.allow_legacy_media && config.legacy_frozen_at.is_none());
        assert!(config.thumbnails.max_source_bytes >= config.max_upload_bytes);
    }
}
