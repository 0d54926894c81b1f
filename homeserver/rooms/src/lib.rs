//! Rooms: what happens in them, who is in them, what they are like now and were before.
//!
//! | file | holds |
//! |---|---|
//! | `rooms.rs` | [`Rooms`], the handle: finding rooms, events, states, memberships |
//! | `room.rs`, `stood.rs` | [`Room`]: its lock, its head in memory; moving that, or leaving it where it stood |
//! | `append/` | the one way in: [`Rooms::append`] |
//! | `foreign/` | events of other servers on that way in: how they are judged, what is missing, [`Rooms::accept`] |
//! | `remote/` | what is asked of other servers, and what they send: joins, invites, transactions, history |
//! | `forks.rs` | the state where forks of a room's history meet |
//! | `state.rs` | states as persistent tries |
//! | `event.rs` | [`StoredEvent`]: an event as it is read |
//! | `timeline.rs`, `breaks.rs` | pages of a room's history, [`Order`]; where there are gaps in it |
//! | `visibility.rs` | who may see an event |
//! | `redaction.rs`, `power.rs` | redactions, power levels |
//! | `policy.rs` | what is asked of `orvale-policy` before a local user's event is made |
//! | `policy_server.rs` | rooms whose events a policy server checks |
//! | `create.rs`, `first_events.rs` | making rooms |
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
//! | `upgrade/`, `carry_over.rs` | a new room in the place of an old one, and what its members keep |
//! | `summary.rs`, `spaces/` | what is shown of a room to those outside; the rooms of a space |
//! | `for_servers.rs` | what other servers are shown of rooms |
//! | `relations.rs`, `threads.rs` | what relates to an event, and what of it is bundled with the event |
//! | `thread_subscriptions.rs` | which threads a user follows |
//! | `receipts.rs`, `typing.rs` | who has read how far, who is typing |
//! | `servers.rs` | which servers are in a room, whom its access list lets in |
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
mod breaks;
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
mod first_events;
mod for_servers;
mod foreign;
mod forks;
mod invite_permission;
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
mod partial;
mod policy;
mod policy_server;
mod power;
#[cfg(test)]
mod reading_tests;
mod receipts;
mod redaction;
mod relations;
mod remote;
mod reports;
mod room;
mod room_state;
mod rooms;
mod send;
#[cfg(test)]
mod send_tests;
mod servers;
mod spaces;
mod state;
mod stood;
mod summary;
#[cfg(test)]
mod testing;
mod thread_subscriptions;
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
pub use directory::DirectoryPage;
pub use error::{Error, Result};
pub use event::{Reader, StoredEvent};
pub use filter::EventFilter;
pub use for_servers::SpaceForServer;
pub use foreign::{Accepted, Arrival, Entrance, LeftOut, Missing, StateGiven};
pub use invite_permission::InviteVerdict;
pub use news::{NewMembership, Summary};
pub use pages::{Around, Context, MAX_PAGE, Page, Shown, Side, Stretch};
pub use receipts::{Receipt, receipt_contents};
pub use relations::{Related, Relating};
pub use remote::{Admitted, GivenOnJoin, Received};
pub use room::Room;
pub use room_state::Members;
pub use rooms::{Clock, Config, Rooms};
pub use send::{Message, NewState, Txn};
pub use servers::Servers;
pub use spaces::{Elsewhere, Hierarchy, HierarchyToken, Others, SpaceRoom, Walk};
pub use state::StateId;
pub use summary::RoomSummary;
pub use timeline::Order;
pub use typing::Typing;
pub use visibility::Viewer;

pub use orvale_storage::trees::rooms::{Membership, MembershipRecord, ReportRecord, ReportSubject};
