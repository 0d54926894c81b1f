//! orvale-delivery
