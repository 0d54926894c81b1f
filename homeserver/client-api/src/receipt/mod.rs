//! Receipts.

pub(crate) mod create_receipt;
