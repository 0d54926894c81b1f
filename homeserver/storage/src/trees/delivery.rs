//! Trees of `delivery`.

use crate::tree::Described;

/// Every tree here.
pub(crate) const TREES: &[&dyn Described] = &[];
