//! Key backup: encrypted copies of the sessions with which a user's devices decrypt rooms.
//!
//! <https://spec.matrix.org/latest/client-server-api/#server-side-key-backups>
//!
//! - `versions.rs`: backups, of which the newest is the one that is written to.
//! - `sessions.rs`: what is in them.
//!
//! Nobody but the client that asks has to learn of a change, so none is in the log. Whatever changes the sessions of a
//! version names its record as a precondition and changes it, so that count and etag are always those of what is there.

mod sessions;
#[cfg(test)]
mod tests;
mod versions;

pub use sessions::{BackupKeys, BackupState, BackupWhich};
pub use versions::BackupInfo;
