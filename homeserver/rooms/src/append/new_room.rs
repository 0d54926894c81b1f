//! Making rooms.

use std::sync::Arc;

use orvale_events::Template;
use orvale_storage::{
    Batch, Entry, Pending, Permit, Position,
    trees::rooms::{ROOM_NUMBERS, ROOMS, RoomRecord},
};
use ruma::{RoomVersionId, events::StateEventType, room_version_rules::RoomIdFormatVersion};

use super::{
    Draft,
    write::{Before, Made},
};
use crate::{
    Room, Rooms,
    error::{Error, Result},
    room::Head,
};

impl Rooms {
    /// Makes a room of its first events, the `m.room.create` first. Resolves when it is durable.
    ///
    /// # Errors
    /// As [`Rooms::append`], and [`Error::UnsupportedRoomVersion`].
    pub async fn append_new(
        &self,
        version: RoomVersionId,
        drafts: Vec<Draft>,
    ) -> Result<Arc<Room>> {
        self.append_new_with(version, drafts, |_, _| {}).await
    }

    /// As [`Rooms::append_new`], with more that is to be in the same batch; if a precondition of that does not hold, there
    /// is no room.
    pub(crate) async fn append_new_with(
        &self,
        version: RoomVersionId,
        drafts: Vec<Draft>,
        also: impl FnOnce(&Room, &mut Batch) + Send,
    ) -> Result<Arc<Room>> {
        let permit = self.inner.store.permit().await?;
        let rules = version
            .rules()
            .ok_or_else(|| Error::UnsupportedRoomVersion(version.to_string()))?;
        let mut drafts = drafts.into_iter();
        let create = drafts
            .next()
            .ok_or_else(|| Error::Internal("a room without events".to_owned()))?;
        let timestamp = create
            .timestamp
            .unwrap_or_else(|| self.time_of_a_new_room());
        let room_id = (rules.room_id_format == RoomIdFormatVersion::V1)
            .then(|| ruma::RoomId::new_v1(self.server_name()));
        let template = Template {
            room_id,
            sender: create.sender,
            kind: create.kind,
            state_key: create.state_key,
            content: create.content,
            redacts: None,
            prev_events: Vec::new(),
            auth_events: Vec::new(),
            depth: 1,
            origin_server_ts: timestamp,
        };
        let (pdu, json) = orvale_events::build(template, &rules, &self.inner.key)?;
        orvale_events::check(&rules.authorization, &pdu, |_| None, |_, _| None)
            .map_err(|e| Error::Forbidden(e.to_string()))?;
        if self.find(&pdu.room_id)?.is_some() {
            return Err(Error::Forbidden("that room exists already".to_owned()));
        }
        let pdu = Arc::new(pdu);
        let (room, pending) = {
            // The number is not known before the batch's place in the log is: until then, the room stands nowhere.
            let mut head = Head {
                extremities: vec![pdu.event_id.clone()],
                depth: 1,
                ..Head::default()
            };
            head.known.note(
                (StateEventType::RoomCreate, String::new()),
                Some(pdu.clone()),
            );
            let placeless = Room::new(
                Position::START,
                pdu.room_id.clone(),
                version,
                Head::default(),
            )?;
            let (_, mut made) = self.make(&placeless, &mut head, drafts.collect())?;
            made.insert(0, Made::new(pdu, json, Before::Head));
            self.write_new(placeless, head, made, permit, also)?
        };
        if let Err(error) = pending.await {
            self.inner.known.remove(&room);
            return Err(error.into());
        }
        Ok(room)
    }

    fn write_new(
        &self,
        placeless: Room,
        mut head: Head,
        made: Vec<Made>,
        permit: Permit,
        also: impl FnOnce(&Room, &mut Batch),
    ) -> Result<(Arc<Room>, Pending)> {
        let reserved = self.inner.store.reserve(permit, made.len() as u64 + 1);
        let room = Room::new(
            reserved.at(0),
            placeless.id,
            placeless.version,
            Head::default(),
        )?;
        head.extremities.clear();
        head.depth = 0;
        let mut batch = Batch::new();
        batch.log(Entry::Room {
            room_id: room.id.to_string(),
        });
        let record = RoomRecord {
            room_id: room.id.to_string(),
            version: room.version.to_string(),
        };
        batch
            .expect::<_, Position>(&ROOM_NUMBERS, (&room.id,), None)
            .put(&ROOMS, (room.number,), &record)
            .put(&ROOM_NUMBERS, (&room.id,), &room.number);
        let places: Vec<_> = (1..=made.len() as u64).map(|n| reserved.at(n)).collect();
        self.fill(&room, &mut head, made, &places, &mut batch)?;
        also(&room, &mut batch);
        let room = Arc::new(room);
        *room.lock() = head;
        let pending = self.inner.store.submit(reserved, batch);
        self.inner.known.insert(&room, self.inner.store.visible());
        Ok((room, pending))
    }
}
