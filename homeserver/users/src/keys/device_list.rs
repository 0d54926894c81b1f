//! When the devices of users, or their keys, changed.

use orvale_storage::{
    Batch, Entry, Position,
    trees::users::{CROSS_SIGNING, DEVICE_CHANGES, DEVICE_LISTS, DEVICE_UPDATES, KEY_SIGNATURES},
};
use ruma::{OwnedUserId, UserId};

use crate::{Result, Users, users::Places};

/// In a device's place: a user's cross-signing keys.
pub const CROSS_SIGNING_KEYS: &str = "";

impl Users {
    /// Adds to a batch that devices of a local user or their keys change by it; [`CROSS_SIGNING_KEYS`] in a device's place: the user's
    /// cross-signing keys. Once in a batch for a user.
    pub(crate) fn device_list_changes(
        &self,
        user_id: &UserId,
        device_ids: &[&str],
        places: &Places<'_>,
        batch: &mut Batch,
    ) -> Result<()> {
        let localpart = self.localpart(user_id)?;
        // Each has a position of its own, which is its number for other servers.
        for (n, device_id) in device_ids.iter().enumerate() {
            let at = places.at(batch.entries());
            batch.put(&DEVICE_UPDATES, (localpart, at), &(*device_id).to_owned());
            if n + 1 < device_ids.len() {
                batch.log(Entry::DeviceList {
                    user_id: user_id.to_string(),
                });
            }
        }
        self.devices_look_different(user_id, places, batch)
    }

    /// Adds to a batch that the keys of any user look different after it.
    pub(crate) fn devices_look_different(
        &self,
        user_id: &UserId,
        places: &Places<'_>,
        batch: &mut Batch,
    ) -> Result<()> {
        let key = (self.list_key(user_id),);
        let at = places.at(batch.entries());
        let before = self.store().get(&DEVICE_LISTS, key)?;
        batch.expect(&DEVICE_LISTS, key, before.as_ref());
        if let Some(before) = before {
            batch.delete(&DEVICE_CHANGES, (before,));
        }
        batch
            .put(&DEVICE_LISTS, key, &at)
            .put(&DEVICE_CHANGES, (at,), &key.0.to_owned())
            .log(Entry::DeviceList {
                user_id: user_id.to_string(),
            });
        Ok(())
    }

    /// A user in the trees that know users of other servers too.
    fn list_key<'a>(&self, user_id: &'a UserId) -> &'a str {
        if self.is_local(user_id) {
            user_id.localpart()
        } else {
            user_id.as_str()
        }
    }

    /// The position of the last change to a user's devices or their keys, of this server or another.
    ///
    /// # Errors
    /// Storage.
    pub fn device_list_changed_at(&self, user_id: &UserId) -> Result<Position> {
        Ok(self
            .store()
            .get(&DEVICE_LISTS, (self.list_key(user_id),))?
            .unwrap_or(Position::START))
    }

    /// The number of the last update of a local user's devices that other servers are told, up to a position; 0 for none.
    ///
    /// # Errors
    /// Storage; [`crate::Error::NotLocal`].
    pub fn device_stream_id(&self, user_id: &UserId, up_to: Position) -> Result<u64> {
        let localpart = self.localpart(user_id)?;
        let (from, to) = ((localpart, Position::START), (localpart, up_to.next()));
        let found = self
            .store()
            .range(&DEVICE_UPDATES, from, to, true, usize::MAX)?;
        // Cross-signing keys are told without a number.
        let last = found
            .into_iter()
            .find(|(_, device_id)| device_id != CROSS_SIGNING_KEYS);
        Ok(last.map_or(0, |((_, at), _)| at.0))
    }

    /// Which of a local user's devices changed at a position; [`CROSS_SIGNING_KEYS`] for the user's cross-signing keys.
    ///
    /// # Errors
    /// Storage; [`crate::Error::NotLocal`].
    pub fn device_update(&self, user_id: &UserId, at: Position) -> Result<Option<String>> {
        Ok(self
            .store()
            .get(&DEVICE_UPDATES, (self.localpart(user_id)?, at))?)
    }

    /// The users whose devices or keys changed after a position; at most `limit`.
    ///
    /// # Errors
    /// Storage.
    pub fn device_lists_changed(&self, since: Position, limit: usize) -> Result<Vec<OwnedUserId>> {
        let (from, to) = ((since.next(),), (Position::END,));
        let found = self
            .store()
            .range(&DEVICE_CHANGES, from, to, false, limit)?;
        found
            .into_iter()
            .map(|(_, user)| match UserId::parse(&*user) {
                Ok(user_id) => Ok(user_id),
                Err(_) => self.user_id(&user),
            })
            .collect()
    }

    /// The users whose keys look different to one user alone, by what this one did after a position.
    ///
    /// # Errors
    /// Storage; [`crate::Error::NotLocal`].
    pub fn key_signatures_changed(
        &self,
        user_id: &UserId,
        since: Position,
    ) -> Result<Vec<OwnedUserId>> {
        let localpart = self.localpart(user_id)?;
        let mut changed = Vec::new();
        let own = self.store().get(&CROSS_SIGNING, (localpart,))?;
        if own.is_some_and(|own| own.private_at > since) {
            changed.push(user_id.to_owned());
        }
        for ((_, of, ..), signature) in
            self.store()
                .prefix(&KEY_SIGNATURES, (localpart,), usize::MAX)?
        {
            if signature.at > since
                && let Ok(of) = UserId::parse(of)
            {
                changed.push(of);
            }
        }
        Ok(changed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::users;

    #[tokio::test]
    async fn each_user_is_listed_at_the_last_change() {
        let users = users();
        let (alice, bob) = (users.account("alice").await, users.account("bob").await);
        let start = users.store().visible();
        let phone = users.session(&alice).await.device_id;
        let other = users.session(&bob).await.device_id;
        for name in ["a", "b"] {
            users.rename_device(&alice, &phone, name).await.unwrap();
        }
        let between = users.store().visible();
        users.rename_device(&bob, &other, "c").await.unwrap();
        let since = |at| users.device_lists_changed(at, 10).unwrap();
        assert_eq!(since(start), [alice.clone(), bob.clone()]);
        assert_eq!(since(between), [bob]);
        let changed = users.device_list_changed_at(&alice).unwrap();
        assert!(changed > start && changed <= between);
        assert_eq!(since(users.store().visible()), Vec::<OwnedUserId>::new());
    }
}
