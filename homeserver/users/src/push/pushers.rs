//! Pushers: where a user's notifications go besides sync.

use std::sync::Arc;

use orvale_storage::{
    Batch, Entry,
    record::JsonText,
    trees::users::{PUSHERS, PUSHKEYS, Pusher as Record},
};
use ruma::{
    DeviceId, OwnedDeviceId, OwnedUserId, UserId,
    api::client::push::{Pusher, PusherIds, PusherKind},
};

use crate::{Error, Result, Users};

/// A pusher, and the device that set it.
#[derive(Debug, Clone)]
pub struct StoredPusher {
    /// The pusher as the client gave it.
    pub pusher: Pusher,
    /// The device that set it.
    pub device_id: OwnedDeviceId,
    /// When, in milliseconds since the Unix epoch: events from before are not pushed to it.
    pub set_at: u64,
}

impl Users {
    /// The user's pushers. Nearly always from memory.
    ///
    /// # Errors
    /// Storage; [`Error::NotLocal`].
    pub fn pushers(&self, user_id: &UserId) -> Result<Arc<[StoredPusher]>> {
        let localpart = self.localpart(user_id)?;
        self.inner.pushers.get_or(user_id, || {
            let found = self.store().prefix(&PUSHERS, (localpart,), usize::MAX)?;
            found
                .into_iter()
                .map(|(_, record)| stored(&record))
                .collect()
        })
    }

    /// The users who have a pusher. A walk over all pushers: for a start.
    ///
    /// # Errors
    /// Storage.
    pub fn users_with_pushers(&self) -> Result<Vec<OwnedUserId>> {
        let found = self.store().prefix(&PUSHERS, (), usize::MAX)?;
        let mut localparts: Vec<String> = found
            .into_iter()
            .map(|((localpart, ..), _)| localpart)
            .collect();
        localparts.dedup();
        localparts
            .iter()
            .map(|localpart| self.user_id(localpart))
            .collect()
    }

    /// Adds a pusher, or replaces the one with its app ID and pushkey. Without `append` those of other users with the same
    /// go: the device changed hands.
    ///
    /// # Errors
    /// [`Error::InvalidParam`], [`Error::TooLarge`]; storage.
    pub async fn set_pusher(
        &self,
        user_id: &UserId,
        device_id: &DeviceId,
        pusher: &Pusher,
        append: bool,
    ) -> Result<()> {
        check(pusher)?;
        let localpart = self.localpart(user_id)?;
        let PusherIds {
            app_id, pushkey, ..
        } = &pusher.ids;
        let record = Record {
            device_id: device_id.to_string(),
            set_at: self.now(),
            pusher: JsonText::of(pusher).map_err(|e| Error::Internal(e.to_string()))?,
        };
        let most = self.config().limits.pushers;
        let owners = self
            .write(|| {
                let mut batch = Batch::new();
                let mut owners = vec![localpart.to_owned()];
                if !self
                    .store()
                    .contains(&PUSHERS, (localpart, app_id, pushkey))?
                    && self.store().prefix(&PUSHERS, (localpart,), most)?.len() >= most
                {
                    return Err(Error::TooLarge(format!(
                        "a user has at most {most} pushers"
                    )));
                }
                if !append {
                    for ((_, _, other), ()) in
                        self.store()
                            .prefix(&PUSHKEYS, (app_id, pushkey), usize::MAX)?
                    {
                        batch.delete(&PUSHERS, (&other, app_id, pushkey));
                        batch.delete(&PUSHKEYS, (app_id, pushkey, &other));
                        owners.push(other);
                    }
                }
                batch.put(&PUSHERS, (localpart, app_id, pushkey), &record);
                batch.put(&PUSHKEYS, (app_id, pushkey, localpart), &());
                batch.log(Entry::Pushers {
                    user_id: user_id.to_string(),
                });
                Ok((batch, owners))
            })
            .await?;
        for owner in owners {
            self.inner.pushers.forget([&*self.user_id(&owner)?]);
        }
        Ok(())
    }

    /// Removes a pusher; nothing if it is not there. A push gateway that refuses a pushkey does so too.
    ///
    /// # Errors
    /// Storage; [`Error::NotLocal`].
    pub async fn remove_pusher(&self, user_id: &UserId, ids: &PusherIds) -> Result<()> {
        let localpart = self.localpart(user_id)?;
        let mut batch = Batch::new();
        batch.delete(&PUSHERS, (localpart, &ids.app_id, &ids.pushkey));
        batch.delete(&PUSHKEYS, (&ids.app_id, &ids.pushkey, localpart));
        self.store().commit(batch).await?;
        self.inner.pushers.forget([user_id]);
        Ok(())
    }
}

fn stored(record: &Record) -> Result<StoredPusher> {
    Ok(StoredPusher {
        pusher: record
            .pusher
            .parse()
            .map_err(|e| Error::Internal(format!("a stored pusher: {e}")))?,
        device_id: record.device_id.as_str().into(),
        set_at: record.set_at,
    })
}

fn check(pusher: &Pusher) -> Result<()> {
    let refused = |reason: &str| Err(Error::InvalidParam(reason.to_owned()));
    if pusher.ids.pushkey.is_empty() || pusher.ids.pushkey.len() > 512 {
        return refused("a pushkey has 1 to 512 bytes");
    }
    if pusher.ids.app_id.is_empty() || pusher.ids.app_id.len() > 64 {
        return refused("an app ID has 1 to 64 characters");
    }
    match &pusher.kind {
        PusherKind::Http(data) if is_gateway(&data.url) => Ok(()),
        PusherKind::Http(_) => refused(
            "the URL of a push gateway is http or https, with the path /_matrix/push/v1/notify",
        ),
        PusherKind::Email(_) => refused("this server sends no e-mail"),
        _ => refused("a pusher is of the kind http"),
    }
}

/// <https://spec.matrix.org/latest/client-server-api/#post_matrixclientv3pushersset>: the path is fixed.
fn is_gateway(url: &str) -> bool {
    let rest = url
        .strip_prefix("https://")
        .or_else(|| url.strip_prefix("http://"));
    let Some((host, path)) = rest.and_then(|rest| rest.split_once('/')) else {
        return false;
    };
    !host.is_empty() && path == "_matrix/push/v1/notify" && url.len() <= 2000
}

#[cfg(test)]
mod tests {
    use ruma::{
        api::client::push::{EmailPusherData, PusherInit},
        device_id,
        push::HttpPusherData,
    };

    use super::*;
    use crate::testing::users;

    fn pusher(pushkey: &str, kind: PusherKind) -> Pusher {
        PusherInit {
            ids: PusherIds::new(pushkey.to_owned(), "org.example.app".to_owned()),
            kind,
            app_display_name: "App".to_owned(),
            device_display_name: "Phone".to_owned(),
            profile_tag: None,
            lang: "en".to_owned(),
        }
        .into()
    }

    fn http(url: &str) -> PusherKind {
        PusherKind::Http(HttpPusherData::new(url.to_owned()))
    }

    const GATEWAY: &str = "https://push.example.org/_matrix/push/v1/notify";

    #[tokio::test]
    async fn a_pushkey_changes_hands_unless_appended() {
        let users = users();
        let (alice, bob) = (users.account("alice").await, users.account("bob").await);
        let device = device_id!("PHONE");
        let shared = pusher("key", http(GATEWAY));
        users
            .set_pusher(&alice, device, &shared, false)
            .await
            .unwrap();
        assert_eq!(users.pushers(&alice).unwrap().len(), 1);
        users.set_pusher(&bob, device, &shared, true).await.unwrap();
        assert_eq!(
            (
                users.pushers(&alice).unwrap().len(),
                users.pushers(&bob).unwrap().len()
            ),
            (1, 1)
        );
        users
            .set_pusher(&bob, device, &shared, false)
            .await
            .unwrap();
        assert_eq!(
            (
                users.pushers(&alice).unwrap().len(),
                users.pushers(&bob).unwrap().len()
            ),
            (0, 1)
        );
        users.remove_pusher(&bob, &shared.ids).await.unwrap();
        assert!(users.pushers(&bob).unwrap().is_empty());
    }

    #[tokio::test]
    async fn pushers_go_with_their_device() {
        let users = users();
        let alice = users.account("alice").await;
        let phone = users.session(&alice).await;
        users
            .set_pusher(&alice, &phone.device_id, &pusher("a", http(GATEWAY)), false)
            .await
            .unwrap();
        users
            .set_pusher(
                &alice,
                device_id!("OTHER"),
                &pusher("b", http(GATEWAY)),
                false,
            )
            .await
            .unwrap();
        users.log_out(&alice, &phone.device_id).await.unwrap();
        let left = users.pushers(&alice).unwrap();
        assert_eq!(
            left.iter()
                .map(|stored| stored.pusher.ids.pushkey.as_str())
                .collect::<Vec<_>>(),
            ["b"]
        );
    }

    #[tokio::test]
    async fn impossible_pushers_are_refused() {
        let users = users();
        let alice = users.account("alice").await;
        for bad in [
            pusher("", http(GATEWAY)),
            pusher(&"x".repeat(513), http(GATEWAY)),
            pusher("key", http("ftp://push.example.org/_matrix/push/v1/notify")),
            pusher("key", http("https://push.example.org/other")),
            pusher("key", http("https:///_matrix/push/v1/notify")),
            pusher("key", PusherKind::Email(EmailPusherData::new())),
        ] {
            let refused = users
                .set_pusher(&alice, device_id!("PHONE"), &bad, false)
                .await;
            assert!(matches!(refused, Err(Error::InvalidParam(_))), "{bad:?}");
        }
        for n in 0..100 {
            users
                .set_pusher(
                    &alice,
                    device_id!("PHONE"),
                    &pusher(&n.to_string(), http(GATEWAY)),
                    false,
                )
                .await
                .unwrap();
        }
        let refused = users
            .set_pusher(
                &alice,
                device_id!("PHONE"),
                &pusher("more", http(GATEWAY)),
                false,
            )
            .await;
        assert!(matches!(refused, Err(Error::TooLarge(_))));
    }
}
