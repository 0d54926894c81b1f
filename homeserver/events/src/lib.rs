//! Events as Matrix servers exchange them, without any I/O: canonical JSON, hashes, signatures, event IDs, redaction, auth
//! rules, state resolution. Room versions 6 to 12.
//!
//! | file | holds |
//! |---|---|
//! | `room_version.rs` | the versions we know; who is a creator |
//! | `pdu.rs` | [`Pdu`], an event parsed once |
//! | `build.rs` | [`build`]: a [`Template`] becomes a signed event with its ID |
//! | `foreign.rs` | [`Foreign`]: an event of another server is read and verified |
//! | `server_key.rs` | [`ServerKey`], this server's name and signing key |
//! | `canonical.rs` | strict reading and canonical writing of JSON |
//! | `format.rs` | the sizes and shapes an event must have |
//! | `redact.rs` | [`redact()`]: what is left of an event |
//! | `auth.rs` | [`auth_types`], [`check`]: which state allows an event, and whether it does |
//! | `resolve.rs` | [`resolve()`]: the state where forks meet |
//! | `policy_server.rs` | [`PolicyServer`]: whom a room has its events checked by, and its signature on them |
//! | `server_acl.rs`, `glob.rs` | which servers a room lets in; patterns in linear time |
//!
//! Everything takes the room version as ruma's `RoomVersionRules`; an `if` on a version number has no place here. A new rule of
//! a new room version is a field of those rules, and a test that tells it as a room.

pub mod canonical;

mod auth;
mod build;
mod error;
mod foreign;
mod format;
mod glob;
mod pdu;
mod policy_server;
mod redact;
mod resolve;
mod room_version;
mod server_acl;
mod server_key;

#[cfg(test)]
mod testing;

pub use self::{
    auth::{auth_types, check, check_auth_events, check_state},
    build::{Template, build},
    error::{Error, Forbidden},
    foreign::{Foreign, Verified, verify},
    format::{MAX_AUTH_EVENTS, MAX_DEPTH, MAX_FIELD_BYTES, MAX_PDU_BYTES, MAX_PREV_EVENTS},
    glob::{Glob, MAX_GLOB_CHARACTERS},
    pdu::Pdu,
    policy_server::PolicyServer,
    redact::redact,
    resolve::{MAX_AUTH_CHAIN, resolve, resolve_conflict},
    room_version::{DEFAULT_ROOM_VERSION, SUPPORTED_ROOM_VERSIONS, creators, is_creator, rules},
    server_acl::ServerAcl,
    server_key::{OldKey, ServerKey},
};
pub use ruma::{signatures::PublicKeyMap, state_res::StateMap};
