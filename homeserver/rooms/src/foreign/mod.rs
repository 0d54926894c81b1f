//! Events of other servers.
//!
//! | file | holds |
//! |---|---|
//! | `accept.rs` | [`Rooms::accept`]: events whose past is known are taken in, those that came together by one batch |
//! | `place.rs` | one of them is judged and takes its place |
//! | `judge.rs` | the auth rules against what an event names, and against states |
//! | `outliers.rs` | events that are known for the auth chain of others only |
//! | `template.rs` | what users of other servers are to sign, and how ours sign what other servers propose |
//! | `serve.rs` | what other servers ask of a room's graph |
//! | `visible.rs` | what of it each of them may see |
//! | `noted.rs` | how our users stand in rooms that this server knows from outside only |
//! | `enter.rs` | a room that this server comes to know, or comes back to, with the state that another server gives |
//!
//! Everything here is given events whose format and signatures were checked ([`orvale_events::Foreign`]), and asks nobody anything:
//! what is missing is named, and whoever called fetches it without the room's lock.

mod accept;
mod enter;
mod judge;
mod noted;
mod outliers;
mod place;
mod serve;
mod template;
#[cfg(test)]
pub(crate) mod tests;
mod visible;

use std::sync::Arc;

use orvale_events::{Pdu, Verified};

pub(crate) use accept::Bridge;
pub use accept::{Accepted, Missing};
pub use enter::{Entrance, LeftOut};
pub(crate) use judge::forbidden;
pub use serve::StateGiven;
pub(crate) use template::Wanted;

/// An event of another server, well-formed and signed.
#[derive(Debug, Clone)]
pub struct Arrival {
    /// The event.
    pub pdu: Arc<Pdu>,
    /// Its canonical JSON.
    pub json: Vec<u8>,
}

impl From<Verified> for Arrival {
    fn from(verified: Verified) -> Self {
        let (pdu, json) = verified.into_parts();
        let pdu = Arc::new(pdu);
        Self { pdu, json }
    }
}
