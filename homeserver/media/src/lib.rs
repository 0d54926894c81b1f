//! orvale-media
