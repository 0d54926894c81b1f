//! Stories, a file for each subject.

#![allow(clippy::unwrap_used, reason = "a test that fails says where")]

mod conformance;
mod conversations;
mod crash;
mod edges;
mod encryption;
mod federation;
mod hostile;
mod operations;
mod requirements;
mod restart;
mod search;
mod sliding;
mod users;
