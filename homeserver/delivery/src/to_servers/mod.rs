//! Telling other servers what happens here.
//!
//! ```text
//! the log ─► follow.rs: whom it concerns ─► TO_SERVERS (server, position), with the cursor ─┐
//! typing, presence ─► hubs.rs ─► in memory, dropped where a server is not reached ──────────┤
//!                                                                                           ▼
//!                      queue.rs: one task a server ─► transaction.rs: ≤ 50 PDUs, ≤ 100 EDUs ─► PUT /send
//! ```
//!
//! The log is the queue: what waits for a server is a list of positions, and what is there is read when it is sent. So nothing is
//! lost by a crash, and a server that is gone for long costs a few bytes an event on the disk, and nothing in memory; of very many,
//! the newest of each room is kept, from which the server finds the way back itself.
//!
//! A transaction that fails is made again and sent after a while, twice as long each time; any sign of life of the server ends the
//! wait. What was received twice is known by its ID.

mod follow;
mod hubs;
mod queue;
#[cfg(test)]
mod tests;
mod transaction;

pub(crate) use self::{
    follow::follow,
    hubs::follow_hubs,
    queue::{Queues, follow_signs_of_life},
};
