//! What Orvale keeps, and the only crate that knows how.
//!
//! - [`trees`] declares every tree in one place: its keys, its values, who writes it and why.
//! - [`Store`] is the interface: read ([`Store::get`], [`Store::range`]), write ([`Batch`], [`Store::commit`]), follow
//!   ([`Store::log`], [`Store::watch`]).
//! - [`key`] makes keys that sort as their parts do; [`record`] turns values into bytes.
//! - [`Follower`] works through the log from a cursor that is kept.
//! - `committer` is the one writer: it gathers waiting batches, makes them durable in `commit_log` with one sync, applies
//!   them to the engine, answers, and moves the visible position (`sequence`).
//! - `engine` is what holds the trees for readers: layers in memory over sled on disk.
//! - `checkpoint` writes the layers down to sled and lets the commit log go.
//! - `disk` opens and closes a store, `migrations` bring an old one to the present form, `backup` and `check` look after it.
//!
//! A write is a [`Batch`]: puts, deletes, preconditions, and entries of the log. It happens as a whole or not at all, and
//! whoever waited for it may tell the world: it survives kill -9 and power cuts. README.md tells how, with figures.
//!
//! To add a tree: one `const` in `trees/<owner>.rs`, and its name in `TREES` there.

pub mod key;
pub mod record;
pub mod trees;

mod backup;
mod batch;
mod check;
mod checkpoint;
mod commit_log;
mod committer;
mod disk;
mod engine;
mod error;
mod follower;
mod lock;
mod log;
mod migrations;
mod sequence;
mod store;
mod tree;
mod tuning;

pub use backup::Manifest;
pub use batch::Batch;
pub use check::Report;
pub use error::{Error, Result};
pub use follower::Follower;
pub use log::{Entry, EventRecord, Place, Position, Standing, Transaction};
pub use store::{Config, Pending, Permit, Reserved, Store};
pub use tree::Tree;
pub use tuning::Tuning;
