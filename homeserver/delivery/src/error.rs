//! What can go wrong with delivering news.

/// The result of a call to delivery.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a call to delivery failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The `since` token is none of ours.
    #[error("{0:?} is not a sync token of this server; start without one")]
    InvalidToken(String),
    /// The `since` token is from later than now: the server was set back to an older copy of its data.
    #[error("this sync token is from the future of this server; start without one")]
    FutureToken,
    /// The `pos` token is none of this connection's, or the connection is forgotten.
    #[error("this pos is not, or no longer, known here; start again without one")]
    UnknownPos,
    /// The filter is no filter; the text says why.
    #[error("{0}")]
    InvalidFilter(String),
    /// There is no such filter.
    #[error("you have no filter with this ID")]
    UnknownFilter,
    /// A parameter has an impossible value; the text says which and why.
    #[error("{0}")]
    InvalidParam(String),
    /// A setting is impossible.
    #[error("{key}: {reason}")]
    Config {
        /// The setting.
        key: &'static str,
        /// What is wrong with it.
        reason: String,
    },
    /// The session ended while its request waited.
    #[error("this session was logged out")]
    SessionEnded,
    /// The server is shutting down.
    #[error("the server is shutting down")]
    Closed,
    /// Rooms failed.
    #[error(transparent)]
    Rooms(#[from] orvale_rooms::Error),
    /// Accounts failed.
    #[error(transparent)]
    Users(#[from] orvale_users::Error),
    /// Storage failed.
    #[error(transparent)]
    Storage(#[from] orvale_storage::Error),
}
