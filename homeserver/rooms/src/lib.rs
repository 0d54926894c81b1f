//! orvale-rooms
