//! The follower that tells push gateways.
