//! Trees of storage itself.

use crate::{Entry, Position, Tree, tree::Described};

/// The log: position → entry. Written by [`crate::Store::submit`]; rewritten by [`crate::Batch::rewrite`] alone.
pub const LOG: Tree<(Position,), Entry> = Tree::new(0x0001, "log");

/// Where a follower of the log stands: its name → the last position it is done with.
pub const CURSORS: Tree<(String,), Position> = Tree::new(0x0002, "cursors");

/// Facts about the store: its form (the number of the last migration), the server's name it was made for.
pub const META: Tree<(String,), String> = Tree::new(0x0003, "meta");

/// Every tree here.
pub(crate) const TREES: &[&dyn Described] = &[&LOG, &CURSORS, &META];
