//! Conversations outside the organisation's channels.

use anyhow::Result;
use orvale_rooms::{NewRoom, Preset};
use serde_json::json;

use super::{
    Demo,
    people::{ADA, BEN, CHIARA, DMITRI, ELIF, FARAH, GUS, HANA},
    rooms::state,
};

impl Demo<'_> {
    pub(super) async fn lunch(&self) -> Result<()> {
        let new = NewRoom {
            invite: self.ids(&[CHIARA, DMITRI]),
            ..NewRoom::default()
        };
        let room = self.room(ADA, new).await?;
        self.join(CHIARA, &room).await?;
        self.join(DMITRI, &room).await?;
        self.say(ADA, &room, 90, "Lunch at half past twelve?")
            .await?;
        let said = self.say(DMITRI, &room, 88, "Yes, I book a tabel").await?;
        self.edit(DMITRI, &room, 87, &said, "Yes, I book a table")
            .await
    }

    /// A larger group, of which four names are too many for a row.
    pub(super) async fn move_day(&self) -> Result<()> {
        let who = [ELIF, FARAH, GUS, HANA];
        let new = NewRoom {
            invite: self.ids(&who),
            initial_state: vec![state("com.orvale.channel", &json!({ "kind": "group" }))?],
            ..NewRoom::default()
        };
        let room = self.room(ADA, new).await?;
        for who in who {
            self.join(who, &room).await?;
        }
        self.say(ADA, &room, 70, "Who can carry the plants on Friday?")
            .await?;
        self.say(GUS, &room, 65, "I have a van.").await?;
        Ok(())
    }

    pub(super) async fn direct(&self) -> Result<()> {
        let new = NewRoom {
            preset: Preset::TrustedPrivate,
            is_direct: true,
            invite: self.ids(&[BEN]),
            ..NewRoom::default()
        };
        let room = self.room(ADA, new).await?;
        self.join(BEN, &room).await?;
        for (who, other) in [(ADA, BEN), (BEN, ADA)] {
            let direct = json!({ &self.people[other]: [&room] });
            self.users
                .set_account_data(&self.people[who], None, "m.direct", &direct.to_string())
                .await?;
        }
        self.say(
            ADA,
            &room,
            30,
            "Ben, could you show Elif the ticket system this afternoon?",
        )
        .await?;
        self.say(BEN, &room, 28, "With pleasure. At three?").await?;
        self.say(ADA, &room, 27, "Perfect, thank you.").await?;
        Ok(())
    }
}
