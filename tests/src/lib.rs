//! Stories across programs: the real `orvale` binary, talked to over HTTP alone.
//!
//! ```ignore
//! let server = Server::start().await;
//! let alice = server.register("alice").await;
//! let bob = server.register("bob").await;
//! let room = alice.create_room(json!({ "invite": [bob.user_id] })).await;
//! bob.join(&room).await;
//! let sent = alice.send_text(&room, "hi").await;
//! bob.sync_until(|sync| sync.has_event(&room, &sent)).await;
//! ```
//!
//! - [`Server`] is a process on a free port and an empty directory; it can be killed and started again on what is left. Its
//!   log is shown if the test fails.
//! - [`Client`] is somebody on a device; [`Answer`] what the server said, [`Sync`] one answer to `/sync`.
//! - [`Network`] holds servers that know and trust each other, Synapse among them.
//!
//! Wait for a condition ([`Client::sync_until`], [`eventually`]), never for a duration. The stories are in `tests/it`, a file
//! for each subject. They need the binary: `cargo xtask test` builds it, and so do the tests themselves under `cargo test`;
//! before `cargo nextest run` build it by `cargo build -p orvale-server`.

mod answer;
mod client;
mod federation;
mod policy_server;
mod ports;
mod record;
mod server;
mod stranger;
mod synapse;
mod sync;
mod waiting;
mod wires;

pub use answer::Answer;
pub use client::{Client, encode};
pub use federation::Network;
pub use record::record;
pub use server::{Server, Settings, binary};
pub use stranger::{Asked, Held, Joined, Peer, Stranger};
pub use sync::Sync;
pub use waiting::eventually;
