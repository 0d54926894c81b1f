//! Calls: what clients need to know to reach each other, and where media of group calls goes.
//!
//! - `config`: the settings `[calls]`.
//! - `turn`: credentials of TURN servers, good for a while.
//!
//! Pure so far: the media servers themselves are elsewhere, and the settings say where.

mod config;
mod turn;

pub use config::{Config, Transport, TurnConfig};
pub use turn::{Credentials, Turn};
