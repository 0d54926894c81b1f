//! Messages to the device, account data, receipts and typing.

use std::collections::BTreeMap;

use orvale_rooms::{Receipt, Room, receipt_contents};
use orvale_storage::Position;
use ruma::{OwnedUserId, events::receipt::ReceiptType};

use super::{
    answer::{Candidate, Reader, Writer, entry},
    connection::Sent,
    request::{Asked, Scope},
    timeline::Timeline,
};
use crate::{
    Result,
    delivery::Inner,
    sync::json::{List, Object},
};

impl Inner {
    /// What the client says it has of the messages to the device need not be kept.
    pub(super) async fn confirm(&self, reader: &Reader, asked: &mut Asked) -> Result<()> {
        let Some(to_device) = &mut asked.to_device else {
            return Ok(());
        };
        let at = self.follow.read().at;
        // From the future of a server that was set back to an older copy of its data: the client has none of what waits now.
        to_device.since = to_device.since.filter(|since| *since <= at);
        let Some(since) = to_device.since else {
            return Ok(());
        };
        let device = reader.device_id.as_str();
        let waits = {
            let followed = self.follow.read();
            followed
                .session(&reader.user_id)
                .is_some_and(|session| since < session.made || session.to_device(device).is_some())
        };
        if waits {
            self.users
                .acknowledge_to_device(&reader.user_id, &reader.device_id, since)
                .await?;
            self.follow.acknowledged(&reader.user_id, device, since);
        }
        Ok(())
    }
}

impl Writer<'_> {
    /// Writes the messages that wait for the device, and says whether there are any.
    pub(super) fn to_device(&self, any: bool, object: &mut Object<'_>) -> Result<bool> {
        let Some(asked) = &self.asked.to_device else {
            return Ok(false);
        };
        let mut events = List::default();
        let mut next = self.upto;
        if any {
            let after = asked.since.unwrap_or(Position::START);
            let found = self.inner.users.to_device_messages(
                &self.user_id,
                &self.device_id,
                after,
                self.upto,
                asked.limit + 1,
            )?;
            for (at, message) in found.iter().take(asked.limit) {
                let out = events.next();
                out.extend_from_slice(b"{\"content\":");
                out.extend_from_slice(message.content.0.as_bytes());
                out.extend_from_slice(b",\"sender\":");
                serde_json::to_writer(&mut *out, &message.sender).expect("a string");
                out.extend_from_slice(b",\"type\":");
                serde_json::to_writer(&mut *out, &message.kind).expect("a string");
                out.push(b'}');
                if found.len() > asked.limit {
                    next = *at;
                }
            }
            if let Some((last, _)) = found.last() {
                let device = self.device_id.as_str();
                self.inner.follow.given(&self.user_id, device, *last);
            }
        }
        object.object("to_device", |object| {
            events.write(object.key("events"));
            object.value("next_batch", &next.to_string());
            Ok::<_, crate::Error>(())
        })?;
        Ok(!events.is_empty())
    }

    /// Writes account data, global and of rooms, and says whether there is any.
    pub(super) fn account_data(&self, object: &mut Object<'_>) -> Result<bool> {
        let reached = &self.connection.reached;
        let since =
            Some(reached.position).filter(|_| reached.account_data && !self.connection.is_new());
        let mut events = List::default();
        if since.is_none_or(|since| self.news.account_data > since) {
            for data in self.inner.users.list_account_data(&self.user_id, None)? {
                if since.map_or(!data.is_removed, |since| data.at > since) {
                    events.event(&data.kind, &data.content.0);
                }
            }
        }
        let rooms = &self.out.account_data;
        if events.is_empty() && rooms.is_empty() {
            return Ok(false);
        }
        object.object("account_data", |object| {
            events.write(object.key("global"));
            let out = object.key("rooms");
            out.push(b'{');
            out.extend_from_slice(&rooms.0);
            out.push(b'}');
            Ok::<_, crate::Error>(())
        })?;
        Ok(true)
    }

    /// Whether an extension is wanted for a room.
    pub(super) fn wants(scope: Option<&Scope>, candidate: &Candidate, room: &Room) -> bool {
        scope.is_some_and(|scope| {
            scope.takes(candidate.lists, candidate.subscribed, room.id.as_str())
        })
    }

    /// Writes the account data of a room.
    pub(super) fn room_account_data(&mut self, candidate: &Candidate, room: &Room) -> Result<()> {
        let had = candidate.sent.filter(|sent| sent.has(Sent::ACCOUNT_DATA));
        let since = had.map(|sent| sent.upto);
        if since.is_some_and(|since| candidate.standing.account_data <= since) {
            return Ok(());
        }
        let mut events = List::default();
        let users = &self.inner.users;
        for data in users.list_account_data(&self.user_id, Some(room.number))? {
            if since.map_or(!data.is_removed, |since| data.at > since) {
                events.event(&data.kind, &data.content.0);
            }
        }
        if !events.is_empty() {
            events.write(entry(&mut self.out.account_data, room.id.as_str()));
        }
        Ok(())
    }

    /// The receipts of a room that the client does not know: all that changed; of a room that is new to it, those at the events
    /// it is shown, and the user's own.
    pub(super) fn new_receipts(
        &self,
        candidate: &Candidate,
        room: &Room,
        since: Option<Position>,
        timeline: &Timeline,
    ) -> Result<Vec<Receipt>> {
        let rooms = &self.inner.rooms;
        match since {
            Some(since) if candidate.standing.receipts <= since => Ok(Vec::new()),
            Some(since) => Ok(rooms.receipts_since(room, &self.user_id, since, self.upto)?),
            None => {
                let mut receipts = rooms.receipts(room, &self.user_id)?;
                let shown = |receipt: &Receipt| {
                    let mut events = timeline.events.iter();
                    events.any(|event| *event.event_id() == *receipt.event_id)
                };
                receipts.retain(|receipt| {
                    receipt.at <= self.upto && (receipt.user_id == self.user_id || shown(receipt))
                });
                Ok(receipts)
            }
        }
    }

    /// Writes receipts as one event. There is place for one of each user and kind at an event: one that covers all threads
    /// goes before one that covers a single one.
    pub(super) fn write_receipts(&mut self, room: &Room, receipts: &[Receipt]) {
        let mut chosen: BTreeMap<(&str, &OwnedUserId, &ReceiptType), &Receipt> = BTreeMap::new();
        for receipt in receipts {
            if self.ignored.contains(&receipt.user_id) {
                continue;
            }
            let key = (receipt.event_id.as_str(), &receipt.user_id, &receipt.kind);
            let place = chosen.entry(key).or_insert(receipt);
            if receipt.thread.is_none() {
                *place = receipt;
            }
        }
        for content in receipt_contents(chosen.into_values()) {
            let out = entry(&mut self.out.receipts, room.id.as_str());
            write_event(out, "m.receipt", &content);
        }
    }

    /// Writes who types in a room.
    pub(super) fn write_typing(&mut self, candidate: &Candidate, room: &Room) {
        let typing = self.inner.rooms.typing().list(room.number);
        let is_known = candidate.sent.is_some_and(|sent| sent.has(Sent::JOINED));
        // A client that does not know the room knows of nobody who types there.
        if candidate.typing || !typing.is_empty() && !is_known {
            let shown = |user_id: &&OwnedUserId| !self.ignored.contains(*user_id);
            let typing: Vec<_> = typing.iter().filter(shown).collect();
            let content = serde_json::json!({ "user_ids": typing }).to_string();
            let out = entry(&mut self.out.typing, room.id.as_str());
            write_event(out, "m.typing", &content);
        }
    }
}

fn write_event(out: &mut Vec<u8>, kind: &str, content: &str) {
    out.extend_from_slice(format!("{{\"content\":{content},\"type\":\"{kind}\"}}").as_bytes());
}
