//! Making a session at a user's first sync.

use std::{collections::HashSet, sync::Arc};

use orvale_rooms::{Membership, NewMembership, Rooms};
use orvale_storage::Position;
use orvale_users::Users;
use ruma::UserId;

use super::{
    Follow, Pulse, Session,
    log::{Change, Whom},
    session::News,
};
use crate::Result;

impl Follow {
    /// The session of a user, made if there is none. When this returns, the picture holds all that was visible when it was
    /// called, for this user as for everybody.
    ///
    /// # Errors
    /// Storage's.
    pub(crate) async fn open(
        &self,
        rooms: &Rooms,
        users: &Users,
        user_id: &UserId,
    ) -> Result<Arc<Pulse>> {
        let known = self
            .read()
            .session(user_id)
            .map(|session| session.pulse.clone());
        let pulse = match known {
            Some(pulse) => pulse,
            None => self.make(rooms, users, user_id)?,
        };
        pulse.touch();
        // A session may have been made of more than the picture shows so far; and whoever was told that something is
        // durable finds it in the sync that is asked for next.
        self.reach(rooms.store().visible()).await;
        Ok(pulse)
    }

    fn make(&self, rooms: &Rooms, users: &Users, user_id: &UserId) -> Result<Arc<Pulse>> {
        let mut read = self.read().at;
        let session = self.build(rooms, users, user_id)?;
        // What was followed while the store was read comes on top. That is little, and each time less.
        let mut missed: Vec<(Position, Change)> = Vec::new();
        loop {
            let mut followed = self.followed.write();
            if followed.at == read {
                followed.evict(self.budget);
                let pulse = followed.add(session);
                let slot = followed.by_user.get(user_id).copied().unwrap_or(u32::MAX);
                for (at, change) in &missed {
                    followed.apply(*at, change, Whom::Only(slot), &mut HashSet::new());
                }
                return Ok(pulse);
            }
            let to = followed.at;
            drop(followed);
            while read < to {
                let entries = rooms.store().log(read, 1000)?;
                read = match entries.last() {
                    Some((last, _)) if *last < to && entries.len() == 1000 => *last,
                    _ => to,
                };
                for (at, entry) in entries {
                    if at <= to
                        && let Ok(Some(change)) = Change::of(rooms, at, entry)
                    {
                        missed.push((at, change));
                    }
                }
            }
        }
    }

    /// What the store holds about a user.
    fn build(&self, rooms: &Rooms, users: &Users, user_id: &UserId) -> Result<Session> {
        let mut session = Session::new(user_id.to_owned());
        for (room, record) in rooms.list_memberships(user_id)? {
            if record.forgotten {
                continue;
            }
            let now = NewMembership {
                membership: record.membership,
                event: record.event,
            };
            session.set_standing(room, record.at(), now);
            if record.membership == Membership::Join {
                session.touch(room, rooms.last_event(room)?, News::Event);
                if let Some(at) = rooms.whole_since(room) {
                    session.touch(room, at, News::Event);
                }
                if let Some(at) = rooms.last_receipt(room)? {
                    session.touch(room, at, News::Receipt);
                }
            }
        }
        for data in users.account_data_since(user_id, Position::START)? {
            match data.room {
                Some(room) => session.touch(room, data.at, News::AccountData),
                None => session.account_data = data.at.max(session.account_data),
            }
            session.last = data.at.max(session.last);
        }
        session.made = self.read().at;
        let threads =
            users.thread_subscription_changes(user_id, Position::START, session.made, 1)?;
        session.thread_subscriptions = threads.first().map_or(Position::START, |last| last.at);
        session.device_lists = session.made;
        session.last = session.made.max(session.last);
        Ok(session)
    }
}
