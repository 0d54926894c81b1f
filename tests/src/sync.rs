//! One answer to `/sync`.

use serde_json::Value;

/// One answer to `/sync`, with short ways to what tests ask for.
#[derive(Debug, Clone)]
pub struct Sync(pub Value);

impl Sync {
    /// The token for the next one.
    ///
    /// # Panics
    /// If there is none.
    #[must_use]
    pub fn next_batch(&self) -> &str {
        self.0["next_batch"]
            .as_str()
            .expect("every sync has next_batch")
    }

    /// The section of a room that the user has joined; null if it is not there.
    #[must_use]
    pub fn joined(&self, room: &str) -> &Value {
        &self.0["rooms"]["join"][room]
    }

    /// The section of a room that the user is invited to; null if it is not there.
    #[must_use]
    pub fn invited(&self, room: &str) -> &Value {
        &self.0["rooms"]["invite"][room]
    }

    /// The section of a room that the user has left; null if it is not there.
    #[must_use]
    pub fn left(&self, room: &str) -> &Value {
        &self.0["rooms"]["leave"][room]
    }

    /// The timeline of a joined room.
    #[must_use]
    pub fn timeline(&self, room: &str) -> &[Value] {
        events(&self.joined(room)["timeline"])
    }

    /// The state of a joined room.
    #[must_use]
    pub fn state(&self, room: &str) -> &[Value] {
        events(&self.joined(room)["state"])
    }

    /// Receipts and typing of a joined room.
    #[must_use]
    pub fn ephemeral(&self, room: &str) -> &[Value] {
        events(&self.joined(room)["ephemeral"])
    }

    /// An event in the timeline of a joined room.
    #[must_use]
    pub fn event(&self, room: &str, event_id: &str) -> Option<&Value> {
        self.timeline(room)
            .iter()
            .find(|event| event["event_id"] == event_id)
    }

    /// Whether an event is in the timeline of a joined room.
    #[must_use]
    pub fn has_event(&self, room: &str, event_id: &str) -> bool {
        self.event(room, event_id).is_some()
    }

    /// Whether a message of this text is in the timeline of a joined room.
    #[must_use]
    pub fn has_text(&self, room: &str, text: &str) -> bool {
        self.timeline(room)
            .iter()
            .any(|event| event["content"]["body"] == text)
    }

    /// Who is typing in a room, if this sync says so.
    #[must_use]
    pub fn typing(&self, room: &str) -> Option<Vec<&str>> {
        let event = self
            .ephemeral(room)
            .iter()
            .find(|event| event["type"] == "m.typing")?;
        let users = event["content"]["user_ids"].as_array()?;
        Some(users.iter().filter_map(Value::as_str).collect())
    }

    /// Global account data of a type, if this sync has it.
    #[must_use]
    pub fn account_data(&self, kind: &str) -> Option<&Value> {
        events(&self.0["account_data"])
            .iter()
            .find(|event| event["type"] == kind)
    }
}

fn events(section: &Value) -> &[Value] {
    section["events"].as_array().map_or(&[], Vec::as_slice)
}
