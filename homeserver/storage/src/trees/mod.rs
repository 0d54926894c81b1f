//! Every tree, by owner. Numbers: system 0x00__, rooms 0x01__, users 0x02__, delivery 0x03__, media 0x04__.
//!
//! Only its owner writes a tree. A tree's number is never used again.

pub mod delivery;
pub mod media;
pub mod rooms;
pub mod system;
pub mod users;
