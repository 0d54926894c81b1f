//! Rooms: what happens in them, who is in them, what they are like now and were before.
//!
//! | file | holds |
//! |---|---|
//! | `rooms.rs` | [`Rooms`], the handle: finding rooms, events, states, memberships |
//! | `room.rs` | [`Room`]: its lock, its head in memory |
//! | `append.rs` | the one way in: [`Rooms::append`] |
//! | `state.rs` | states as persistent tries |
//! | `event.rs` | [`StoredEvent`]: an event as it is read |
//! | `timeline.rs` | pages of a room's history, [`Order`] |
//! | `visibility.rs` | who may see an event |
//! | `redaction.rs`, `power.rs` | redactions, power levels |
//!
//! Reads see what is visible in the store. Appending sees more: under its lock, a room's head already stands on events whose
//! batch is on its way to the disk.
//!
//! To add something users do in a room: a file with an `impl Rooms`, which decides inside [`Rooms::append`] what to append.

mod append;
#[cfg(test)]
mod append_tests;
mod error;
mod event;
mod power;
mod redaction;
mod room;
mod rooms;
mod state;
#[cfg(test)]
mod testing;
mod timeline;
mod visibility;

pub use append::{Appended, Draft, Request, View, membership};
pub use error::{Error, Result};
pub use event::{Reader, StoredEvent};
pub use room::Room;
pub use rooms::{Clock, Config, Rooms};
pub use state::StateId;
pub use timeline::Order;

pub use orvale_storage::trees::rooms::{Membership, MembershipRecord};
