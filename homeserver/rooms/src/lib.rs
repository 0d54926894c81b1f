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
//! | `policy.rs` | what is asked of `orvale-policy` before a local user's event is made |
//! | `create.rs` | making rooms |
//! | `join.rs`, `leave.rs`, `knock.rs`, `moderate.rs` | changes of membership, one's own and others' |
//! | `member.rs` | member events and the profiles in them |
//! | `send.rs`, `check_content.rs` | sending, and what is refused before the auth rules are asked |
//! | `access.rs` | which rooms a user may look into |
//! | `pages.rs`, `filter.rs`, `moment.rs`, `room_state.rs` | reading: history, context, by time, state, members |
//! | `reports.rs` | what people report to the administrators |
//! | `account.rs` | what happens in a user's rooms when their account changes |
//! | `news.rs` | what delivery asks: summaries, stripped state |
//! | `alias.rs`, `directory.rs` | room aliases, the public directory |
//! | `direct.rs` | the one room in which two people write each other directly |
//! | `upgrade.rs`, `carry_over.rs` | a new room in the place of an old one, and what its members keep |
//! | `summary.rs`, `spaces.rs` | what is shown of a room to those outside; the rooms of a space |
//! | `relations.rs`, `threads.rs` | what relates to an event, and what of it is bundled with the event |
//! | `receipts.rs`, `typing.rs` | who has read how far, who is typing |
//! | `check.rs`, `check_lists.rs` | whether all that is stored agrees |
//!
//! Reads see what is visible in the store. Appending sees more: under its lock, a room's head already stands on events whose
//! batch is on its way to the disk.
//!
//! To add something users do in a room: a file with an `impl Rooms`, which decides inside [`Rooms::append`] what to append.

mod access;
mod account;
mod alias;
mod append;
#[cfg(test)]
mod append_tests;
mod carry_over;
mod check;
mod check_content;
mod check_lists;
mod create;
mod direct;
mod directory;
mod error;
mod event;
mod filter;
mod join;
mod json;
mod knock;
mod leave;
mod member;
#[cfg(test)]
mod membership_tests;
mod moderate;
mod moment;
mod news;
mod pages;
mod policy;
mod power;
#[cfg(test)]
mod reading_tests;
mod receipts;
mod redaction;
mod relations;
mod reports;
mod room;
mod room_state;
mod rooms;
mod send;
#[cfg(test)]
mod send_tests;
mod spaces;
mod state;
mod summary;
#[cfg(test)]
mod testing;
mod threads;
mod timeline;
mod typing;
mod upgrade;
mod visibility;

pub use access::Reading;
pub use append::{Appended, Draft, Request, View, membership};
pub use check::Checked;
pub use create::{NewRoom, Preset};
pub use direct::Direct;
pub use directory::{DirectoryPage, DirectoryToken};
pub use error::{Error, Result};
pub use event::{Reader, StoredEvent};
pub use filter::EventFilter;
pub use news::Summary;
pub use pages::{Around, Context, MAX_PAGE, Page, Shown, Stretch};
pub use receipts::{Receipt, receipt_contents};
pub use relations::{Related, Relating};
pub use room::Room;
pub use room_state::Members;
pub use rooms::{Clock, Config, Rooms};
pub use send::{Message, NewState, Txn};
pub use spaces::{Hierarchy, HierarchyToken, SpaceRoom, Walk};
pub use state::StateId;
pub use summary::RoomSummary;
pub use timeline::Order;
pub use typing::Typing;
pub use visibility::Viewer;

pub use orvale_storage::trees::rooms::{Membership, MembershipRecord, ReportRecord, ReportSubject};
