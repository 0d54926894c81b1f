//! The events that a user was notified of, newest first.
//!
//! Like what is unread, it follows from timelines and push rules as they are; nothing is kept for it.

use std::{collections::BinaryHeap, sync::Arc};

use bytes::Bytes;
use orvale_rooms::{Membership, MembershipRecord, Order, Room, Rooms, StoredEvent, Viewer};
use orvale_storage::Position;
use ruma::{DeviceId, UserId};

use super::{
    evaluate::{Evaluator, Verdict},
    unread::Asking,
};
use crate::{Delivery, Error, Result, delivery::blocking};

/// How many events one request looks at.
const LOOKS: usize = 5000;
/// How many events one request gives.
const MOST: usize = 500;
/// How many events are read at once.
const PAGE: usize = 32;

/// A room whose timeline is walked back.
struct Walk {
    room: Arc<Room>,
    now: MembershipRecord,
    /// Read, not looked at yet; the next one last.
    events: Vec<Arc<StoredEvent>>,
}

impl Delivery {
    /// The events that a user was notified of, before the place that a token names: the answer's JSON, with the token of the
    /// next page.
    ///
    /// # Errors
    /// [`Error::InvalidParam`] if the token is none; storage's.
    pub fn notifications(
        &self,
        user_id: &UserId,
        device_id: &DeviceId,
        from: Option<&str>,
        limit: Option<usize>,
        only_highlights: bool,
    ) -> Result<Bytes> {
        let before = match from {
            None => Position(self.inner.rooms.store().visible().0 + 1),
            Some(token) => {
                let at = token.strip_prefix('n').and_then(|at| at.parse().ok());
                Position(at.ok_or_else(|| {
                    Error::InvalidParam(format!("{token:?} is not a token of this list"))
                })?)
            }
        };
        let limit = limit.unwrap_or(20).clamp(1, MOST);
        blocking(|| self.list(user_id, device_id, before, limit, only_highlights))
    }

    fn list(
        &self,
        user_id: &UserId,
        device_id: &DeviceId,
        before: Position,
        limit: usize,
        only_highlights: bool,
    ) -> Result<Bytes> {
        let inner = &*self.inner;
        let rooms = &inner.rooms;
        let rules = inner.users.push_rules(user_id)?;
        let evaluator = Evaluator {
            rooms,
            user_id,
            rules: &rules,
        };
        let ignored = inner.users.ignored_users(user_id)?;
        let mut walks = Vec::new();
        // By where the next event of each room may be.
        let mut next = BinaryHeap::new();
        for (number, now) in rooms.list_memberships(user_id)? {
            if now.membership == Membership::Join {
                next.push((
                    rooms
                        .last_event(number)?
                        .min(Position(before.0.saturating_sub(1))),
                    walks.len(),
                ));
                walks.push(Walk {
                    room: rooms.get_number(number)?,
                    now,
                    events: Vec::new(),
                });
            }
        }
        let mut out = b"{\"notifications\":[".to_vec();
        let (mut given, mut looks, mut rest) = (0, 0, None);
        while let Some((at, n)) = next.pop() {
            let walk = &mut walks[n];
            if walk.events.last().is_none_or(|event| event.position != at) {
                walk.events = live_before(rooms, &walk.room, at)?;
                next.extend(walk.events.last().map(|event| (event.position, n)));
                if walk.events.last().is_none_or(|event| event.position != at) {
                    continue;
                }
                next.pop();
            }
            let Some(event) = walk.events.pop() else {
                continue;
            };
            let after = walk
                .events
                .last()
                .map_or(Position(at.0 - 1), |event| event.position);
            if after > Position::START {
                next.push((after, n));
            }
            if given == limit || looks == LOOKS {
                rest = Some(at);
                break;
            }
            looks += 1;
            if event.is_redacted() || ignored.contains(&event.pdu.sender) {
                continue;
            }
            let facts = inner.unread.facts().of(&event);
            let Some(verdict) = evaluator.evaluate(&facts)?.filter(Verdict::notifies) else {
                continue;
            };
            let mut viewer = Viewer::new(rooms, user_id, Some(walk.now)).on(device_id.as_str());
            if only_highlights && !verdict.highlights() || !viewer.sees(&event)? {
                continue;
            }
            let asking = Asking {
                rooms,
                users: &inner.users,
                user_id,
                room: &walk.room,
                upto: rooms.store().visible(),
                receipts: rooms.last_receipt(walk.room.number)?.unwrap_or_default(),
                now: walk.now,
                recent: None,
            };
            let read = !inner.unread.has(&asking, at)?;
            if given > 0 {
                out.push(b',');
            }
            given += 1;
            out.extend_from_slice(b"{\"actions\":");
            serde_json::to_writer(&mut out, verdict.actions).expect("actions are JSON");
            out.extend_from_slice(b",\"event\":");
            event.write_sync_format(&viewer.reader(&event)?, &mut out)?;
            let (room_id, ts) = (&walk.room.id, event.pdu.origin_server_ts.get());
            out.extend_from_slice(
                format!(",\"read\":{read},\"room_id\":\"{room_id}\",\"ts\":{ts}}}").as_bytes(),
            );
        }
        out.push(b']');
        if let Some(at) = rest {
            out.extend_from_slice(format!(",\"next_token\":\"n{}\"", at.0 + 1).as_bytes());
        }
        out.push(b'}');
        Ok(out.into())
    }
}

/// The events of a room up to a position that were news when they came, oldest first: as many as are read at once.
fn live_before(rooms: &Rooms, room: &Room, at: Position) -> Result<Vec<Arc<StoredEvent>>> {
    let mut from = Order::live(at);
    for _ in 0..LOOKS / PAGE {
        let page = rooms.list_backwards(room, from, Order::live(Position::START), PAGE)?;
        let last = page.last().filter(|_| page.len() == PAGE);
        let next = last.map(|(order, _)| order.before());
        let live = page.into_iter().rev().map(|(_, event)| event);
        let live = live.filter(|event| event.record.is_live());
        let live: Vec<_> = live.collect();
        match next {
            Some(next) if live.is_empty() => from = next,
            _ => return Ok(live),
        }
    }
    Ok(Vec::new())
}

#[cfg(test)]
mod tests {
    use ruma::{
        device_id,
        events::receipt::{ReceiptThread, ReceiptType},
    };
    use serde_json::{Value, json};

    use crate::testing::{TestServer, raw, text};

    fn page(
        server: &TestServer,
        user_id: &ruma::UserId,
        from: Option<&str>,
        limit: usize,
        only: bool,
    ) -> Value {
        let body = server
            .delivery
            .notifications(user_id, device_id!("D"), from, Some(limit), only)
            .unwrap();
        serde_json::from_slice(&body).unwrap()
    }

    #[tokio::test]
    async fn notifications_of_all_rooms_come_newest_first_in_pages() {
        let server = TestServer::start();
        let (alice, bob) = (server.user("alice").await, server.user("bob").await);
        let rooms = [
            server.room(&alice).await,
            server.room(&alice).await,
            server.room(&alice).await,
        ];
        for room in &rooms[..2] {
            server.join(room, &bob).await;
        }
        let mut expected = Vec::new();
        for n in 0..100 {
            let room = &rooms[n % 3];
            if n % 3 < 2 {
                let event = server.send(room, &alice, &n.to_string()).await;
                expected.push(event.event_id().to_string());
                server.send(room, &bob, "mine").await;
            } else {
                server.send(room, &alice, "elsewhere").await;
            }
        }
        expected.reverse();
        let (mut found, mut from) = (Vec::new(), None::<String>);
        loop {
            let page = page(&server, &bob, from.as_deref(), 7, false);
            for notification in page["notifications"].as_array().unwrap() {
                found.push(
                    notification["event"]["event_id"]
                        .as_str()
                        .unwrap()
                        .to_owned(),
                );
            }
            match page["next_token"].as_str() {
                Some(token) => from = Some(token.to_owned()),
                None => break,
            }
        }
        assert_eq!(found, expected);
        assert!(
            server
                .delivery
                .notifications(&bob, device_id!("D"), Some("x"), None, false)
                .is_err()
        );
    }

    #[tokio::test]
    async fn what_stands_out_can_be_asked_for_alone_and_what_was_read_is_said() {
        let server = TestServer::start();
        let (alice, bob) = (server.user("alice").await, server.user("bob").await);
        let room = server.room(&alice).await;
        server.join(&room, &bob).await;
        let one = server.send(&room, &alice, "one").await;
        let content =
            json!({"msgtype": "m.text", "body": "two", "m.mentions": {"user_ids": [bob]}});
        let draft = orvale_rooms::Draft {
            content: raw(&content),
            ..text(&alice, "")
        };
        server.did(&room, draft).await;
        let thread = ReceiptThread::Unthreaded;
        server
            .rooms
            .set_receipt(&bob, &room.id, ReceiptType::Read, one.event_id(), &thread)
            .await
            .unwrap();
        let all = page(&server, &bob, None, 9, false);
        let read: Vec<_> = all["notifications"]
            .as_array()
            .unwrap()
            .iter()
            .map(|n| n["read"].as_bool().unwrap())
            .collect();
        assert_eq!(read, [false, true]);
        let only = page(&server, &bob, None, 9, true);
        assert_eq!(only["notifications"].as_array().unwrap().len(), 1);
        assert_eq!(only["notifications"][0]["event"]["content"]["body"], "two");
        assert!(
            only["notifications"][0]["actions"]
                .as_array()
                .unwrap()
                .contains(&json!("notify"))
        );
    }
}
