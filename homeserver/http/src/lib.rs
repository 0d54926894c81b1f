//! orvale-http
