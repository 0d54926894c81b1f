//! orvale-tests
