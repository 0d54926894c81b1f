//! The `orvale` binary.
fn main() {}
