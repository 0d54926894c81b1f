//! Reads that take long enough to hold up other tasks of the same thread.

pub(crate) use orvale_http::heavy;
