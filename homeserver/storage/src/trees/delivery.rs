//! Trees of `delivery`.
