//! What the contents of events say that rooms go by.

use orvale_events::Pdu;
use orvale_storage::trees::rooms::Membership;
use ruma::OwnedEventId;
use serde::Deserialize;
use serde_json::value::RawValue;

/// Whether two contents say the same.
pub(crate) fn same_content(a: &RawValue, b: &RawValue) -> bool {
    let parse = |json: &RawValue| serde_json::from_str::<serde_json::Value>(json.get()).ok();
    a.get() == b.get() || parse(a).is_some_and(|a| Some(a) == parse(b))
}

/// The membership that an `m.room.member` event gives.
#[must_use]
pub fn membership(pdu: &Pdu) -> Option<Membership> {
    #[derive(Deserialize)]
    struct Content<'a> {
        #[serde(borrow)]
        membership: std::borrow::Cow<'a, str>,
    }
    let content: Content<'_> = serde_json::from_str(pdu.content.get()).ok()?;
    Some(match &*content.membership {
        "invite" => Membership::Invite,
        "join" => Membership::Join,
        "knock" => Membership::Knock,
        "leave" => Membership::Leave,
        "ban" => Membership::Ban,
        _ => return None,
    })
}

/// The parent, `rel_type` and key that an event's content names.
pub(crate) fn relation(pdu: &Pdu) -> Option<(OwnedEventId, String, String)> {
    match &pdu.state_key {
        Some(_) => None,
        None => relation_in(&pdu.content),
    }
}

/// As [`relation`], of a content that is no event yet.
pub(crate) fn relation_in(content: &RawValue) -> Option<(OwnedEventId, String, String)> {
    #[derive(Deserialize)]
    struct Content {
        #[serde(rename = "m.relates_to")]
        relates_to: RelatesTo,
    }
    #[derive(Deserialize)]
    struct RelatesTo {
        event_id: OwnedEventId,
        rel_type: String,
        #[serde(default)]
        key: String,
    }
    if !content.get().contains("m.relates_to") {
        return None;
    }
    let RelatesTo {
        event_id,
        rel_type,
        key,
    } = serde_json::from_str::<Content>(content.get())
        .ok()?
        .relates_to;
    Some((event_id, rel_type, key))
}
