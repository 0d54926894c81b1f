//! People and rooms to try things with: what `orvale serve --demo` puts into an empty server.
//!
//! Made through the same handles as everything else, so it also shows how they are used.
//!
//! | file | holds |
//! |---|---|
//! | `people.rs` | who there is |
//! | `organisation.rs`, `conversations.rs` | the rooms, and what is said in them |
//! | `rooms.rs`, `messages.rs` | how these are made |

mod conversations;
mod messages;
mod organisation;
mod people;
mod rooms;

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::{Duration, SystemTime},
};

use anyhow::Result;
use orvale_client_api::ApiState;
use orvale_rooms::Rooms;
use orvale_storage::Position;
use orvale_users::Users;
use ruma::{MilliSecondsSinceUnixEpoch, OwnedUserId, UInt};

pub(crate) use people::logins;

/// So many minutes ago everybody joined.
const JOINED: u64 = 590;

struct Demo<'a> {
    rooms: &'a Rooms,
    users: &'a Users,
    people: Vec<OwnedUserId>,
    sent: AtomicU64,
}

/// Fills a server in which nothing has happened yet; does nothing to any other.
pub(crate) async fn fill_if_empty(state: &ApiState) -> Result<()> {
    if state.rooms.store().visible() > Position::START {
        return Ok(());
    }
    let demo = Demo {
        rooms: &state.rooms,
        users: &state.users,
        people: people::create(&state.users).await?,
        sent: 0.into(),
    };
    let space = demo.organisation().await?;
    demo.welcome(&space).await?;
    demo.help_desk(&space).await?;
    demo.announcements(&space).await?;
    demo.design(&space).await?;
    demo.leadership(&space).await?;
    demo.running(&space).await?;
    demo.lunch().await?;
    demo.move_day().await?;
    demo.direct().await
}

impl Demo<'_> {
    /// A number that nothing else has.
    fn next(&self) -> u64 {
        self.sent.fetch_add(1, Ordering::Relaxed)
    }
}

fn ago(minutes: u64) -> MilliSecondsSinceUnixEpoch {
    let then = SystemTime::now() - Duration::from_secs(60 * minutes);
    MilliSecondsSinceUnixEpoch::from_system_time(then)
        .unwrap_or_else(|| MilliSecondsSinceUnixEpoch(UInt::new_saturating(0)))
}
