//! Who is typing.

pub(crate) mod create_typing_event;
