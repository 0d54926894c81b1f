//! The limits of an event's format.
//! <https://spec.matrix.org/v1.19/client-server-api/#size-limits>

/// The greatest size of an event as canonical JSON, signatures included.
pub const MAX_PDU_BYTES: usize = 65_536;

/// The greatest length of `type`, `state_key`, `sender` and `room_id`.
pub const MAX_FIELD_BYTES: usize = 255;

/// The most `prev_events` an event may have.
pub const MAX_PREV_EVENTS: usize = 20;

/// The most `auth_events` an event may have.
pub const MAX_AUTH_EVENTS: usize = 10;

/// The greatest `depth`: the greatest integer canonical JSON can say.
pub const MAX_DEPTH_VALUE: u64 = (1 << 53) - 1;
