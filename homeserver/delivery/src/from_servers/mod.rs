//! What other servers tell in passing, and what is asked of them about their users' devices.
//!
//! - `edus.rs`: what EDUs change here, each only as far as its server may say it.
//! - `devices.rs`: the keys of other servers' users: followed, fetched again after a gap, asked for.

mod devices;
mod edus;
#[cfg(test)]
mod tests;

pub(crate) use devices::Fetching;
pub use devices::ForeignAnswer;
