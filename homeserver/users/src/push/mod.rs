//! Push: the rules that decide what a user is told of, and where to tell it.

pub(crate) mod pushers;
mod rules;
mod ruleset;

pub use pushers::StoredPusher;
