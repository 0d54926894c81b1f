//! GIFs of a service that this server asks for its people, if its settings name one.

pub(crate) mod get_gif;
pub(crate) mod keep_gif;
pub(crate) mod search_gifs;
