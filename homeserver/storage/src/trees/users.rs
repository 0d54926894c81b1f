//! Trees of `users`.
