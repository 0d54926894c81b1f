//! The organisation's space and its channels, and what is said there.

use anyhow::Result;
use orvale_rooms::{NewRoom, Preset};
use ruma::{OwnedRoomId, RoomId};
use serde_json::{json, value::to_raw_value};

use super::{
    Demo,
    people::{ADA, BEN, CHIARA, DMITRI, ELIF, FARAH, GUS, HANA},
    rooms::{Access, Channel, EVERYBODY_WRITES, MODERATORS_WRITE},
};

impl Demo<'_> {
    /// The space in which everybody is and all channels are.
    pub(super) async fn organisation(&self) -> Result<OwnedRoomId> {
        let new = NewRoom {
            preset: Preset::Public,
            alias: Some("orvale".to_owned()),
            name: Some("Orvale & Sons".to_owned()),
            topic: Some("All of us".to_owned()),
            creation_content: Some(to_raw_value(&json!({ "type": "m.space" }))?),
            ..NewRoom::default()
        };
        let space = self.room(ADA, new).await?;
        for who in BEN..=HANA {
            self.join(who, &space).await?;
        }
        Ok(space)
    }

    pub(super) async fn welcome(&self, space: &RoomId) -> Result<()> {
        let channel = Channel {
            creator: ADA,
            alias: "welcome",
            name: "Welcome",
            topic: "Say hello, and ask where things are",
            access: Access::Everybody,
            posting: EVERYBODY_WRITES,
            roles: &[(BEN, 50)],
        };
        let room = self.channel(space, channel).await?;
        for who in [BEN, CHIARA, DMITRI, ELIF] {
            self.join(who, &room).await?;
        }
        self.say(
            ADA,
            &room,
            300,
            "Good morning, and welcome to Orvale! This is where everybody is.",
        )
        .await?;
        let asked = self
            .say(
                ELIF,
                &room,
                240,
                "Hello all, I started in accounting today. Who do I ask about a badge?",
            )
            .await?;
        self.reply(
            BEN,
            &room,
            232,
            &asked,
            "Come by the help desk room, I make them. Two minutes.",
        )
        .await?;
        self.react(ELIF, &room, 230, &asked, "🙏").await?;
        let seen = self
            .say(
                CHIARA,
                &room,
                45,
                "The canteen has tiramisù today. You have been told.",
            )
            .await?;
        for who in [ADA, BEN, DMITRI] {
            self.react(who, &room, 40, &seen, "🍰").await?;
        }
        Ok(())
    }

    pub(super) async fn help_desk(&self, space: &RoomId) -> Result<()> {
        let channel = Channel {
            creator: BEN,
            alias: "help-desk",
            name: "Help desk",
            topic: "Something is broken? Tell us here",
            access: Access::Everybody,
            posting: EVERYBODY_WRITES,
            roles: &[],
        };
        let room = self.channel(space, channel).await?;
        for who in [ADA, DMITRI, ELIF] {
            self.join(who, &room).await?;
        }
        let broken = self
            .say(
                DMITRI,
                &room,
                180,
                "The printer on the second floor prints everything in green.",
            )
            .await?;
        self.thread(
            BEN,
            &room,
            175,
            &broken,
            "Green as in eco mode, or green as in green?",
        )
        .await?;
        self.thread(DMITRI, &room, 174, &broken, "Green as in a forest.")
            .await?;
        self.thread(
            BEN,
            &room,
            120,
            &broken,
            "Cartridges were swapped. It should be fine now.",
        )
        .await?;
        self.say(
            BEN,
            &room,
            60,
            "Maintenance tonight from 22:00 to 22:15: the wiki will be away.",
        )
        .await?;
        Ok(())
    }

    /// Only moderators write here; everybody reads and reacts.
    pub(super) async fn announcements(&self, space: &RoomId) -> Result<()> {
        let channel = Channel {
            creator: ADA,
            alias: "announcements",
            name: "Announcements",
            topic: "What everybody should know. Questions go to Welcome",
            access: Access::Everybody,
            posting: MODERATORS_WRITE,
            roles: &[(CHIARA, 50)],
        };
        let room = self.channel(space, channel).await?;
        for who in BEN..=HANA {
            self.join(who, &room).await?;
        }
        let moved = self
            .say(
                ADA,
                &room,
                400,
                "We move to the new building on Friday the 12th. Boxes are in the corridor from Monday.",
            )
            .await?;
        for who in [BEN, ELIF, FARAH, HANA] {
            self.react(who, &room, 390, &moved, "📦").await?;
        }
        self.say(
            CHIARA,
            &room,
            200,
            "The summer party is on the 20th. Bring somebody.",
        )
        .await?;
        Ok(())
    }

    /// For those of the organisation who look for it.
    pub(super) async fn design(&self, space: &RoomId) -> Result<()> {
        let channel = Channel {
            creator: CHIARA,
            alias: "design",
            name: "Design",
            topic: "Drafts, opinions, and which blue it is",
            access: Access::Organisation,
            posting: EVERYBODY_WRITES,
            roles: &[(FARAH, 75)],
        };
        let room = self.channel(space, channel).await?;
        for who in [FARAH, HANA] {
            self.join(who, &room).await?;
        }
        self.say(
            FARAH,
            &room,
            150,
            "The new forms are on the wiki. Be honest.",
        )
        .await?;
        self.say(
            HANA,
            &room,
            140,
            "Honestly? The button should not be a different blue from the link.",
        )
        .await?;
        Ok(())
    }

    /// For those who are invited.
    pub(super) async fn leadership(&self, space: &RoomId) -> Result<()> {
        let channel = Channel {
            creator: ADA,
            alias: "leadership",
            name: "Leadership",
            topic: "Plans that are not ready to be seen",
            access: Access::Invited,
            posting: EVERYBODY_WRITES,
            roles: &[(BEN, 75)],
        };
        let room = self.channel(space, channel).await?;
        for who in [BEN, FARAH] {
            self.stand(ADA, who, &room, "invite").await?;
        }
        self.join(BEN, &room).await?;
        self.say(
            ADA,
            &room,
            100,
            "Numbers for the quarter are in the folder.",
        )
        .await?;
        Ok(())
    }

    /// One asks, and somebody there lets one in.
    pub(super) async fn running(&self, space: &RoomId) -> Result<()> {
        let channel = Channel {
            creator: HANA,
            alias: "running",
            name: "Running club",
            topic: "Tuesdays at six, whatever the weather",
            access: Access::Knocking,
            posting: EVERYBODY_WRITES,
            roles: &[],
        };
        let room = self.channel(space, channel).await?;
        self.say(
            HANA,
            &room,
            500,
            "Ten kilometres along the river on Tuesday.",
        )
        .await?;
        self.rooms
            .knock(
                &self.people[GUS],
                &self.rooms.get(&room)?,
                Some("Can I come along? I am slow."),
            )
            .await?;
        Ok(())
    }
}
