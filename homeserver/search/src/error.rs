//! What can go wrong with searching.

/// The result of a search.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why searching failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// What was asked for makes no sense.
    #[error("{0}")]
    InvalidParam(String),
    /// The index is being closed.
    #[error("the server is stopping")]
    Closed,
    /// The index cannot be read or written.
    #[error("the search index: {0}")]
    Index(#[from] tantivy::TantivyError),
    /// The index is so broken that reading it panicked.
    #[error("the search index is broken and is being made anew")]
    Panicked,
    /// Its directory cannot be used.
    #[error("the directory of the search index: {0}")]
    Io(#[from] std::io::Error),
    /// From rooms.
    #[error(transparent)]
    Rooms(#[from] orvale_rooms::Error),
    /// From users.
    #[error(transparent)]
    Users(#[from] orvale_users::Error),
    /// From storage.
    #[error(transparent)]
    Storage(#[from] orvale_storage::Error),
}
