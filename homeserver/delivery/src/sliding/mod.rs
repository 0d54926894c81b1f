//! Simplified sliding sync (MSC4186): windows over a user's rooms, and what is new in them since the last answer of a connection.
//!
//! - this file: the request, waiting.
//! - `request.rs`, `required.rs`: what a client asks for.
//! - `connection.rs`: what a client was told, within bounds; tokens.
//! - `lists.rs`: which rooms belong to a list, and which of them stand in its ranges.
//! - `answer.rs`: the answer as a whole; `room.rs`, `timeline.rs`, `state.rs`: what it tells of a room; `extensions.rs`,
//!   `threads.rs`: what else it tells.
//!
//! Connections live in memory alone: a client whose connection is forgotten, as after a restart, is told that its token is
//! unknown, and starts anew. Messages to the device and what it acknowledged of them do not depend on connections.

mod answer;
pub(crate) mod connection;
mod extensions;
mod lists;
mod request;
mod required;
mod room;
mod state;
#[cfg(test)]
mod tests;
mod threads;
mod timeline;
#[cfg(test)]
mod truth_tests;

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use orvale_storage::Position;
use parking_lot::Mutex;
use ruma::{DeviceId, UserId};
use tokio::time::{Instant, timeout_at};

pub use self::request::{SlidingBody, SlidingQuery};
use self::{
    answer::Reader,
    connection::{Connection, Pos},
    request::Asked,
};
use crate::{Delivery, Error, Result, delivery::Inner, follow::Pulse, waiting::Counted};

/// How often a waiting client is noted to be there.
const HEARTBEAT: Duration = Duration::from_secs(20);

impl Delivery {
    /// Answers a request of sliding sync: the JSON body.
    ///
    /// # Errors
    /// [`Error::UnknownPos`]; [`Error::InvalidParam`]; [`Error::SessionEnded`] if the device is logged out meanwhile; storage's.
    pub async fn sliding_sync(
        &self,
        user_id: &UserId,
        device_id: &DeviceId,
        query: SlidingQuery,
        body: SlidingBody,
    ) -> Result<Bytes> {
        let inner = &*self.inner;
        let mut asked = Box::new(Asked::new(user_id, query, body, &inner.sliding.hasher)?);
        let reader = Reader {
            user_id: user_id.to_owned(),
            device_id: device_id.to_owned(),
        };
        let deadline = Instant::now() + asked.timeout.min(inner.config.longest_wait());
        inner
            .users
            .presence()
            .synced(user_id, device_id, &asked.set_presence);
        let began = inner.rooms.store().visible();
        let connections = &inner.sliding;
        let connection = match &asked.pos {
            None => connections.open(user_id, device_id, &asked.conn_id),
            Some(pos) => {
                let connection = connections
                    .find(user_id, device_id, &asked.conn_id)
                    .ok_or(Error::UnknownPos)?;
                if connection.lock().resume(pos) == Pos::Unknown {
                    return Err(Error::UnknownPos);
                }
                connection
            }
        };
        let turn = connection.lock().turn;
        let pulse = inner
            .follow
            .open(&inner.rooms, &inner.users, user_id)
            .await?;
        inner.confirm(&reader, &mut asked).await?;
        let waiting = Waiting {
            inner,
            reader: &reader,
            asked: &asked,
            connection: &connection,
            turn,
            began,
        };
        let answer = waiting.answer(&pulse, deadline).await;
        match &answer {
            Err(Error::SessionEnded) => connections.end(user_id, device_id),
            _ => connections.weigh(user_id, device_id, &connection),
        }
        answer
    }
}

/// A request that waits for its answer.
struct Waiting<'a> {
    inner: &'a Inner,
    reader: &'a Reader,
    asked: &'a Asked,
    connection: &'a Arc<Mutex<Connection>>,
    /// Its number: when a later one has come, this one is over.
    turn: u64,
    began: Position,
}

impl Waiting<'_> {
    async fn answer(&self, pulse: &Arc<Pulse>, deadline: Instant) -> Result<Bytes> {
        let inner = self.inner;
        let _counted = Counted::new("orvale_delivery_waiting_sliding_syncs");
        loop {
            // Registered before looking: what comes after the look wakes.
            let news = pulse.news.notified();
            let closing = inner.closing();
            tokio::pin!(news, closing);
            news.as_mut().enable();
            closing.as_mut().enable();
            let over = inner.is_closed() || Instant::now() >= deadline;
            if self.has_ended() {
                return Err(Error::SessionEnded);
            }
            if let Some(answer) = self.look(over)? {
                return Ok(answer);
            }
            let until = deadline.min(Instant::now() + HEARTBEAT);
            let woken = async {
                tokio::select! {
                    () = news => {}
                    () = closing => {}
                }
            };
            if timeout_at(until, woken).await.is_err() {
                inner.users.presence().synced(
                    &self.reader.user_id,
                    &self.reader.device_id,
                    &self.asked.set_presence,
                );
                pulse.touch();
            }
        }
    }

    fn has_ended(&self) -> bool {
        let device_id = self.reader.device_id.as_str();
        self.inner
            .follow
            .read()
            .session(&self.reader.user_id)
            .is_some_and(|session| session.has_ended(device_id, self.began))
    }

    fn look(&self, over: bool) -> Result<Option<Bytes>> {
        let mut connection = self.connection.lock();
        if connection.turn != self.turn {
            // The client asks anew and does not wait for this one.
            return Err(Error::UnknownPos);
        }
        self.inner
            .slide(self.reader, self.asked, &mut connection, over)
    }
}
