//! What is answered to each error of the crates below: a file for each crate, one `match` without a catch-all in it, so that a new
//! variant does not compile before somebody has decided. What one API says in another way is in its own `error.rs`.

mod delivery;
mod events;
mod federation_client;
mod media;
mod rooms;
mod storage;
mod users;
