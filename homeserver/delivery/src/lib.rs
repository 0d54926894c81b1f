//! News on its way out: `/sync`, sliding sync, unread counts, push gateways, other servers. All of it follows the log; no writer knows
//! of it.
//!
//! [`Delivery`] is the handle.
//!
//! | folder | holds |
//! |---|---|
//! | `follow/` | what the log says to whom, in memory, for users who sync; waking those who wait |
//! | `sync/` | one sync: which news there is since a token, and its answer as JSON |
//! | `sliding/` | simplified sliding sync: windows over rooms, and what a connection was told |
//! | `push/` | push rules: what an event means to its reader; how much is unread |
//! | `pushers/` | the follower that tells push gateways |
//! | `to_servers/` | the follower that tells other servers, and their queues |
//! | `from_servers/` | what other servers tell in passing, and the keys of their users' devices |
//!
//! Both kinds of sync go back through a room's history by `walk.rs`; both followers that tell others read the log by `entries.rs`.
//!
//! A sync's way out:
//!
//! ```text
//! commit ─► visible position ─► follow/log.rs: one update for each member who syncs ─► wake
//!                                                                                       │
//! GET /sync ─► token, filter, session ─► anything since the token? ─ no ─► wait ◄───────┘
//!                                              │ yes
//!                                              ▼
//!                       the rooms that changed, and only these ─► sections written as bytes ─► answer
//! ```
//!
//! To add a section to the sync: a file in `sync/`, a call in `sync/answer.rs`; if it is woken by an entry of the log, a
//! place in `follow::Session` and a case in `follow/log.rs`.

mod config;
mod delivery;
mod entries;
mod error;
mod follow;
mod from_servers;
mod push;
mod pushers;
mod sliding;
mod sync;
#[cfg(test)]
mod testing;
mod to_servers;
mod waiting;
mod walk;

pub use config::{Config, Push, Servers};
pub use delivery::Delivery;
pub use error::{Error, Result};
pub use from_servers::ForeignAnswer;
pub use orvale_outward::AddressRange;
pub use sliding::{SlidingBody, SlidingQuery};
