//! When devices were last seen: noted in memory, written now and then.

use std::{collections::HashMap, net::IpAddr, sync::atomic::Ordering};

use orvale_storage::{
    Batch,
    trees::users::{DEVICES, Device},
};
use parking_lot::Mutex;
use ruma::{OwnedDeviceId, OwnedUserId, UserId};

use super::{Session, devices::DeviceInfo};
use crate::{Result, Users};

/// A session is noted no more often, in milliseconds.
const NOTED_EVERY: u64 = 180_000;

/// What has been noted and is not yet written.
#[derive(Default)]
pub(crate) struct LastSeen(Mutex<HashMap<(OwnedUserId, OwnedDeviceId), (u64, IpAddr)>>);

impl Users {
    /// Notes that a request came in a session. Costs next to nothing; what is noted is written by the housekeeping.
    pub fn seen(&self, session: &Session, from: IpAddr) {
        let now = self.now();
        let noted_at = session.noted_at.load(Ordering::Relaxed);
        if now < noted_at.saturating_add(NOTED_EVERY) || session.device_id.as_str().is_empty() {
            return;
        }
        session.noted_at.store(now, Ordering::Relaxed);
        let key = (session.user_id.clone(), session.device_id.clone());
        self.inner.last_seen.0.lock().insert(key, (now, from));
    }

    /// The device with what was noted and is not yet written.
    pub(super) fn with_last_seen(&self, user_id: &UserId, device: DeviceInfo) -> DeviceInfo {
        let key = (user_id.to_owned(), device.device_id.clone());
        match self.inner.last_seen.0.lock().get(&key) {
            None => device,
            Some((at, from)) => DeviceInfo {
                last_seen_at: Some(*at),
                last_seen_from: Some(from.to_string()),
                ..device
            },
        }
    }

    /// Writes what was noted since the last time.
    pub(crate) async fn write_last_seen(&self) -> Result<()> {
        let noted = std::mem::take(&mut *self.inner.last_seen.0.lock());
        for ((user_id, device_id), (at, from)) in noted {
            let key = (user_id.localpart(), &device_id);
            self.write(|| {
                let mut batch = Batch::new();
                if let Some(before) = self.store().get(&DEVICES, key)? {
                    let after = Device {
                        last_seen: Some((at, from.to_string())),
                        ..before.clone()
                    };
                    batch
                        .expect(&DEVICES, key, Some(&before))
                        .put(&DEVICES, key, &after);
                }
                Ok((batch, ()))
            })
            .await?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::{net::Ipv4Addr, time::Duration};

    use crate::testing::users;

    #[tokio::test]
    async fn a_device_shows_when_and_from_where_it_was_last_seen() {
        let users = users();
        let alice = users.account("alice").await;
        let new = users.session(&alice).await;
        let session = users
            .authenticate(&new.access_token)
            .await
            .unwrap()
            .unwrap();
        let first = users.clock().now();
        users.seen(&session, Ipv4Addr::LOCALHOST.into());
        users.clock().advance(Duration::from_secs(1));
        users.seen(&session, Ipv4Addr::UNSPECIFIED.into());
        for _ in ["noted", "written"] {
            let device = users.devices(&alice).unwrap().remove(0);
            assert_eq!(
                (device.last_seen_at, device.last_seen_from.as_deref()),
                (Some(first), Some("127.0.0.1"))
            );
            users.write_last_seen().await.unwrap();
        }
        users.clock().advance(Duration::from_secs(180));
        users.seen(&session, Ipv4Addr::UNSPECIFIED.into());
        users.write_last_seen().await.unwrap();
        assert_eq!(
            users
                .devices(&alice)
                .unwrap()
                .remove(0)
                .last_seen_from
                .as_deref(),
            Some("0.0.0.0")
        );
    }
}
