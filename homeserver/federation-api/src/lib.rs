//! The server-server API: `/_matrix/federation` and `/_matrix/key`. (`/.well-known/matrix/server` is with its siblings in
//! `orvale-client-api`.)
//!
//! - One file per endpoint, `<subject>/<endpoint>.rs`, named as in `ruma::api::federation`; its first line gives method and path.
//! - [`routes`] lists them all, in the specification's order.
//! - `authentication.rs` verifies who asks, before a handler sees the request: [`Origin`].
//! - [`FederationState`] holds the handles that handlers take, each by `State<…>`.
//! - [`Error`] is what a handler fails with; `error.rs` says what differs here from what `orvale-http` answers to the errors of the crates below.
//!
//! Whoever asks is a stranger: what a server may see and do in a room is found out by `orvale-rooms`, for that server, from the room that an
//! event is in and not from the room that the URL names.
//!
//! To add an endpoint: its file, a `pub(crate) mod` line in the subject's `mod.rs`, a line in `routes.rs`.

mod authenticated_media;
mod authentication;
mod authorization;
mod backfill;
mod device;
mod directory;
mod discovery;
mod error;
mod event;
mod keys;
mod membership;
mod openid;
mod pdu;
mod query;
mod routes;
mod space;
mod state;
#[cfg(test)]
mod testing;
mod thirdparty;
mod transactions;

pub use authentication::Origin;
pub use error::Error;
pub use routes::routes;
pub use state::FederationState;
pub use transactions::Transactions;
