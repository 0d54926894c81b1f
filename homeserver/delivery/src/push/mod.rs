//! Push rules: what an event means to its reader, and how much is unread.
//!
//! - `facts.rs`: what rules ask about an event, found out once for all its readers.
//! - `evaluate.rs`: the rule that matches an event for a reader. `glob.rs`: patterns. `work.rs`: what they
//!   may cost.
//! - `unread.rs`: the notifications that a user has not read, room by room; `kept.rs`: that, written down now and then.
//! - `history.rs`: all notifications, newest first.

pub(crate) mod evaluate;
pub(crate) mod facts;
pub(crate) mod glob;
mod history;
mod kept;
pub(crate) mod unread;
mod work;
