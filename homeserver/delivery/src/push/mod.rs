//! Push rules: what an event means to its reader.

pub(crate) mod glob;
