//! Events as Matrix servers exchange them, without any I/O: canonical JSON, hashes, signatures, event IDs, redaction, auth
//! rules, state resolution. Room versions 6 to 12.
//!
//! | file | holds |
//! |---|---|
//! | `pdu.rs` | [`Pdu`], an event parsed once |
//! | `build.rs` | [`build`]: a [`Template`] becomes a signed event with its ID |
//! | `server_key.rs` | [`ServerKey`], this server's name and signing key |
//! | `canonical.rs` | strict reading and canonical writing of JSON |
//! | `format.rs` | sizes and shapes an event must have |
//! | `redact.rs` | [`redact`]: what is left of an event |
//! | `auth.rs` | [`auth_types`], [`check`]: which state allows an event, and whether it does |
//! | `resolve.rs` | [`resolve`]: the state where forks meet |
//!
//! Everything takes the room version as ruma's `RoomVersionRules`; an `if` on a version number has no place here. A new rule of
//! a new room version is a field of those rules, and a test that tells it as a room.

pub mod canonical;

mod auth;
mod build;
mod error;
mod format;
mod pdu;
mod redact;
mod resolve;
mod server_key;

pub use self::{
    auth::{auth_types, check, check_auth_events, check_state},
    build::{Template, build},
    error::{Error, Forbidden},
    format::{MAX_AUTH_EVENTS, MAX_DEPTH_VALUE, MAX_FIELD_BYTES, MAX_PDU_BYTES, MAX_PREV_EVENTS},
    pdu::Pdu,
    redact::redact,
    resolve::{MAX_AUTH_CHAIN, resolve},
    server_key::ServerKey,
};
pub use ruma::state_res::StateMap;
