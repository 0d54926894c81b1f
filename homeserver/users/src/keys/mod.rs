//! End-to-end encryption: the keys of devices, which the server keeps and hands out and cannot use.

mod claim;
mod counts;
mod query;
#[cfg(test)]
mod testing;
mod upload;

pub use claim::ClaimedKeys;
pub use counts::KeyCounts;
pub use query::DeviceKeysOf;
pub use upload::KeyUpload;
