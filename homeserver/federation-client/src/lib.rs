//! Requests to other servers: where they are, who we are, and by which keys they sign.
//!
//! | file | holds |
//! |---|---|
//! | `client.rs` | [`FederationClient`]: one request, signed, bounded in time and size |
//! | `signing.rs` | what is signed of a request, and the `X-Matrix` header, written and read |
//! | `discovery/` | from a server's name to addresses: literals, ports, `.well-known`, SRV, 8448 |
//! | `connect.rs` | TCP and TLS to the first of these that answers, past the guard |
//! | `web.rs` | pages that other servers lead to, past the guard too |
//! | `keys/` | keys of other servers: kept, fetched from them or from notaries, valid at a time |
//! | `verify.rs` | many foreign events at once, each by the keys of its time |
//!
//! [`Error`] tells an answer that is a Matrix error from everything that means: not reached. Nothing here knows rooms or users.

mod client;
mod config;
mod connect;
mod discovery;
mod error;
mod keys;
mod signing;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
mod verify;
mod web;

pub use client::{Bounds, Clock, FederationClient, Opened};
pub use config::Config;
pub use error::{Answered, Error, Result};
pub use keys::{Criteria, Wanted};
pub use signing::{BadHeader, XMatrix, authorization, canonical};
