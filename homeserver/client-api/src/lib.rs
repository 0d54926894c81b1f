//! The client-server API: `/_matrix/client`, `/_matrix/media` and `/.well-known/matrix`; Orvale's own `/_orvale/client`.
//!
//! - One file per endpoint, `<subject>/<endpoint>.rs`, named as in `ruma::api::client`; its first line gives method and path.
//! - [`routes`] lists them all, by area, in the specification's order.
//! - [`ApiState`] holds the handles that handlers take, each by `State<…>`.
//! - [`Error`] is what a handler fails with; `error.rs` says what differs here from what `orvale-http` answers to the errors of the crates below.
//!
//! A handler translates: who calls, what they ask, what to answer. The rules are in `orvale-rooms`, `orvale-users` and so on.
//!
//! To add an endpoint: its file, a `pub(crate) mod` line in the subject's `mod.rs`, a line in `routes/<area>.rs`.

mod account;
mod admin;
mod alias;
mod authenticated_media;
mod backup;
mod config;
mod context;
mod dehydrated_device;
mod device;
mod directory;
mod discovery;
mod error;
mod events;
mod filter;
mod keys;
mod knock;
mod media;
mod membership;
mod message;
mod orvale;
mod presence;
mod profile;
mod push;
mod read_marker;
mod receipt;
mod redact;
mod relations;
mod remote;
mod reporting;
mod room;
mod routes;
mod search;
mod session;
mod space;
mod state;
mod state_events;
mod summary;
mod sync;
mod tag;
#[cfg(test)]
mod testing;
mod threads;
mod to_device;
mod typing;
mod user_directory;
mod voip;

pub use discovery::{Config, Contact, Discovery, Support};
pub use error::Error;
pub use profile::RemoteProfiles;
pub use routes::routes;
pub use space::RemoteRooms;
pub use state::ApiState;
