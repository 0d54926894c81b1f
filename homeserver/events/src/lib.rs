//! orvale-events
