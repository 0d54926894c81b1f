//! Messages to devices: they wait, in order, until the client has acknowledged them by its next sync.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use orvale_storage::{
    Batch, Entry, Position,
    record::JsonText,
    trees::users::{DEVICES, TO_DEVICE, TO_DEVICE_ELSEWHERE, ToDeviceMessage},
};
use ruma::{
    DeviceId, OwnedDeviceId, OwnedServerName, OwnedUserId, TransactionId, UserId,
    api::client::to_device::send_event_to_device, to_device::DeviceIdOrAllDevices,
};
use serde_json::json;

use crate::{Error, Result, Users};

/// Messages by user and device.
pub type Messages = send_event_to_device::v3::Messages;

struct Addressed {
    user_id: OwnedUserId,
    device_id: OwnedDeviceId,
    content: JsonText,
}

impl Users {
    /// Sends messages of one type to devices, each server's own in one piece. With a device and transaction of the sender, sending again
    /// does nothing.
    ///
    /// # Errors
    /// [`Error::BadJson`]; storage.
    pub async fn send_to_device(
        &self,
        sender: &UserId,
        transaction: Option<(&DeviceId, &TransactionId)>,
        kind: &str,
        messages: &Messages,
    ) -> Result<()> {
        let elsewhere = self.elsewhere(sender, kind, messages)?;
        let transaction = match transaction {
            Some((device_id, id)) => {
                let transaction = format!("sendToDevice {kind} {id}");
                Some((self.localpart(sender)?, device_id.as_str(), transaction))
            }
            None => None,
        };
        self.give_to_devices(sender, transaction, kind, messages, &elsewhere)
            .await
    }

    /// Messages of one type from another server's user. The same message ID again does nothing.
    ///
    /// # Errors
    /// As [`Users::send_to_device`].
    pub async fn receive_to_device(
        &self,
        sender: &UserId,
        message_id: &TransactionId,
        kind: &str,
        messages: &Messages,
    ) -> Result<()> {
        let transaction = (sender.as_str(), "", format!("sendToDevice {message_id}"));
        self.give_to_devices(sender, Some(transaction), kind, messages, &[])
            .await
    }

    /// Gives messages to devices of this server, and those for others to who sends them on.
    async fn give_to_devices(
        &self,
        sender: &UserId,
        transaction: Option<(&str, &str, String)>,
        kind: &str,
        messages: &Messages,
        elsewhere: &[(OwnedServerName, JsonText)],
    ) -> Result<()> {
        let addressed = self.addressed(messages)?;
        let entries = addressed.len() + elsewhere.len();
        self.write_at(entries as u64, |places| {
            let mut batch = Batch::new();
            if let Some((who, device_id, transaction)) = &transaction
                && !self.begin_transaction(who, device_id, transaction, &mut batch)?
            {
                return Ok((Batch::new(), ()));
            }
            for (
                n,
                Addressed {
                    user_id,
                    device_id,
                    content,
                },
            ) in addressed.iter().enumerate()
            {
                let message = ToDeviceMessage {
                    sender: sender.to_string(),
                    kind: kind.to_owned(),
                    content: content.clone(),
                };
                batch.put(
                    &TO_DEVICE,
                    (user_id.localpart(), device_id, places.at(n as u64)),
                    &message,
                );
                batch.log(Entry::ToDevice {
                    user_id: user_id.to_string(),
                    device_id: device_id.to_string(),
                });
            }
            for (server, content) in elsewhere {
                let at = places.at(batch.entries());
                batch.put(&TO_DEVICE_ELSEWHERE, (at,), content);
                batch.log(Entry::ToDeviceElsewhere {
                    server: server.to_string(),
                });
            }
            Ok((batch, ()))
        })
        .await?;
        for Addressed {
            user_id, device_id, ..
        } in &addressed
        {
            self.waiting(user_id, device_id)?
                .fetch_add(1, Ordering::Relaxed);
        }
        Ok(())
    }

    /// The messages that wait for a device after one position, up to another; at most `limit`, in order.
    ///
    /// # Errors
    /// Storage; [`Error::NotLocal`].
    pub fn to_device_messages(
        &self,
        user_id: &UserId,
        device_id: &DeviceId,
        after: Position,
        up_to: Position,
        limit: usize,
    ) -> Result<Vec<(Position, ToDeviceMessage)>> {
        let localpart = self.localpart(user_id)?;
        let (from, to) = (
            (localpart, device_id, after.next()),
            (localpart, device_id, up_to.next()),
        );
        let found = self.store().range(&TO_DEVICE, from, to, false, limit)?;
        Ok(found
            .into_iter()
            .map(|((_, _, at), message)| (at, message))
            .collect())
    }

    /// Removes the messages to a device up to a position that its client has acknowledged.
    ///
    /// # Errors
    /// Storage; [`Error::NotLocal`].
    pub async fn acknowledge_to_device(
        &self,
        user_id: &UserId,
        device_id: &DeviceId,
        up_to: Position,
    ) -> Result<()> {
        let localpart = self.localpart(user_id)?;
        let (from, to) = (
            (localpart, device_id, Position::START),
            (localpart, device_id, up_to.next()),
        );
        let delivered = self
            .store()
            .range(&TO_DEVICE, from, to, false, usize::MAX)?;
        if delivered.is_empty() {
            return Ok(());
        }
        let mut batch = Batch::new();
        for ((_, _, at), _) in &delivered {
            batch.delete(&TO_DEVICE, (localpart, device_id, *at));
        }
        self.store().commit(batch).await?;
        self.inner
            .waiting
            .remove(&(user_id.to_owned(), device_id.to_owned()));
        Ok(())
    }

    /// What each other server is to be told of messages: the content of an `m.direct_to_device`. Nothing where nobody sends it on.
    fn elsewhere(
        &self,
        sender: &UserId,
        kind: &str,
        messages: &Messages,
    ) -> Result<Vec<(OwnedServerName, JsonText)>> {
        if !self.federates() {
            return Ok(Vec::new());
        }
        let mut by_server: BTreeMap<OwnedServerName, Messages> = BTreeMap::new();
        for (user_id, by_device) in messages
            .iter()
            .filter(|(user_id, _)| !self.is_local(user_id))
        {
            for content in by_device.values() {
                check_content(content.json().get())?;
            }
            let server = user_id.server_name().to_owned();
            let of_server = by_server.entry(server).or_default();
            of_server.insert(user_id.clone(), by_device.clone());
        }
        let told = |(server, messages): (_, Messages)| {
            // Random, as numbers would come again after a restored backup.
            let message_id = format!("{:032x}", rand::random::<u128>());
            let content = json!({
                "sender": sender, "type": kind, "message_id": message_id, "messages": messages,
            });
            (server, JsonText(content.to_string()))
        };
        Ok(by_server.into_iter().map(told).collect())
    }

    /// A message to devices of another server, while it waits: the content of an `m.direct_to_device`.
    ///
    /// # Errors
    /// Storage.
    pub fn to_device_elsewhere(&self, at: Position) -> Result<Option<JsonText>> {
        Ok(self.store().get(&TO_DEVICE_ELSEWHERE, (at,))?)
    }

    /// Adds to a batch that another server has a message to its devices.
    pub fn to_device_elsewhere_done(&self, at: Position, batch: &mut Batch) {
        batch.delete(&TO_DEVICE_ELSEWHERE, (at,));
    }

    /// Each device of this server that a message is for, with the message.
    fn addressed(&self, messages: &Messages) -> Result<Vec<Addressed>> {
        let mut addressed = BTreeMap::new();
        for (user_id, by_device) in messages
            .iter()
            .filter(|(user_id, _)| self.is_local(user_id))
        {
            let localpart = user_id.localpart();
            for (device_id, content) in by_device {
                let content = content.json().get();
                check_content(content)?;
                let content = JsonText(content.to_owned());
                match device_id {
                    DeviceIdOrAllDevices::DeviceId(device_id) => {
                        if self.store().contains(&DEVICES, (localpart, device_id))? {
                            addressed.insert((user_id.clone(), device_id.clone()), content);
                        }
                    }
                    DeviceIdOrAllDevices::AllDevices => {
                        for device in self.devices(user_id)? {
                            addressed
                                .entry((user_id.clone(), device.device_id))
                                .or_insert_with(|| content.clone());
                        }
                    }
                }
            }
        }
        let most = self.config().limits.to_device_messages;
        let mut kept = Vec::with_capacity(addressed.len());
        for ((user_id, device_id), content) in addressed {
            if self.waiting(&user_id, &device_id)?.load(Ordering::Relaxed) >= most {
                // Nobody has fetched from this device for long. To refuse the sender would let one forgotten device
                // keep everybody from writing to its user's others.
                metrics::counter!("orvale_users_to_device_dropped").increment(1);
                tracing::warn!(%user_id, %device_id, "too many messages wait for this device: one more is dropped");
                continue;
            }
            kept.push(Addressed {
                user_id,
                device_id,
                content,
            });
        }
        Ok(kept)
    }

    /// How many messages wait for a device, or a few more.
    fn waiting(&self, user_id: &UserId, device_id: &DeviceId) -> Result<Arc<AtomicUsize>> {
        let key = (user_id.to_owned(), device_id.to_owned());
        self.inner.waiting.get_or_insert_with(&key, || {
            let most = self.config().limits.to_device_messages;
            let waiting =
                self.store()
                    .prefix(&TO_DEVICE, (user_id.localpart(), device_id), most)?;
            Ok(Arc::new(AtomicUsize::new(waiting.len())))
        })
    }
}

fn check_content(content: &str) -> Result<()> {
    if content.starts_with('{') {
        Ok(())
    } else {
        let why = "a message to a device is a JSON object";
        Err(Error::BadJson(why.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use ruma::{serde::Raw, user_id};
    use serde_json::{json, value::to_raw_value};

    use super::*;
    use crate::{
        Config,
        testing::{TestUsers, users, users_with},
    };

    fn to(user_id: &UserId, device_id: &str, n: u32) -> Messages {
        let content = Raw::from_json(to_raw_value(&json!({ "n": n })).unwrap());
        let device_id = DeviceIdOrAllDevices::try_from(device_id).unwrap();
        Messages::from([(user_id.to_owned(), BTreeMap::from([(device_id, content)]))])
    }

    fn waiting(
        users: &TestUsers,
        user_id: &UserId,
        device_id: &DeviceId,
        after: Position,
    ) -> Vec<(Position, String)> {
        let found = users
            .to_device_messages(user_id, device_id, after, Position::END, 100)
            .unwrap();
        found
            .into_iter()
            .map(|(at, message)| (at, message.content.0))
            .collect()
    }

    #[tokio::test]
    async fn messages_wait_in_order_until_they_are_acknowledged() {
        let users = users();
        let (alice, bob) = (users.account("alice").await, users.account("bob").await);
        let phone = users.session(&bob).await.device_id;
        for n in 0..3 {
            users
                .send_to_device(&alice, None, "m.test", &to(&bob, phone.as_str(), n))
                .await
                .unwrap();
        }
        let all = waiting(&users, &bob, &phone, Position::START);
        assert_eq!(
            all.iter().map(|(_, c)| c.as_str()).collect::<Vec<_>>(),
            [r#"{"n":0}"#, r#"{"n":1}"#, r#"{"n":2}"#]
        );
        assert_eq!(
            waiting(&users, &bob, &phone, Position::START),
            all,
            "reading removes nothing"
        );
        users
            .acknowledge_to_device(&bob, &phone, all[1].0)
            .await
            .unwrap();
        assert_eq!(waiting(&users, &bob, &phone, Position::START), &all[2..]);
        assert_eq!(
            users
                .to_device_messages(&bob, &phone, Position::START, all[1].0, 100)
                .unwrap(),
            []
        );
    }

    #[tokio::test]
    async fn each_message_is_in_the_log_at_its_position() {
        let users = users();
        let bob = users.account("bob").await;
        let (a, b) = (
            users.session(&bob).await.device_id,
            users.session(&bob).await.device_id,
        );
        let before = users.store().visible();
        users
            .send_to_device(&bob, None, "m.test", &to(&bob, "*", 1))
            .await
            .unwrap();
        for (at, entry) in users.store().log(before, 10).unwrap() {
            let Entry::ToDevice { device_id, .. } = entry else {
                panic!("{entry:?}")
            };
            assert_eq!(waiting(&users, &bob, (*device_id).into(), before)[0].0, at);
        }
        assert_eq!(
            waiting(&users, &bob, &a, before).len() + waiting(&users, &bob, &b, before).len(),
            2
        );
    }

    #[tokio::test]
    async fn a_transaction_sent_again_does_nothing() {
        let users = users();
        let bob = users.account("bob").await;
        let phone = users.session(&bob).await.device_id;
        let message = to(&bob, phone.as_str(), 1);
        let txn = <&TransactionId>::from("1");
        let send = || users.send_to_device(&bob, Some((&phone, txn)), "m.test", &message);
        let (a, b) = tokio::join!(send(), send());
        a.and(b).unwrap();
        users.clock().advance(Duration::from_secs(12 * 3600));
        users.sweep_transactions().await.unwrap();
        send().await.unwrap();
        assert_eq!(waiting(&users, &bob, &phone, Position::START).len(), 1);
        users
            .send_to_device(&bob, Some((&phone, txn)), "m.other", &message)
            .await
            .unwrap();
        assert_eq!(
            waiting(&users, &bob, &phone, Position::START).len(),
            2,
            "another endpoint"
        );
        users.clock().advance(Duration::from_secs(48 * 3600));
        users.sweep_transactions().await.unwrap();
        send().await.unwrap();
        assert_eq!(
            waiting(&users, &bob, &phone, Position::START).len(),
            3,
            "forgotten after days"
        );
    }

    #[tokio::test]
    async fn unknown_devices_and_other_servers_are_passed_over_and_removed_devices_leave_nothing() {
        let users = users();
        let bob = users.account("bob").await;
        let phone = users.session(&bob).await.device_id;
        users
            .send_to_device(&bob, None, "m.test", &to(&bob, "UNKNOWN", 1))
            .await
            .unwrap();
        users
            .send_to_device(
                &bob,
                None,
                "m.test",
                &to(user_id!("@x:elsewhere.org"), "*", 1),
            )
            .await
            .unwrap();
        users
            .send_to_device(&bob, None, "m.test", &to(&bob, "*", 1))
            .await
            .unwrap();
        assert_eq!(users.store().prefix(&TO_DEVICE, (), 10).unwrap().len(), 1);
        users.log_out(&bob, &phone).await.unwrap();
        assert!(users.store().prefix(&TO_DEVICE, (), 10).unwrap().is_empty());
    }

    #[tokio::test]
    async fn a_forgotten_device_stops_collecting_and_starts_again_when_it_returns() {
        let mut config = Config::default();
        config.limits.to_device_messages = 2;
        let users = users_with(config);
        let bob = users.account("bob").await;
        let phone = users.session(&bob).await.device_id;
        for n in 0..4 {
            users
                .send_to_device(&bob, None, "m.test", &to(&bob, "*", n))
                .await
                .unwrap();
        }
        let all = waiting(&users, &bob, &phone, Position::START);
        assert_eq!(all.len(), 2);
        users
            .acknowledge_to_device(&bob, &phone, all[1].0)
            .await
            .unwrap();
        users
            .send_to_device(&bob, None, "m.test", &to(&bob, "*", 9))
            .await
            .unwrap();
        assert_eq!(waiting(&users, &bob, &phone, Position::START).len(), 1);
    }
}
