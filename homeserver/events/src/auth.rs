//! Which state allows an event, and whether it does.
//! <https://spec.matrix.org/v1.19/server-server-api/#authorization-rules>

mod quick;

use std::sync::Arc;

use ruma::{
    EventId, UserId,
    events::{StateEventType, TimelineEventType},
    room_version_rules::AuthorizationRules,
    state_res::{
        auth_types_for_event, check_state_dependent_auth_rules, check_state_independent_auth_rules,
    },
};
use serde_json::value::RawValue as RawJsonValue;

use crate::{Error, Forbidden, Pdu};

pub(crate) use self::quick::Levels;

/// Which state an event's `auth_events` are.
pub fn auth_types(
    kind: &TimelineEventType,
    sender: &UserId,
    state_key: Option<&str>,
    content: &RawJsonValue,
    rules: &AuthorizationRules,
) -> Result<Vec<(StateEventType, String)>, Error> {
    auth_types_for_event(kind, sender, state_key, content, rules).map_err(Error::Format)
}

/// The auth rules, those about the event and its `auth_events` alone and those against a state.
///
/// A new local event is checked once, against the state before it. A foreign one is checked against its `auth_events`, the
/// state before it and the current state: [`check_auth_events`] once, [`check_state`] for each of the three.
pub fn check(
    rules: &AuthorizationRules,
    event: &Pdu,
    auth_events: impl Fn(&EventId) -> Option<Arc<Pdu>>,
    state: impl Fn(&StateEventType, &str) -> Option<Arc<Pdu>>,
) -> Result<(), Forbidden> {
    check_auth_events(rules, event, auth_events)?;
    check_state(rules, event, state)
}

/// The auth rules that look at the event and its `auth_events` alone.
pub fn check_auth_events(
    rules: &AuthorizationRules,
    event: &Pdu,
    auth_events: impl Fn(&EventId) -> Option<Arc<Pdu>>,
) -> Result<(), Forbidden> {
    check_state_independent_auth_rules(rules, event, auth_events)
        .map_err(|reason| Forbidden(sentence(&reason)))
}

/// The auth rules that look at a state of the room.
pub fn check_state(
    rules: &AuthorizationRules,
    event: &Pdu,
    state: impl Fn(&StateEventType, &str) -> Option<Arc<Pdu>>,
) -> Result<(), Forbidden> {
    if quick::clearly_allows(rules, event, &state) {
        return Ok(());
    }
    check_state_dependent_auth_rules(rules, event, state)
        .map_err(|reason| Forbidden(sentence(&reason)))
}

/// A reason as a sentence people read in an error.
fn sentence(reason: &str) -> String {
    let mut characters = reason.chars();
    match characters.next() {
        Some(first) => format!(
            "{}{}.",
            first.to_uppercase(),
            characters.as_str().trim_end_matches('.')
        ),
        None => String::new(),
    }
}

#[cfg(test)]
mod tests;
