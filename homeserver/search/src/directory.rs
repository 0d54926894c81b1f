//! The user directory, kept up to date.
//!
//! It holds the accounts of this server and those users of others that were seen in rooms, by the words of their names. It
//! follows the log, and writes only when somebody is new or called otherwise.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use orvale_rooms::Rooms;
use orvale_storage::{
    Batch, Entry, Follower, Position,
    trees::{
        search::{PEOPLE, PEOPLE_WORDS, PersonRecord},
        users::ACCOUNTS,
    },
};
use ruma::{OwnedUserId, UserId, events::StateEventType};
use tokio::sync::watch;

use crate::{Result, follow::stopped, words::words};

/// How many entries of the log are read at a time.
const READ: usize = 500;

/// After so many entries in which nobody changed, the place in the log is kept all the same.
const IDLE: u64 = 5_000;

/// How long a failure is left alone.
const PAUSE: Duration = Duration::from_secs(5);

/// More words of a name are not looked for.
const MAX_WORDS: usize = 24;

/// The user directory. Cheap to clone.
#[derive(Clone)]
pub struct Directory {
    pub(crate) rooms: Rooms,
    pub(crate) search_all_users: bool,
    /// The last entry of the log that it takes into account.
    seen: Arc<watch::Sender<Position>>,
}

/// Somebody who was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// Who.
    pub user_id: OwnedUserId,
    /// What they call themselves.
    pub display_name: Option<String>,
    /// Their picture.
    pub avatar_url: Option<String>,
}

/// What became of people since the last look.
type Changes = BTreeMap<OwnedUserId, Option<PersonRecord>>;

impl Directory {
    pub(crate) fn new(rooms: Rooms, search_all_users: bool) -> Self {
        Self {
            rooms,
            search_all_users,
            seen: Arc::new(watch::channel(Position::START).0),
        }
    }

    /// Waits until it takes into account all that is in the log now.
    ///
    /// # Errors
    /// Storage's.
    pub async fn caught_up(&self) -> Result<()> {
        let mut seen = self.seen.subscribe();
        loop {
            let at = *seen.borrow_and_update();
            if self.rooms.store().log(at, 1)?.is_empty() {
                return Ok(());
            }
            // The sender lives in this directory.
            let _ = seen.changed().await;
        }
    }

    /// Follows the log until told to stop.
    pub(crate) async fn follow(self, mut stop: watch::Receiver<bool>) {
        loop {
            let following = async {
                let mut follower = self
                    .rooms
                    .store()
                    .follower("user_directory", Position::START)?;
                let mut done = follower.position();
                self.seen.send_replace(done);
                if done == Position::START {
                    self.begin(&follower).await?;
                }
                loop {
                    self.advance(&mut follower, &mut done).await?;
                }
            };
            let result: Result<()> = tokio::select! {
                () = stopped(&mut stop) => return,
                result = following => result,
            };
            if let Err(error) = result {
                tracing::error!(%error, "the user directory cannot be kept up to date");
            }
            tokio::select! {
                () = stopped(&mut stop) => return,
                () = tokio::time::sleep(PAUSE) => {}
            }
        }
    }

    /// Takes in the accounts that were there before the directory.
    async fn begin(&self, follower: &Follower) -> Result<()> {
        let mut after = String::new();
        loop {
            let accounts = self.rooms.store();
            let accounts = accounts.range(&ACCOUNTS, (&after,), ("\u{10ffff}",), false, READ)?;
            let Some(((last,), _)) = accounts.last() else {
                return Ok(());
            };
            after = format!("{last}\0");
            let mut changes = Changes::new();
            for ((localpart,), _) in accounts {
                let id = UserId::parse_with_server_name(localpart, self.rooms.server_name());
                if let Ok(user) = id {
                    let now = self.local(&user)?;
                    changes.insert(user, now);
                }
            }
            self.write(changes, follower, None).await?;
        }
    }

    async fn advance(&self, follower: &mut Follower, done: &mut Position) -> Result<()> {
        let entries = follower.next(READ).await?;
        let at = follower.position();
        let mut changes = Changes::new();
        for (position, entry) in entries {
            match entry {
                Entry::Profile { user_id } => {
                    if let Ok(user) = OwnedUserId::try_from(user_id) {
                        let now = self.local(&user)?;
                        changes.insert(user, now);
                    }
                }
                Entry::Event(record) if record.is_live() && may_be_member(&record.pdu) => {
                    let event = self.rooms.load(position, record)?;
                    let is_member =
                        event.pdu.kind.to_string() == StateEventType::RoomMember.to_string();
                    let user = event.pdu.state_key.as_deref().filter(|_| is_member);
                    let Some(Ok(user)) = user.map(OwnedUserId::try_from) else {
                        continue;
                    };
                    if self.rooms.users().is_local(&user) {
                        // The profile is what counts, and says by itself when it changes.
                        continue;
                    }
                    if event.pdu.content_field::<String>("membership").as_deref() == Some("join") {
                        let name = event.pdu.content_field("displayname");
                        let avatar = event.pdu.content_field("avatar_url");
                        let now = record_of(&user, name, avatar);
                        changes.insert(user, Some(now));
                    }
                }
                _ => {}
            }
        }
        if !changes.is_empty() || at.0 - done.0 >= IDLE {
            self.write(changes, follower, Some(at)).await?;
            *done = at;
        }
        self.seen.send_replace(at);
        Ok(())
    }

    /// What the directory shows of an account; nothing of one that is gone, or a guest's.
    fn local(&self, user: &UserId) -> Result<Option<PersonRecord>> {
        let users = self.rooms.users();
        let is_there = users.is_local(user)
            && users.exists(user)?
            && !users.is_deactivated(user)?
            && !users.is_guest(user)?;
        if !is_there {
            return Ok(None);
        }
        let (name, avatar) = users.names(user)?;
        Ok(Some(record_of(
            user,
            name,
            avatar.map(|url| url.to_string()),
        )))
    }

    async fn write(
        &self,
        changes: Changes,
        follower: &Follower,
        done: Option<Position>,
    ) -> Result<()> {
        let store = self.rooms.store();
        let mut batch = Batch::new();
        for (user, now) in changes {
            let before = store.get(&PEOPLE, (&user,))?;
            if before == now {
                continue;
            }
            for word in before.iter().flat_map(|before| &before.words) {
                batch.delete(&PEOPLE_WORDS, (word, &user));
            }
            match now {
                Some(now) => {
                    for word in &now.words {
                        batch.put(&PEOPLE_WORDS, (word, &user), &());
                    }
                    batch.put(&PEOPLE, (&user,), &now);
                }
                None => {
                    batch.delete(&PEOPLE, (&user,));
                }
            }
        }
        if let Some(done) = done {
            follower.done_in(&mut batch, done);
        }
        store.commit(batch).await?;
        Ok(())
    }
}

/// Whether canonical JSON can be that of a member event: a look that spares reading the others.
fn may_be_member(pdu: &[u8]) -> bool {
    std::str::from_utf8(pdu).is_ok_and(|pdu| pdu.contains("\"type\":\"m.room.member\""))
}

fn record_of(
    user: &UserId,
    display_name: Option<String>,
    avatar_url: Option<String>,
) -> PersonRecord {
    let localpart = user.localpart().to_lowercase();
    let of_name = display_name.iter().flat_map(|name| words(name));
    let found = words(&localpart).into_iter().chain(of_name);
    let found: BTreeSet<_> = [localpart.clone()]
        .into_iter()
        .chain(found.map(|word| word.text))
        .filter(|word| !word.is_empty())
        .collect();
    PersonRecord {
        display_name,
        avatar_url,
        words: found.into_iter().take(MAX_WORDS).collect(),
    }
}
