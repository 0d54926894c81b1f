//! orvale-admin-api
