//! One sync: which news there is for a client since its token.
//!
//! - this file: the request, waiting.
//! - `answer.rs`: the answer as a whole; each section has a file: `room.rs` (rooms that the user is in or was), `invited.rs`,
//!   `ephemeral.rs`, `devices.rs`, `device_lists.rs`, `presence.rs`.
//! - `timeline.rs`, `state.rs`: what a room's section holds of its history and its state.
//! - `token.rs`, `filter.rs`, `lazy.rs`: the token, the filter, which members a client has.
//! - `json.rs`: writing.
//!
//! What an answer tells is fixed at its start: everything up to the position that the follower has reached. While a request
//! waits it holds its token, its filter and a notification, nothing else.

mod answer;
pub(crate) mod device_lists;
#[cfg(test)]
mod device_lists_tests;
mod devices;
mod ephemeral;
pub(crate) mod filter;
mod invited;
pub(crate) mod json;
pub(crate) mod lazy;
mod presence;
mod room;
mod state;
mod summary;
#[cfg(test)]
mod tests;
mod timeline;
mod token;
#[cfg(test)]
mod truth_tests;

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use orvale_storage::Position;
use ruma::{
    DeviceId, OwnedDeviceId, OwnedUserId, UserId,
    api::client::sync::sync_events::v3::{Filter as FilterChoice, Request},
    presence::PresenceState,
};
use tokio::time::{Instant, timeout_at};

use self::{answer::Reached, filter::Filter, token::Token};
use crate::{
    Delivery, Error, Result,
    delivery::{Inner, blocking},
    follow::Pulse,
    waiting::Counted,
};

/// How often a waiting client is noted to be there.
const HEARTBEAT: Duration = Duration::from_secs(20);

/// Rooms in one answer beyond which it is not made between other tasks' turns.
const MANY_ROOMS: usize = 8;

/// What a client asks for.
pub(crate) struct Asked {
    pub(crate) user_id: OwnedUserId,
    pub(crate) device_id: OwnedDeviceId,
    pub(crate) filter: Filter,
    pub(crate) since: Option<Token>,
    pub(crate) full_state: bool,
    pub(crate) state_after: bool,
}

impl Delivery {
    /// Answers a sync: the JSON body.
    ///
    /// # Errors
    /// [`Error::InvalidToken`], [`Error::FutureToken`], [`Error::InvalidFilter`], [`Error::UnknownFilter`];
    /// [`Error::SessionEnded`] if the device is logged out meanwhile; storage's.
    pub async fn sync(
        &self,
        user_id: &UserId,
        device_id: &DeviceId,
        request: Request,
    ) -> Result<Bytes> {
        let inner = &*self.inner;
        let timeout = request
            .timeout
            .unwrap_or_default()
            .min(inner.config.longest_wait());
        let deadline = Instant::now() + timeout;
        let set_presence = request.set_presence.clone();
        let asked = Box::new(inner.asked(user_id, device_id, request)?);
        inner
            .users
            .presence()
            .synced(user_id, device_id, &set_presence);
        let began = inner.rooms.store().visible();
        let pulse = inner
            .follow
            .open(&inner.rooms, &inner.users, user_id)
            .await?;
        if let Some(since) = &asked.since {
            if since.position > inner.follow.read().at {
                return Err(Error::FutureToken);
            }
            inner.acknowledge(&asked, since).await?;
        }
        let waits = asked.since.is_some() && !asked.full_state && !timeout.is_zero();
        if !waits {
            return Ok(inner
                .answer(&asked, &mut Reached::since(asked.since.as_ref()), true)?
                .expect("asked for an answer"));
        }
        inner
            .wait(&asked, &pulse, deadline, began, &set_presence)
            .await
    }
}

impl Inner {
    fn asked(&self, user_id: &UserId, device_id: &DeviceId, request: Request) -> Result<Asked> {
        let filter = match request.filter {
            None => Filter::everything(),
            Some(FilterChoice::FilterDefinition(filter)) => Filter::new(&filter)?,
            Some(FilterChoice::FilterId(text)) if text.trim_start().starts_with('{') => {
                Filter::parse(&text)?
            }
            Some(FilterChoice::FilterId(id)) => match self.users.filter(user_id, &id) {
                Ok(filter) => Filter::new(&filter)?,
                Err(orvale_users::Error::NotFound(_)) => return Err(Error::UnknownFilter),
                Err(error) => return Err(error.into()),
            },
            Some(_) => return Err(Error::InvalidFilter("this is not a filter".to_owned())),
        };
        // Some clients name no token by an empty one.
        let since = request.since.as_deref().filter(|since| !since.is_empty());
        Ok(Asked {
            user_id: user_id.to_owned(),
            device_id: device_id.to_owned(),
            filter,
            since: since
                .map(|since| Token::parse(since, self.process))
                .transpose()?,
            full_state: request.full_state,
            state_after: request.use_state_after,
        })
    }

    /// Waits for news that the client wants, until the deadline.
    async fn wait(
        &self,
        asked: &Asked,
        pulse: &Arc<Pulse>,
        deadline: Instant,
        began: Position,
        set_presence: &PresenceState,
    ) -> Result<Bytes> {
        let _counted = Counted::new("orvale_delivery_waiting_syncs");
        let mut reached = Reached::since(asked.since.as_ref());
        loop {
            // Registered before looking: what comes after the look wakes.
            let news = pulse.news.notified();
            let closing = self.closing();
            tokio::pin!(news, closing);
            news.as_mut().enable();
            closing.as_mut().enable();
            let over = self.is_closed() || Instant::now() >= deadline;
            let has_ended = self
                .follow
                .read()
                .session(&asked.user_id)
                .is_some_and(|session| session.has_ended(asked.device_id.as_str(), began));
            if has_ended {
                return Err(Error::SessionEnded);
            }
            if let Some(answer) = self.answer(asked, &mut reached, over)? {
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
                self.users
                    .presence()
                    .synced(&asked.user_id, &asked.device_id, set_presence);
                pulse.touch();
            }
        }
    }

    /// The answer, if there is anything to tell beyond what was reached; or in any case, if `always`.
    fn answer(&self, asked: &Asked, reached: &mut Reached, always: bool) -> Result<Option<Bytes>> {
        let Some(news) = self.news(asked, reached, always) else {
            return Ok(None);
        };
        let is_long = news.rooms.len() > MANY_ROOMS;
        let (body, is_empty) = if is_long {
            blocking(|| self.write(asked, &news))?
        } else {
            self.write(asked, &news)?
        };
        *reached = news.reached;
        Ok((always || !is_empty).then_some(body))
    }
}
