//! Two people use Orvale through matrix-rust-sdk, as Element X does: its sync service, its room list, its timelines.

#![recursion_limit = "256"]
#![allow(clippy::unwrap_used, reason = "a test that fails says where")]

mod encryption;
mod media;
mod messages;
mod notifications;
mod person;
mod rooms;
mod spaces;
mod threads;
