//! Profiles: display name, avatar and any other field.

use std::collections::BTreeMap;

use orvale_storage::{
    Batch, Entry,
    record::JsonText,
    trees::users::{PROFILES, Profile},
};
use ruma::{MxcUri, OwnedMxcUri, UserId};
use serde_json::Value;

use crate::{Error, Result, Users, config};

/// A profile as a whole is smaller than this.
const MAX_BYTES: usize = 65_536;
const MAX_NAME_BYTES: usize = 255;

const DISPLAY_NAME: &str = "displayname";
const AVATAR_URL: &str = "avatar_url";
/// What somebody says of how available they are: `schemas/events/com.orvale.status.schema.json`.
pub(crate) const STATUS: &str = "com.orvale.status";

/// What a change to a profile comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProfileChange {
    /// It was so before.
    None,
    /// A field that rooms do not show.
    Field,
    /// Display name or avatar, which the member events of the user's rooms repeat: they are to be brought up to date.
    ShownInRooms,
}

impl Users {
    /// A profile's fields. A user who set none, or does not exist, has none.
    ///
    /// # Errors
    /// Storage; [`Error::NotLocal`].
    pub fn profile(&self, user_id: &UserId) -> Result<BTreeMap<String, JsonText>> {
        Ok(self.stored_profile(user_id)?.unwrap_or_default().fields)
    }

    /// One field of a profile.
    ///
    /// # Errors
    /// Storage; [`Error::NotLocal`].
    pub fn profile_field(&self, user_id: &UserId, name: &str) -> Result<Option<JsonText>> {
        Ok(self.profile(user_id)?.remove(name))
    }

    /// A user's display name.
    ///
    /// # Errors
    /// Storage; [`Error::NotLocal`].
    pub fn display_name(&self, user_id: &UserId) -> Result<Option<String>> {
        Ok(self.names(user_id)?.0)
    }

    /// What member events repeat of a profile: display name and avatar.
    ///
    /// # Errors
    /// Storage; [`Error::NotLocal`].
    pub fn names(&self, user_id: &UserId) -> Result<(Option<String>, Option<OwnedMxcUri>)> {
        let fields = self.profile(user_id)?;
        let text = |name: &str| {
            fields
                .get(name)
                .and_then(|value| value.parse::<String>().ok())
        };
        Ok((text(DISPLAY_NAME), text(AVATAR_URL).map(Into::into)))
    }

    /// Sets a field. For display name and avatar, null and the empty text remove it.
    ///
    /// # Errors
    /// [`Error::InvalidParam`], [`Error::ProfileKeyTooLarge`], [`Error::ProfileTooLarge`], [`Error::Suspended`]; storage.
    pub async fn set_profile_field(
        &self,
        user_id: &UserId,
        name: &str,
        value: Value,
    ) -> Result<ProfileChange> {
        check_name(name)?;
        if (name == DISPLAY_NAME || name == AVATAR_URL) && (value.is_null() || value == "") {
            return self.change_field(user_id, name, None).await;
        }
        check_value(name, &value)?;
        if name == STATUS {
            check_status(&value, &self.config().presence)?;
        }
        let value = JsonText::of(&value).map_err(|e| Error::Internal(e.to_string()))?;
        self.change_field(user_id, name, Some(value)).await
    }

    /// Removes a field; nothing if it is not there.
    ///
    /// # Errors
    /// [`Error::InvalidParam`], [`Error::ProfileKeyTooLarge`]; storage.
    pub async fn remove_profile_field(
        &self,
        user_id: &UserId,
        name: &str,
    ) -> Result<ProfileChange> {
        check_name(name)?;
        self.change_field(user_id, name, None).await
    }

    async fn change_field(
        &self,
        user_id: &UserId,
        name: &str,
        value: Option<JsonText>,
    ) -> Result<ProfileChange> {
        let localpart = self.localpart(user_id)?;
        let write = self.write_at(1, |places| {
            let before = self.stored_profile(user_id)?;
            let mut fields = before.clone().unwrap_or_default().fields;
            match &value {
                Some(value) => fields.insert(name.to_owned(), value.clone()),
                None => fields.remove(name),
            };
            let mut batch = Batch::new();
            if before
                .as_ref()
                .map_or(fields.is_empty(), |before| before.fields == fields)
            {
                return Ok((batch, ProfileChange::None));
            }
            if value.is_some() && size(&fields) >= MAX_BYTES {
                return Err(Error::ProfileTooLarge);
            }
            batch.expect(&PROFILES, (localpart,), before.as_ref());
            batch.put(
                &PROFILES,
                (localpart,),
                &Profile {
                    at: places.at(0),
                    fields,
                },
            );
            batch.log(Entry::Profile {
                user_id: user_id.to_string(),
            });
            let shown = name == DISPLAY_NAME || name == AVATAR_URL;
            Ok((
                batch,
                if shown {
                    ProfileChange::ShownInRooms
                } else {
                    ProfileChange::Field
                },
            ))
        });
        let change = write.await?;
        if name == STATUS && change != ProfileChange::None {
            self.presence().chose(user_id);
        }
        Ok(change)
    }

    fn stored_profile(&self, user_id: &UserId) -> Result<Option<Profile>> {
        Ok(self.store().get(&PROFILES, (self.localpart(user_id)?,))?)
    }
}

/// The bytes of a profile as the JSON object that is answered.
fn size(fields: &BTreeMap<String, JsonText>) -> usize {
    2 + fields
        .iter()
        .map(|(name, value)| name.len() + value.0.len() + 4)
        .sum::<usize>()
}

/// `avatar_url`, `displayname`, or a namespaced identifier.
///
/// <https://spec.matrix.org/latest/appendices/#common-namespaced-identifier-grammar>
fn check_name(name: &str) -> Result<()> {
    if name.len() > MAX_NAME_BYTES {
        return Err(Error::ProfileKeyTooLarge);
    }
    let well_formed = |part: &str| {
        part.starts_with(|c: char| c.is_ascii_lowercase())
            && part.bytes().all(|byte| {
                byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_' || byte == b'-'
            })
    };
    let namespaced = name.contains('.') && name.split('.').all(well_formed);
    if name == DISPLAY_NAME || name == AVATAR_URL || namespaced {
        return Ok(());
    }
    Err(Error::InvalidParam(
        "a profile field is displayname, avatar_url or a name like org.example.field".to_owned(),
    ))
}

fn check_value(name: &str, value: &Value) -> Result<()> {
    let refused = |reason: &str| Err(Error::InvalidParam(reason.to_owned()));
    match (name, value.as_str()) {
        (DISPLAY_NAME, Some(text)) if text.chars().count() <= 256 => Ok(()),
        (DISPLAY_NAME, _) => refused("a display name is a text of at most 256 characters"),
        (AVATAR_URL, Some(url)) if url.len() <= 1000 && <&MxcUri>::from(url).is_valid() => Ok(()),
        (AVATAR_URL, _) => refused("an avatar is an mxc: URI"),
        ("m.tz", Some(zone)) if !zone.is_empty() && zone.len() <= 64 => Ok(()),
        ("m.tz", _) => refused("a time zone is the name of one, like Europe/Berlin"),
        _ => Ok(()),
    }
}

/// Something to say goes with every state but offline, an away message with being away alone.
fn check_status(value: &Value, config: &config::Presence) -> Result<()> {
    let refused = |reason: &str| Err(Error::InvalidParam(reason.to_owned()));
    let Some(fields) = value.as_object() else {
        return refused("a status is an object");
    };
    let state = fields.get("state").and_then(Value::as_str);
    if !matches!(state, Some("online" | "away" | "busy" | "offline")) {
        return refused("the state of a status is online, away, busy or offline");
    }
    for name in ["message", "away_message"] {
        match fields.get(name) {
            None => {}
            Some(Value::String(text)) if text.is_empty() => {}
            Some(Value::String(_)) if state == Some("offline") => {
                return refused("who is offline has no status message");
            }
            Some(Value::String(_)) if name == "away_message" && state != Some("away") => {
                return refused("an away message is for who is away");
            }
            Some(Value::String(text)) => config.check_status_message(text)?,
            Some(_) => return refused("a status message is a text"),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::testing::users;

    #[tokio::test]
    async fn fields_are_set_read_and_removed() {
        let users = users();
        let alice = users.account("alice").await;
        let set = async |name: &str, value| users.set_profile_field(&alice, name, value).await;
        assert_eq!(
            set("displayname", json!("Alice")).await.unwrap(),
            ProfileChange::ShownInRooms
        );
        assert_eq!(
            set("displayname", json!("Alice")).await.unwrap(),
            ProfileChange::None
        );
        assert_eq!(
            set("avatar_url", json!("mxc://example.org/a"))
                .await
                .unwrap(),
            ProfileChange::ShownInRooms
        );
        assert_eq!(
            set("com.orvale.status", json!({ "state": "busy" }))
                .await
                .unwrap(),
            ProfileChange::Field
        );
        assert_eq!(
            set("m.tz", json!("Europe/Berlin")).await.unwrap(),
            ProfileChange::Field
        );
        assert_eq!(
            set("org.example.nothing", Value::Null).await.unwrap(),
            ProfileChange::Field
        );
        let (name, avatar) = users.names(&alice).unwrap();
        assert_eq!(
            (name.as_deref(), avatar.as_deref()),
            (Some("Alice"), Some("mxc://example.org/a".into()))
        );
        assert_eq!(users.profile(&alice).unwrap().len(), 5);
        assert_eq!(
            users
                .profile_field(&alice, "com.orvale.status")
                .unwrap()
                .unwrap()
                .0,
            r#"{"state":"busy"}"#
        );
        assert_eq!(
            users.remove_profile_field(&alice, "m.tz").await.unwrap(),
            ProfileChange::Field
        );
        assert_eq!(
            users.remove_profile_field(&alice, "m.tz").await.unwrap(),
            ProfileChange::None
        );
        assert_eq!(
            set("displayname", Value::Null).await.unwrap(),
            ProfileChange::ShownInRooms
        );
        assert_eq!(
            set("avatar_url", json!("")).await.unwrap(),
            ProfileChange::ShownInRooms
        );
        assert_eq!(users.names(&alice).unwrap(), (None, None));
    }

    #[tokio::test]
    async fn values_and_names_are_checked() {
        let users = users();
        let alice = users.account("alice").await;
        for (name, value) in [
            ("displayname", json!(7)),
            ("displayname", json!("x".repeat(257))),
            ("avatar_url", json!("https://example.org/a.png")),
            ("m.tz", json!({})),
            ("plain", json!("x")),
            ("Org.Example", json!("x")),
            ("org..example", json!("x")),
            ("org.example/field", json!("x")),
            ("", json!("x")),
            ("com.orvale.status", json!("away")),
            ("com.orvale.status", json!({ "state": "asleep" })),
            (
                "com.orvale.status",
                json!({ "state": "offline", "message": "gone" }),
            ),
            (
                "com.orvale.status",
                json!({ "state": "online", "away_message": "back soon" }),
            ),
            (
                "com.orvale.status",
                json!({ "state": "away", "away_message": "x".repeat(101) }),
            ),
        ] {
            let refused = users.set_profile_field(&alice, name, value.clone()).await;
            assert!(
                matches!(refused, Err(Error::InvalidParam(_))),
                "{name} {value}"
            );
        }
        let long = format!("org.{}", "x".repeat(252));
        let refused = users.set_profile_field(&alice, &long, json!(1)).await;
        assert!(matches!(refused, Err(Error::ProfileKeyTooLarge)));
    }

    #[tokio::test]
    async fn a_status_is_as_its_schema_says() {
        let users = users();
        let alice = users.account("alice").await;
        let example = include_str!("../../../schemas/events/com.orvale.status.example.json");
        let example: Value = serde_json::from_str(example).unwrap();
        users
            .set_profile_field(&alice, STATUS, example)
            .await
            .unwrap();
        let quiet = config::Presence {
            status_messages: false,
            ..Default::default()
        };
        let silent = json!({ "state": "away", "away_message": "" });
        assert!(check_status(&silent, &quiet).is_ok());
        let telling = json!({ "state": "busy", "message": "on a call" });
        assert!(matches!(
            check_status(&telling, &quiet),
            Err(Error::Forbidden(_))
        ));
    }

    #[tokio::test]
    async fn a_profile_stays_below_64_kib() {
        let users = users();
        let alice = users.account("alice").await;
        users
            .set_profile_field(&alice, "org.example.a", json!("x".repeat(60_000)))
            .await
            .unwrap();
        let refused = users
            .set_profile_field(&alice, "org.example.b", json!("x".repeat(6_000)))
            .await;
        assert!(matches!(refused, Err(Error::ProfileTooLarge)));
        users
            .set_profile_field(&alice, "org.example.b", json!("x".repeat(5_000)))
            .await
            .unwrap();
        let answered = JsonText::of(
            &users
                .profile(&alice)
                .unwrap()
                .into_iter()
                .map(|(k, v)| (k, v.parse().unwrap()))
                .collect::<BTreeMap<_, Value>>(),
        );
        assert!(answered.unwrap().0.len() < MAX_BYTES);
    }

    #[tokio::test]
    async fn changes_are_in_the_log() {
        let users = users();
        let alice = users.account("alice").await;
        let before = users.store().visible();
        users
            .set_profile_field(&alice, "displayname", json!("Alice"))
            .await
            .unwrap();
        users
            .set_profile_field(&alice, "displayname", json!("Alice"))
            .await
            .unwrap();
        let told = users.store().log(before, 10).unwrap();
        assert_eq!(told.len(), 1);
        assert_eq!(
            told[0].1,
            Entry::Profile {
                user_id: alice.to_string()
            }
        );
    }
}
