//! How people write.

use anyhow::{Context, Result};
use orvale_rooms::{Message, Txn};
use ruma::{EventId, OwnedEventId, RoomId, UserId};
use serde_json::{Value, json, value::to_raw_value};

use super::{Demo, JOINED, ago};

impl Demo<'_> {
    pub(super) async fn say(
        &self,
        who: usize,
        room: &RoomId,
        minutes_ago: u64,
        text: &str,
    ) -> Result<OwnedEventId> {
        self.send(
            who,
            room,
            minutes_ago,
            "m.room.message",
            json!({ "msgtype": "m.text", "body": text }),
        )
        .await
    }

    pub(super) async fn reply(
        &self,
        who: usize,
        room: &RoomId,
        minutes_ago: u64,
        to: &EventId,
        text: &str,
    ) -> Result<()> {
        let relates_to = json!({ "m.in_reply_to": { "event_id": to } });
        self.related(who, room, minutes_ago, text, relates_to).await
    }

    pub(super) async fn thread(
        &self,
        who: usize,
        room: &RoomId,
        minutes_ago: u64,
        root: &EventId,
        text: &str,
    ) -> Result<()> {
        let relates_to = json!({
            "rel_type": "m.thread", "event_id": root, "is_falling_back": true, "m.in_reply_to": { "event_id": root },
        });
        self.related(who, room, minutes_ago, text, relates_to).await
    }

    async fn related(
        &self,
        who: usize,
        room: &RoomId,
        minutes_ago: u64,
        text: &str,
        relates_to: Value,
    ) -> Result<()> {
        let content = json!({ "msgtype": "m.text", "body": text, "m.relates_to": relates_to });
        self.send(who, room, minutes_ago, "m.room.message", content)
            .await?;
        Ok(())
    }

    pub(super) async fn edit(
        &self,
        who: usize,
        room: &RoomId,
        minutes_ago: u64,
        event: &EventId,
        text: &str,
    ) -> Result<()> {
        let content = json!({
            "msgtype": "m.text",
            "body": format!("* {text}"),
            "m.new_content": { "msgtype": "m.text", "body": text },
            "m.relates_to": { "rel_type": "m.replace", "event_id": event },
        });
        self.send(who, room, minutes_ago, "m.room.message", content)
            .await?;
        Ok(())
    }

    pub(super) async fn react(
        &self,
        who: usize,
        room: &RoomId,
        minutes_ago: u64,
        to: &EventId,
        key: &str,
    ) -> Result<()> {
        let content =
            json!({ "m.relates_to": { "rel_type": "m.annotation", "event_id": to, "key": key } });
        self.send(who, room, minutes_ago, "m.reaction", content)
            .await?;
        Ok(())
    }

    async fn send(
        &self,
        who: usize,
        room: &RoomId,
        minutes_ago: u64,
        kind: &str,
        content: Value,
    ) -> Result<OwnedEventId> {
        debug_assert!(minutes_ago < JOINED, "said before anybody was there");
        let sender: &UserId = &self.people[who];
        let n = self.next();
        let message = Message {
            kind: kind.into(),
            content: to_raw_value(&content).context("JSON can be written")?,
            timestamp: Some(ago(minutes_ago)),
        };
        let id = n.to_string();
        Ok(self
            .rooms
            .send(
                sender,
                room,
                message,
                Txn {
                    device: "DEMO",
                    id: &id,
                },
            )
            .await?)
    }
}
