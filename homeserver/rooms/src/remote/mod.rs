//! Rooms that other servers know more of: what is asked of them, and what they send.
//!
//! | file | holds |
//! |---|---|
//! | `ask.rs` | whom to ask; verifying what is answered |
//! | `join.rs`, `leave.rs`, `knock.rs` | our users come and go through other servers |
//! | `through.rs` | what joining and knocking have in common: a server proposes, this one signs, the next is asked |
//! | `invite.rs` | inviting users of other servers, and being invited by them |
//! | `admit.rs` | users of other servers come and go through this one |
//! | `receive.rs`, `inbox.rs` | events of transactions, and those of them that wait |
//! | `fetch.rs` | what is missing before an event can be judged |
//! | `stream.rs`, `split.rs` | a state that may be large, kept as it arrives |
//! | `history.rs` | a room's history of before this server came, and of while it was away |
//! | `reach.rs` | fetching it when somebody reads that far |
//!
//! No room's lock is held while another server is waited for: what is asked is asked before, and judged again under the lock.

mod admit;
mod ask;
mod fetch;
mod history;
mod inbox;
mod invite;
mod join;
mod knock;
mod leave;
mod reach;
mod receive;
mod split;
mod stream;
mod through;

pub use admit::{Admitted, GivenOnJoin};
pub(crate) use ask::raw;
pub(crate) use inbox::Inboxes;
pub use receive::Received;
