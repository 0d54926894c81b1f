//! Trees of `media`.
