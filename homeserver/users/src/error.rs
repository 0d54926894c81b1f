//! What can go wrong with accounts.

use ruma::{OwnedUserId, api::client::uiaa::UiaaInfo};

/// The result of a call about accounts.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a call about accounts failed. Each message is a sentence for the person at the client.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Error {
    /// Storage failed.
    #[error(transparent)]
    Storage(#[from] orvale_storage::Error),
    /// Something is wrong inside; the text is for the log.
    #[error("internal error: {0}")]
    Internal(String),
    /// A setting is impossible.
    #[error("{key}: {reason}")]
    Config {
        /// The setting.
        key: &'static str,
        /// What is wrong with it.
        reason: String,
    },

    /// The user is not one of this server's.
    #[error("{0} is not a user of this server")]
    NotLocal(OwnedUserId),
    /// There is no such account.
    #[error("there is no such user")]
    NoSuchUser,
    /// The user has no such device.
    #[error("you have no device with this ID")]
    NoSuchDevice,
    /// What was asked for is not there.
    #[error("there is no such {0}")]
    NotFound(&'static str),
    /// The caller may not do this; the text says why.
    #[error("{0}")]
    Forbidden(&'static str),
    /// A parameter has an impossible value; the text says which and why.
    #[error("{0}")]
    InvalidParam(String),
    /// JSON of the wrong shape; the text says where.
    #[error("{0}")]
    BadJson(String),
    /// A parameter is missing.
    #[error("{0} is missing")]
    MissingParam(&'static str),
    /// A signature is missing or wrong; the text says which.
    #[error("{0}")]
    InvalidSignature(String),
    /// Other cross-signing keys than those that are there: their user has to prove who they are first.
    #[error("you have cross-signing keys already; to replace them, confirm that it is you")]
    ProofNeeded,
    /// Keys are written to the current version of a backup alone.
    #[error("this is not the current version of your key backup")]
    WrongBackupVersion {
        /// The current version.
        current: String,
    },
    /// More or larger than a user may keep; the text says what.
    #[error("{0}")]
    TooLarge(String),

    /// The localpart is taken.
    #[error("this user ID is already taken")]
    UserInUse,
    /// The localpart is not well formed; the text says why.
    #[error("{0}")]
    InvalidUsername(&'static str),
    /// The localpart belongs to an application service, or not to the one that asks.
    #[error("this user ID belongs to an application service")]
    Exclusive,
    /// Registration is closed.
    #[error("registration is closed on this server; ask its administrators for an account")]
    RegistrationClosed,
    /// Guests are not welcome.
    #[error("this server does not admit guests")]
    GuestsRefused,
    /// A guest may not do this.
    #[error("guests may not do this; register an account first")]
    GuestForbidden,
    /// The new password is too weak.
    #[error("a password needs at least {min_length} characters")]
    WeakPassword {
        /// How long it must be.
        min_length: usize,
    },

    /// Name, password or token do not fit. Says no more: whoever guesses must not learn whether the account exists.
    #[error("{0}")]
    LoginRefused(&'static str),
    /// The account is deactivated.
    #[error("this account has been deactivated")]
    Deactivated,
    /// The account is locked.
    #[error("this account has been locked by the server's administrators")]
    Locked,
    /// The account is suspended.
    #[error("this account has been suspended: it can read, but not act")]
    Suspended,
    /// The access or refresh token is unknown.
    #[error("this token is unknown or was logged out")]
    UnknownToken,
    /// The token has expired; the session lives on.
    #[error("this token has expired; refresh it or log in again with the same device")]
    TokenExpired,

    /// More authentication is needed (or this one failed): the answer's body.
    #[error("more authentication is needed")]
    Uia(Box<UiaaInfo>),

    /// The key of a profile field is too long.
    #[error("the name of a profile field has at most 255 bytes")]
    ProfileKeyTooLarge,
    /// The profile would be too large.
    #[error("a profile has at most 64 KiB")]
    ProfileTooLarge,

    /// A client wants a thread to be followed for something that is older than its user's word not to.
    #[error("you stopped following this thread since")]
    ConflictingUnsubscription,

    /// This type of account data is managed by the server.
    #[error("{0} cannot be set as account data; it has its own endpoints")]
    ManagedAccountData(String),
}

impl Error {
    /// Whether this was an attempt with wrong credentials, to be counted by whoever limits attempts.
    #[must_use]
    pub fn is_failed_attempt(&self) -> bool {
        match self {
            Self::LoginRefused(_) | Self::UnknownToken => true,
            Self::Uia(info) => info.auth_error.is_some(),
            _ => false,
        }
    }
}
