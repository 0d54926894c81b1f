//! The people of this server: accounts, sessions, devices, and what belongs to them.
//!
//! [`Users`] is the handle; each file adds its calls to it.
//!
//! - `accounts/`: making an account (`create`), passwords, registration tokens and the shared secret, application services,
//!   how an account stands (`standing`), ending it (`deactivate`).
//! - `sessions/`: who is behind a token (`authenticate`, asked by every request), logging in (`login`, `jwt`,
//!   `short_tokens`), opening and refreshing sessions, devices, when they were last seen.
//! - `uia`: user-interactive authentication.
//! - `account_data`, `tags`, `direct`, `profiles`, `filters`, `push/` (rules and pushers),
//!   `thread_subscriptions`: what users keep.
//! - `keys/`: end-to-end encryption: keys of devices, cross-signing, key backup. `to_device`: messages to devices.
//! - `permissions`: what the organisation lets an account do, told to its clients.
//! - `presence`: who is online; the only part that lives in memory.
//! - `housekeeping`: what is done now and then.
//!
//! What others must learn of is an entry of the log in the batch that writes it; `delivery` follows. Every change that
//! depends on what was read names it as a precondition and is decided again if it no longer holds (`Users::write`), so that
//! several processes may share a store. Copies in memory are [dropped](cache) by the writer.
//!
//! To add something that users keep: a tree in `orvale_storage::trees::users`, a file with its calls, its removal in
//! `accounts/deactivate.rs` or, if it belongs to a device, in `sessions/devices.rs`.

mod account_data;
mod accounts;
mod cache;
mod clock;
pub mod config;
mod direct;
mod error;
mod filters;
mod housekeeping;
mod keys;
mod permissions;
mod presence;
mod profiles;
mod push;
mod sessions;
mod tags;
#[cfg(test)]
mod testing;
mod thread_subscriptions;
mod to_device;
mod transactions;
mod uia;
mod users;

pub use account_data::{AccountDataEvent, FULLY_READ_TYPE, PUSH_RULES_TYPE};
pub use accounts::{
    AppserviceId, LogoutAllBut, NewAccount, RegistrationTokenInfo, SharedSecretRegistration,
    Standing,
};
pub use clock::Clock;
pub use config::Config;
pub use error::{Error, Result};
pub use keys::{
    BackupInfo, BackupKeys, BackupState, BackupWhich, CROSS_SIGNING_KEYS, ClaimedKeys,
    CrossSigningKeys, DeviceKeysOf, ForeignKeys, Heard, KeyCounts, KeyFailures, KeyUpload,
    NewDehydratedDevice, SignedKeys, VisibleKeys,
};
pub use permissions::PERMISSIONS_TYPE;
pub use presence::{Presence, PresenceHub};
pub use profiles::ProfileChange;
pub use push::StoredPusher;
pub use sessions::{DeviceInfo, JwtLogin, NewSession, NewShortToken, Session};
pub use tags::Tags;
pub use thread_subscriptions::ThreadSubscriptionChange;
pub use to_device::Messages;
pub use uia::{Completed, JWT_STAGE, Operation};
pub use users::Users;
