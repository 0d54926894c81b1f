//! orvale-client-api
