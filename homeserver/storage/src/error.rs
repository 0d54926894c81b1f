//! What can go wrong with storage.

/// The result of a storage call.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a storage call failed.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Error {
    /// A precondition of the batch did not hold; nothing of it was written.
    #[error("a precondition on tree {tree} did not hold")]
    Conflict {
        /// The tree whose entry was not as expected.
        tree: &'static str,
    },
    /// Stored bytes are not what the tree's declaration says.
    #[error("tree {tree} holds a malformed entry: {reason}")]
    Corrupt {
        /// The tree.
        tree: &'static str,
        /// What is wrong with the entry.
        reason: String,
    },
    /// A file of the store or of a backup is not what was written there, or does not belong there.
    #[error("{file}: {reason}")]
    Damaged {
        /// The file or directory.
        file: String,
        /// What is wrong with it.
        reason: String,
    },
    /// Another process has the store open.
    #[error("{0} is in use by another process")]
    InUse(String),
    /// The store was written by a newer program.
    #[error(
        "the store has form {found}, written by a newer program; this one knows forms up to {known}"
    )]
    Newer {
        /// The form of the store.
        found: u64,
        /// The newest form known here.
        known: u64,
    },
    /// The disk refused. Nothing is acknowledged after this until a restart.
    #[error("the disk refused: {0}")]
    Io(String),
    /// Less is free on the disk than [`Config::free_bytes`](crate::Config::free_bytes). Nothing new is begun until there is more.
    #[error("the disk is almost full: nothing more is kept until there is room on it")]
    Full,
    /// The store is shutting down.
    #[error("the store is closed")]
    Closed,
}

impl Error {
    pub(crate) fn damaged(file: impl Into<String>, reason: impl Into<String>) -> Self {
        Self::Damaged {
            file: file.into(),
            reason: reason.into(),
        }
    }
}

impl From<std::io::Error> for Error {
    fn from(error: std::io::Error) -> Self {
        Self::Io(error.to_string())
    }
}
