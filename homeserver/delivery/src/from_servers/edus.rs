//! EDUs of other servers.
//!
//! <https://spec.matrix.org/latest/server-server-api/#edus>

use std::collections::BTreeMap;

use orvale_users::{Heard, Presence};
use ruma::{
    ServerName, UserId,
    api::federation::transactions::edu::{
        DeviceListUpdateContent, DirectDeviceContent, Edu, PresenceContent, ReceiptContent,
        SigningKeyUpdateContent, TypingContent,
    },
    events::receipt::ReceiptThread,
    serde::Raw,
};

use crate::{Delivery, Result};

/// How many users an EDU says something of; of more, the rest is passed over.
const MOST_USERS: usize = 1_000;
/// How many devices an EDU has messages for.
const MOST_DEVICES: usize = 10_000;

impl Delivery {
    /// Takes in an EDU. What is malformed, or not its server's to say, changes nothing.
    ///
    /// # Errors
    /// Storage's.
    pub async fn hear_edu(&self, origin: &ServerName, edu: &Raw<Edu>) -> Result<()> {
        let edu = match edu.deserialize() {
            Ok(edu) => edu,
            Err(error) => {
                tracing::debug!(%error, server_name = %origin, "an EDU is malformed");
                return Ok(());
            }
        };
        match edu {
            Edu::Presence(content) => self.hear_presence(origin, content),
            Edu::Receipt(content) => self.hear_receipts(origin, content).await,
            Edu::Typing(content) => self.hear_typing(origin, &content),
            Edu::DeviceListUpdate(content) => self.hear_device_update(origin, &content).await,
            Edu::SigningKeyUpdate(content) => self.hear_signing_keys(origin, &content).await,
            Edu::DirectToDevice(content) => self.hear_to_device(origin, content).await,
            _ => Ok(()),
        }
    }

    fn hear_presence(&self, origin: &ServerName, content: PresenceContent) -> Result<()> {
        let inner = &self.inner;
        for update in content.push.into_iter().take(MOST_USERS) {
            let user_id = &*update.user_id;
            if user_id.server_name() != origin || !inner.rooms.shares_a_room(user_id)? {
                continue;
            }
            let presence = Presence {
                presence: update.presence,
                status_msg: update.status_msg,
                last_active_ago: Some(update.last_active_ago.into()),
                currently_active: update.currently_active,
            };
            inner.users.presence().hear(user_id, &presence);
        }
        Ok(())
    }

    async fn hear_receipts(&self, origin: &ServerName, content: ReceiptContent) -> Result<()> {
        let mut left = MOST_USERS;
        for (room_id, receipts) in content.receipts {
            for (user_id, receipt) in receipts.read {
                if left == 0 {
                    return Ok(());
                }
                left -= 1;
                let Some(event_id) = receipt.event_ids.last() else {
                    continue;
                };
                let thread: &ReceiptThread = &receipt.data.thread;
                let now = u64::from(self.inner.rooms.now().get());
                // Nobody has read in the future.
                let at = receipt
                    .data
                    .ts
                    .map_or(now, |ts| u64::from(ts.get()).min(now));
                self.inner
                    .rooms
                    .hear_receipt(origin, &user_id, &room_id, event_id, thread, at)
                    .await?;
            }
        }
        Ok(())
    }

    fn hear_typing(&self, origin: &ServerName, content: &TypingContent) -> Result<()> {
        let TypingContent {
            room_id,
            user_id,
            typing,
            ..
        } = content;
        Ok(self
            .inner
            .rooms
            .hear_typing(origin, user_id, room_id, *typing)?)
    }

    async fn hear_device_update(
        &self,
        origin: &ServerName,
        update: &DeviceListUpdateContent,
    ) -> Result<()> {
        let user_id = &*update.user_id;
        if !self.is_of_concern(origin, user_id).await? {
            return Ok(());
        }
        match self.inner.users.hear_device_update(update).await? {
            Heard::Kept => {}
            // A client may know them from before.
            Heard::NotFollowed => self.inner.users.foreign_keys_may_differ(user_id).await?,
            Heard::Missed => self.fetch_devices(user_id),
        }
        Ok(())
    }

    async fn hear_signing_keys(
        &self,
        origin: &ServerName,
        update: &SigningKeyUpdateContent,
    ) -> Result<()> {
        let user_id = &*update.user_id;
        if self.is_of_concern(origin, user_id).await?
            && self.inner.users.hear_signing_keys(update).await? == Heard::NotFollowed
        {
            self.inner.users.foreign_keys_may_differ(user_id).await?;
        }
        Ok(())
    }

    async fn hear_to_device(
        &self,
        origin: &ServerName,
        message: DirectDeviceContent,
    ) -> Result<()> {
        let devices: usize = message.messages.values().map(BTreeMap::len).sum();
        if message.sender.server_name() != origin || devices > MOST_DEVICES {
            return Ok(());
        }
        let kind = message.ev_type.to_string();
        let heard = self
            .inner
            .users
            .receive_to_device(
                &message.sender,
                &message.message_id,
                &kind,
                &message.messages,
            )
            .await;
        match heard {
            Err(orvale_users::Error::BadJson(_)) => Ok(()),
            heard => Ok(heard?),
        }
    }

    /// Whether a server says something of a user of its own with whom somebody here shares a room. Who shares none is followed no more.
    async fn is_of_concern(&self, origin: &ServerName, user_id: &UserId) -> Result<bool> {
        if user_id.server_name() != origin {
            return Ok(false);
        }
        if self.inner.rooms.shares_a_room(user_id)? {
            return Ok(true);
        }
        self.inner.users.unfollow(user_id).await?;
        Ok(false)
    }
}
