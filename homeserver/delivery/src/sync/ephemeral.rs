//! Account data, and what passes: typing and receipts.

use orvale_rooms::{Receipt, Room, receipt_contents};
use orvale_storage::Position;
use ruma::UserId;

use super::{
    answer::{RoomNews, Writer},
    json::List,
};
use crate::{Result, follow::Standing};

impl Writer<'_> {
    /// The receipts of a room since the client's token.
    pub(super) fn receipts(
        &self,
        room: &Room,
        news: &RoomNews,
        since: Option<Position>,
    ) -> Result<Vec<Receipt>> {
        let rooms = &self.inner.rooms;
        let user_id: &UserId = &self.asked.user_id;
        Ok(match since {
            None => rooms.receipts(room, user_id)?,
            Some(since) if news.standing.receipts <= since => Vec::new(),
            Some(since) => {
                rooms.receipts_since(room, user_id, since, self.news.reached.position)?
            }
        })
    }

    /// The ephemeral events of a room.
    pub(super) fn ephemeral(
        &self,
        room: &Room,
        news: &RoomNews,
        receipts: &[Receipt],
        since: Option<Position>,
    ) -> Result<List> {
        let filter = &self.asked.filter.ephemeral;
        let mut events = List::default();
        if !filter.takes_room(&room.id) {
            return Ok(events);
        }
        if filter.takes_type("m.typing") {
            let typing = self.inner.rooms.typing().list(room.number);
            // A client that does not know the room knows of nobody who types there.
            if news.typing && since.is_some() || !typing.is_empty() && since.is_none() {
                let shown = |user_id: &&ruma::OwnedUserId| {
                    !self.ignored.contains(*user_id) && filter.takes_sender(user_id)
                };
                let typing: Vec<_> = typing.iter().filter(shown).collect();
                events.event(
                    "m.typing",
                    &serde_json::json!({ "user_ids": typing }).to_string(),
                );
            }
        }
        if filter.takes_type("m.receipt") {
            let shown = |receipt: &&Receipt| {
                !self.ignored.contains(&receipt.user_id) && filter.takes_sender(&receipt.user_id)
            };
            for content in receipt_contents(receipts.iter().filter(shown)) {
                events.event("m.receipt", &content);
            }
        }
        Ok(events)
    }

    /// The user's account data for a room.
    pub(super) fn room_account_data(
        &self,
        room: &Room,
        standing: &Standing,
        since: Option<Position>,
    ) -> Result<List> {
        let filter = &self.asked.filter.room_account_data;
        let mut events = List::default();
        if since.is_some_and(|since| standing.account_data <= since) || !filter.takes_room(&room.id)
        {
            return Ok(events);
        }
        for data in self
            .inner
            .users
            .list_account_data(&self.asked.user_id, Some(room.number))?
        {
            if since.map_or(!data.is_removed, |since| data.at > since)
                && filter.takes_type(&data.kind)
            {
                events.event(&data.kind, &data.content.0);
            }
        }
        Ok(events)
    }

    /// The user's account data for all rooms.
    pub(super) fn account_data(&self) -> Result<List> {
        let filter = &self.asked.filter.account_data;
        let mut events = List::default();
        let user_id: &UserId = &self.asked.user_id;
        if filter.takes_nothing() || !filter.takes_sender(user_id) {
            return Ok(events);
        }
        for data in self.inner.users.list_account_data(user_id, None)? {
            if self.since.map_or(!data.is_removed, |since| data.at > since)
                && filter.takes_type(&data.kind)
            {
                events.event(&data.kind, &data.content.0);
            }
        }
        Ok(events)
    }
}
