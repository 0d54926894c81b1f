//! Trees of `rooms`.
