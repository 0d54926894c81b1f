//! End-to-end encryption: the keys of devices and users, which the server keeps and hands out and cannot use.
//!
//! - `upload.rs`, `device_keys.rs`, `one_time.rs`, `claim.rs`, `counts.rs`: keys of devices, one-time and fallback keys.
//! - `query.rs`: asking for them. `device_list.rs`: when they changed.
//! - `cross_signing/`: keys of users, and who signed what.
//! - `backup/`: encrypted copies of the keys of rooms.
//! - `dehydrated.rs`: a device that waits on the server for its user to come back.
//! - `signed.rs`: signed JSON objects.
//!
//! - `foreign.rs`: the keys of other servers' users, fetched by who speaks to other servers.

mod backup;
mod claim;
mod counts;
mod cross_signing;
mod dehydrated;
mod device_keys;
mod device_list;
mod foreign;
mod one_time;
mod query;
mod signed;
#[cfg(test)]
mod testing;
mod upload;

pub use backup::{BackupInfo, BackupKeys, BackupState, BackupWhich};
pub use claim::ClaimedKeys;
pub use counts::KeyCounts;
pub use cross_signing::{CrossSigningKeys, KeyFailures, SignedKeys, VisibleKeys};
pub use dehydrated::NewDehydratedDevice;
pub use device_list::CROSS_SIGNING_KEYS;
pub use foreign::{ForeignKeys, Heard};
pub use query::DeviceKeysOf;
pub use upload::KeyUpload;
