//! What can go wrong with a request to another server.

use std::time::Duration;

use http::StatusCode;

/// How long a server is left alone that does not say how long it wants to be.
const PAUSE: Duration = Duration::from_secs(1);

/// The result of asking another server.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why there is no answer to go on with.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The server answered, with a Matrix error.
    #[error("{0}")]
    Matrix(Box<Answered>),
    /// The server was not reached: no address, no connection, no time, or a failure of what stands before it.
    #[error("The server cannot be reached: {0}.")]
    NotReached(String),
    /// The server answered, but what it answered cannot be used.
    #[error("The server's answer cannot be used: {0}.")]
    BadAnswer(String),
    /// The answer is larger than is taken.
    #[error("The server's answer is larger than {0} bytes.")]
    TooLarge(usize),
    /// The request itself could not be made, which is a fault of ours.
    #[error("The request cannot be made: {0}.")]
    Request(String),
    /// Federation is switched off, or the server is this one.
    #[error("Requests to {0} are not made.")]
    NotAllowed(String),
    /// A setting cannot be used.
    #[error("{key}: {reason}")]
    Config {
        /// The setting.
        key: &'static str,
        /// Why.
        reason: String,
    },
    /// The store.
    #[error(transparent)]
    Storage(#[from] orvale_storage::Error),
}

/// A Matrix error that another server answered.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{} {errcode}: {message}", status.as_u16())]
pub struct Answered {
    /// The HTTP status.
    pub status: StatusCode,
    /// `M_…`; empty where the answer had none.
    pub errcode: String,
    /// Its sentence.
    pub message: String,
    /// When to come back, for `M_LIMIT_EXCEEDED`.
    pub retry_after: Option<Duration>,
    /// The room version that the asking server should have known, for `M_INCOMPATIBLE_ROOM_VERSION`.
    pub room_version: Option<String>,
}

impl Error {
    /// Whether the server answered, so that asking again will hardly change a thing.
    #[must_use]
    pub fn is_answer(&self) -> bool {
        self.answered().is_some() && self.wants_pause().is_none()
    }

    /// For how long the server wants to be left alone, if that is its answer.
    #[must_use]
    pub fn wants_pause(&self) -> Option<Duration> {
        let answered = self.answered()?;
        let is_limited = answered.status == StatusCode::TOO_MANY_REQUESTS;
        is_limited.then(|| answered.retry_after.unwrap_or(PAUSE))
    }

    /// The Matrix error that the server answered, if it did.
    #[must_use]
    pub fn answered(&self) -> Option<&Answered> {
        match self {
            Self::Matrix(answered) => Some(answered),
            _ => None,
        }
    }

    /// Whether the server does not know the endpoint, so that an older one may be tried.
    #[must_use]
    pub fn is_unrecognised(&self) -> bool {
        self.answered().is_some_and(|answered| {
            matches!(answered.status.as_u16(), 404 | 405)
                && matches!(answered.errcode.as_str(), "" | "M_UNRECOGNIZED")
                || answered.status == StatusCode::BAD_REQUEST
                    && answered.errcode == "M_UNRECOGNIZED"
        })
    }
}

/// An error with all its causes, in one line.
pub(crate) fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !text.ends_with(&cause_text) {
            text.push_str(": ");
            text.push_str(&cause_text);
        }
        source = cause.source();
    }
    text
}
