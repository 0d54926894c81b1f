//! The content repository: files that people upload, and small pictures of them.
//!
//! [`Media`] is the handle. What is *known* about media (whose, how large, of which type, its SHA-256) is records in the
//! store; the *bytes* are objects behind an object store's interface, files by default. A record that says "ready" is
//! written only after the object is whole and synced to disk, so whoever got an answer to an upload can rely on it; an
//! object that no record names does not exist for anybody and is removed when the server starts.
//!
//! - `upload` receives: streamed, hashed on the way, cut off at the size limit; directly or to an ID made before.
//! - `download` finds and reads, and waits for content that is announced but not there yet.
//! - `remote` fetches other servers' media when it is asked for, and keeps it within a bound; `multipart` is how it arrives.
//! - [`thumbnails`] makes small pictures: bounded in pixels, memory, time and number at once; kept on disk; made once
//!   however many ask.
//! - `accounts` counts what each user has, in the batch of the upload or removal that changes it.
//! - `moderation` removes, quarantines, releases. `pending` ends IDs that were never used.
//! - `check` compares all of it with what is known of it.
//! - `previews` looks at web pages, from which nothing leads into this network.
//! - `gifs` asks a service for GIFs, for clients that shall not.
//! - `scanner` lets a program of the administrators' look at uploads before anybody can have them.
//! - `objects` is where bytes are: the only file that knows paths. `names` hands out the names of objects.
//! - [`content_type`] and [`filename`] decide what a browser is told about a file; nothing a user declared is believed.
//!
//! IDs from URLs are looked up, never turned into paths: objects are named by random numbers of our own.
//!
//! Time is passed in by callers; the handlers of the APIs are `client-api`'s `media` and `authenticated_media`.

pub mod content_type;
pub mod filename;
pub mod thumbnails;

mod accounts;
mod check;
mod config;
mod download;
mod error;
mod gifs;
mod incoming;
mod media;
mod media_id;
mod moderation;
mod multipart;
mod names;
mod objects;
mod pending;
mod previews;
mod remote;
mod scanner;
mod upload;
mod waiters;

pub use check::Checked;
pub use config::{
    Config, GifConfig, GifFilter, GifProvider, PreviewConfig, ScannerConfig, ThumbnailConfig,
};
pub use download::{Access, MediaFile};
pub use error::{Error, Result};
pub use gifs::{ChosenGif, FoundGif, FoundGifs, GifPicture, GifQuery, GifSize};
pub use media::Media;
pub use moderation::Listed;
pub use objects::Objects;
pub use orvale_storage::trees::media::Usage;
pub use pending::Created;
pub use thumbnails::{Method, Thumbnail, ThumbnailContent, ThumbnailRequest};
pub use upload::Details;
