//! Orvale's own rules for the people of this server: pure functions over facts, asked before an event is made.
//!
//! Matrix's auth rules say what a room accepts. Here is what this server's organisation wants besides: how long a message may
//! still be changed, and what accounts may do at all. Nothing here is ever asked about events of other servers: what they were allowed to send stays what it is.
//!
//! | file | holds |
//! |---|---|
//! | `config.rs` | [`Config`]: the settings `[policy]` |
//! | `messages.rs` | changing and deleting messages: [`Change`] |
//! | `permissions.rs` | what accounts may do at all: [`Permissions`] |
//! | `refusal.rs` | [`Refusal`]: why not, for people and for programs |
//!
//! To add a rule: a file with its facts as a struct and a function that answers `Result<(), Refusal>`, no clock and no store in it; a
//! variant of [`Refusal`] with a sentence; the question where the event is drafted (`orvale-rooms`' `policy.rs` gathers the facts).

mod config;
mod messages;
mod permissions;
mod refusal;

pub use config::Config;
pub use messages::{Change, Original, is_message};
pub use permissions::{Grant, Permission, Permissions, is_file};
pub use refusal::Refusal;
