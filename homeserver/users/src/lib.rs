//! orvale-users
