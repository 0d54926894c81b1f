//! What a user keeps when a room that was upgraded is followed into the new one: tags, notification settings, its place among
//! direct chats.

use ruma::{
    OwnedRoomId, RoomId, UserId,
    events::StateEventType,
    push::{NewConditionalPushRule, NewPushRule, NewSimplePushRule, PushCondition},
};
use serde_json::{Map, Value};

use crate::{Room, Rooms, error::Result};

const DIRECT: &str = "m.direct";

impl Rooms {
    /// Gives a user's new room what they had set for the one it took the place of, if it took the place of one of theirs.
    pub(crate) async fn carry_over(&self, user: &UserId, new: &Room) {
        if let Err(error) = self.try_carry_over(user, new).await {
            tracing::warn!(room_id = %new.id, user_id = %user, %error, "settings not carried over to an upgraded room");
        }
    }

    async fn try_carry_over(&self, user: &UserId, new: &Room) -> Result<()> {
        #[derive(serde::Deserialize)]
        struct Predecessor {
            room_id: OwnedRoomId,
        }
        let create = self.find_state(new, &StateEventType::RoomCreate, "")?;
        let before = create.and_then(|event| event.pdu.content_field::<Predecessor>("predecessor"));
        let Some(before) = before else { return Ok(()) };
        let Some(old) = self.find(&before.room_id)? else {
            return Ok(());
        };
        let was_there = self
            .find_membership(&old, user)?
            .is_some_and(|record| record.was_joined);
        let tombstone = self.find_state(&old, &StateEventType::RoomTombstone, "")?;
        let successor =
            tombstone.and_then(|e| e.pdu.content_field::<OwnedRoomId>("replacement_room"));
        // Anybody can say that their room comes after another; the other one must say so too.
        if !was_there || successor.as_ref() != Some(&new.id) {
            return Ok(());
        }
        let kept = self.users().tags(user, new.number)?;
        for (tag, info) in self.users().tags(user, old.number)? {
            if !kept.contains_key(&tag) {
                self.users().set_tag(user, new.number, &tag, info).await?;
            }
        }
        self.carry_over_rules(user, &old.id, &new.id).await?;
        self.carry_over_direct(user, &old.id, &new.id).await
    }

    async fn carry_over_rules(&self, user: &UserId, old: &RoomId, new: &RoomId) -> Result<()> {
        let rules = self.users().push_rules(user)?;
        let mut added = Vec::new();
        if let Some(rule) = rules.room.iter().find(|rule| rule.rule_id == old) {
            let rule = NewSimplePushRule::new(new.to_owned(), rule.actions.clone());
            added.push(NewPushRule::Room(rule));
        }
        // Clients mute a room by a rule of this kind, named after it.
        if let Some(rule) = rules
            .override_
            .iter()
            .find(|rule| rule.rule_id == old.as_str())
        {
            let renamed = |condition: &PushCondition| {
                let mut condition = condition.clone();
                if let PushCondition::EventMatch(data) = &mut condition
                    && data.key == "room_id"
                    && data.pattern == old.as_str()
                {
                    data.pattern = new.to_string();
                }
                condition
            };
            let conditions = rule.conditions.iter().map(renamed).collect();
            let rule =
                NewConditionalPushRule::new(new.to_string(), conditions, rule.actions.clone());
            added.push(NewPushRule::Override(rule));
        }
        for rule in added {
            self.users().set_push_rule(user, rule, None, None).await?;
        }
        Ok(())
    }

    async fn carry_over_direct(&self, user: &UserId, old: &RoomId, new: &RoomId) -> Result<()> {
        let Some(content) = self.users().account_data(user, None, DIRECT)? else {
            return Ok(());
        };
        let mut direct: Map<String, Value> = content.parse().unwrap_or_default();
        let mut is_changed = false;
        for rooms in direct.values_mut().filter_map(Value::as_array_mut) {
            let has = |id: &RoomId| rooms.iter().any(|room| room == id.as_str());
            if has(old) && !has(new) {
                rooms.push(new.as_str().into());
                is_changed = true;
            }
        }
        if is_changed {
            let content = Value::Object(direct).to_string();
            self.users()
                .set_account_data(user, None, DIRECT, &content)
                .await?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use ruma::{RoomVersionId, push::Action};
    use serde_json::json;

    use super::*;
    use crate::{
        NewRoom, Preset,
        testing::{raw, rooms},
    };

    #[tokio::test]
    async fn who_follows_an_upgraded_room_keeps_their_settings() {
        let rooms = rooms();
        let [alice, bob] = rooms.people(["alice", "bob"]).await;
        let old = rooms
            .create(
                &alice,
                NewRoom {
                    preset: Preset::Public,
                    ..NewRoom::default()
                },
            )
            .await
            .unwrap();
        rooms.join(&bob, &old, None).await.unwrap();
        let users = rooms.users();
        users
            .set_tag(&bob, old.number, "m.favourite", Map::new())
            .await
            .unwrap();
        let direct = json!({alice.as_str(): [old.id], "@c:d": ["!other:a"]}).to_string();
        users
            .set_account_data(&bob, None, DIRECT, &direct)
            .await
            .unwrap();
        let rule = NewSimplePushRule::new(old.id.clone(), vec![Action::Notify]);
        users
            .set_push_rule(&bob, NewPushRule::Room(rule), None, None)
            .await
            .unwrap();

        let new = rooms
            .upgrade(&alice, &old, RoomVersionId::V12, &[])
            .await
            .unwrap();
        rooms.join(&bob, &new, None).await.unwrap();
        assert!(
            users
                .tags(&bob, new.number)
                .unwrap()
                .contains_key("m.favourite")
        );
        let direct: Value = users
            .account_data(&bob, None, DIRECT)
            .unwrap()
            .unwrap()
            .parse()
            .unwrap();
        assert_eq!(
            direct,
            json!({alice.as_str(): [old.id, new.id], "@c:d": ["!other:a"]})
        );
        assert!(
            users
                .push_rules(&bob)
                .unwrap()
                .room
                .iter()
                .any(|rule| rule.rule_id == new.id)
        );
    }

    #[tokio::test]
    async fn a_room_that_only_claims_to_come_after_another_gets_nothing() {
        let rooms = rooms();
        let [alice, bob] = rooms.people(["alice", "bob"]).await;
        let old = rooms.create(&bob, NewRoom::default()).await.unwrap();
        rooms
            .users()
            .set_tag(&bob, old.number, "m.favourite", Map::new())
            .await
            .unwrap();
        let claims = raw(&json!({"predecessor": {"room_id": old.id}}));
        let new = NewRoom {
            preset: Preset::Public,
            creation_content: Some(claims),
            ..NewRoom::default()
        };
        let new = rooms.create(&alice, new).await.unwrap();
        rooms.join(&bob, &new, None).await.unwrap();
        assert!(rooms.users().tags(&bob, new.number).unwrap().is_empty());
    }
}
