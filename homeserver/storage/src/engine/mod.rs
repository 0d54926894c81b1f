//! What holds the trees for readers: ordered bytes, fed by the committer alone.

pub(crate) mod memory;
