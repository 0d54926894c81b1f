//! Which threads a user follows: kept by `users`, for threads that the user may see.

use std::sync::Arc;

use orvale_storage::Position;
use ruma::{EventId, RoomId, UserId};

use crate::{
    Rooms,
    error::{Error, Result},
    event::StoredEvent,
};

impl Rooms {
    /// Whether a user follows a thread: if so, whether a client began that by itself.
    ///
    /// # Errors
    /// [`Error::UnknownEvent`] if the user cannot see the thread's first event.
    pub fn thread_subscription(
        &self,
        user: &UserId,
        room: &RoomId,
        root: &EventId,
    ) -> Result<Option<bool>> {
        let thread = self.thread_event(user, room, root)?;
        Ok(self.users().thread_subscription(user, thread.room, root)?)
    }

    /// A user follows a thread; `cause` is the event in it for which a client says so by itself.
    ///
    /// # Errors
    /// [`Error::UnknownEvent`] if the user cannot see one of the events, [`Error::NotInThread`]; those of `users`.
    pub async fn subscribe_to_thread(
        &self,
        user: &UserId,
        room: &RoomId,
        root: &EventId,
        cause: Option<&EventId>,
    ) -> Result<()> {
        let thread = self.thread_event(user, room, root)?.room;
        let cause = cause
            .map(|cause| self.place_in_thread(user, room, root, cause))
            .transpose()?;
        let users = self.users();
        Ok(users.subscribe_to_thread(user, thread, root, cause).await?)
    }

    /// A user stops following a thread.
    ///
    /// # Errors
    /// [`Error::UnknownEvent`] if the user cannot see the thread's first event; those of `users`.
    pub async fn unsubscribe_from_thread(
        &self,
        user: &UserId,
        room: &RoomId,
        root: &EventId,
    ) -> Result<()> {
        let thread = self.thread_event(user, room, root)?.room;
        let users = self.users();
        Ok(users.unsubscribe_from_thread(user, thread, root).await?)
    }

    fn thread_event(&self, user: &UserId, room: &RoomId, id: &EventId) -> Result<Arc<StoredEvent>> {
        let room = self
            .find(room)?
            .ok_or_else(|| Error::UnknownEvent(id.to_owned()))?;
        self.visible_event(user, &room, id)
    }

    fn place_in_thread(
        &self,
        user: &UserId,
        room: &RoomId,
        root: &EventId,
        cause: &EventId,
    ) -> Result<Position> {
        let event = self.thread_event(user, room, cause)?;
        if cause == root || self.thread_of(&event)?.as_deref() == Some(root) {
            Ok(event.position)
        } else {
            Err(Error::NotInThread(cause.to_owned()))
        }
    }
}
