//! Telling push gateways what users are notified of.
//!
//! - `roster.rs`: who has pushers, and which rooms these users are in.
//! - `dispatch.rs`: the follower of the log that finds out who is notified of what, and keeps its cursor.
//! - `queue.rs`: what each pusher is still to be told, and the task that tells it, again and again if need be.
//! - `badge.rs`: how much a user has not read in all rooms. `notification.rs`: the body of a request.
//! - `gateway.rs`: the request, to no address that is not public (`orvale-outward`).
//!
//! The log is the queue. In memory, and in the store at each cursor, there are just the numbers of a few events for each pusher; what
//! they say is read when they are sent, and what was read by its user meanwhile is not sent at all. After a crash some are sent twice,
//! which gateways know by the event's ID.

mod badge;
mod dispatch;
mod gateway;
mod notification;
mod queue;
mod roster;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use ruma::{OwnedUserId, api::client::push::PusherIds};

pub(crate) use self::{badge::Badges, gateway::Gateways, queue::Queues};
use crate::{Config, Result};

/// What telling push gateways needs besides the rest.
pub(crate) struct Pushers {
    pub(crate) gateways: Gateways,
    pub(crate) queues: Queues,
    pub(crate) badges: Badges,
}

impl Pushers {
    /// # Errors
    /// [`crate::Error::Config`].
    pub(crate) fn new(config: &Config) -> Result<Self> {
        Ok(Self {
            gateways: Gateways::new(&config.push)?,
            queues: Queues::default(),
            badges: Badges::default(),
        })
    }
}

/// A pusher: whose, and which.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct PusherKey {
    user_id: OwnedUserId,
    app_id: String,
    pushkey: String,
}

impl PusherKey {
    fn ids(&self) -> PusherIds {
        PusherIds::new(self.pushkey.clone(), self.app_id.clone())
    }
}

pub(crate) use dispatch::follow;

/// Keeps the parts alive that a task works with, for one step.
type Shared = Arc<crate::delivery::Inner>;
