//! What people do until nobody answers any more.

use rand::{Rng, RngExt, seq::IndexedRandom};
use reqwest::Method;
use serde_json::{Value, json};

use super::{
    caller::{Caller, Ended},
    ledger::{Person, Places, Redacted, Sent, Slot},
};

/// Works until the server ends; also tells how many requests were acknowledged.
pub(crate) async fn work(caller: Caller, places: Places, mut person: Person) -> (Person, usize) {
    let mut acknowledged = 0;
    while person.do_something(&caller, &places).await.is_ok() {
        acknowledged += 1;
    }
    (person, acknowledged)
}

impl Person {
    async fn do_something(&mut self, caller: &Caller, places: &Places) -> Result<(), Ended> {
        self.next += 1;
        let n = self.next;
        let shared = places
            .shared
            .choose(&mut self.random)
            .expect("there are some")
            .clone();
        match self.random.random_range(0..100) {
            0..50 => self.send(caller, shared).await,
            50..58 => self.redact(caller).await,
            58..68 => {
                let path = format!("rooms/{shared}/state/test.orvale.place/{}", self.number);
                self.set(
                    caller,
                    Slot::State(shared),
                    json!({ "place": n }),
                    Method::PUT,
                    &path,
                )
                .await
            }
            68..74 => {
                let path = format!("user/{}/account_data/test.orvale.note", self.user_id);
                self.set(
                    caller,
                    Slot::AccountData,
                    json!({ "note": n }),
                    Method::PUT,
                    &path,
                )
                .await
            }
            74..78 => {
                let path = format!(
                    "user/{}/rooms/{shared}/account_data/test.orvale.note",
                    self.user_id
                );
                self.set(
                    caller,
                    Slot::RoomAccountData(shared),
                    json!({ "note": n }),
                    Method::PUT,
                    &path,
                )
                .await
            }
            78..85 => self.read(caller, shared).await,
            85..91 => self.go(caller, places).await,
            91..94 => {
                let path = format!("profile/{}/displayname", self.user_id);
                let name =
                    json!({ "displayname": format!("Person {} for the {n}th time", self.number) });
                self.set(caller, Slot::DisplayName, name, Method::PUT, &path)
                    .await
            }
            94..96 => self.log_in(caller).await,
            _ => self.upload(caller).await,
        }
    }

    async fn send(&mut self, caller: &Caller, room: String) -> Result<(), Ended> {
        let path = format!("rooms/{room}/send/m.room.message/t{}", self.next);
        let body =
            json!({ "msgtype": "m.text", "body": format!("{} says {}", self.number, self.next) });
        self.send_event(caller, room, path, body, false).await
    }

    /// Redacts something said before.
    async fn redact(&mut self, caller: &Caller) -> Result<(), Ended> {
        let said = |sent: &&mut Sent| {
            sent.event_id.is_some() && sent.redacted == Redacted::No && !sent.is_redaction
        };
        let skipped = self.random.random_range(0..4);
        let Some(target) = self.sent.iter_mut().rev().filter(said).nth(skipped) else {
            return Ok(());
        };
        let (room, event) = (
            target.room.clone(),
            target.event_id.clone().expect("it was said"),
        );
        target.redacted = Redacted::Perhaps;
        let path = format!("rooms/{room}/redact/{event}/t{}", self.next);
        self.send_event(caller, room, path, json!({ "reason": "a slip" }), true)
            .await?;
        let target = self
            .sent
            .iter_mut()
            .rev()
            .find(|sent| sent.event_id.as_ref() == Some(&event));
        target.expect("it is still there").redacted = Redacted::Yes;
        Ok(())
    }

    async fn send_event(
        &mut self,
        caller: &Caller,
        room: String,
        path: String,
        body: Value,
        is_redaction: bool,
    ) -> Result<(), Ended> {
        self.sent.push(Sent {
            room,
            path: path.clone(),
            body: body.clone(),
            event_id: None,
            redacted: Redacted::No,
            is_redaction,
        });
        let answer = caller.put(&path, &body).await?;
        let sent = self.sent.last_mut().expect("just put there");
        sent.event_id = Some(
            answer["event_id"]
                .as_str()
                .expect("what is sent has an ID")
                .to_owned(),
        );
        Ok(())
    }

    async fn set(
        &mut self,
        caller: &Caller,
        slot: Slot,
        value: Value,
        method: Method,
        path: &str,
    ) -> Result<(), Ended> {
        let body = value.to_string().into_bytes();
        self.set_to(caller, slot, value, method, path, body).await
    }

    async fn set_to(
        &mut self,
        caller: &Caller,
        slot: Slot,
        value: Value,
        method: Method,
        path: &str,
        body: Vec<u8>,
    ) -> Result<(), Ended> {
        self.slots.entry(slot.clone()).or_default().unsure = Some(value);
        caller.bytes(method, path, body).await?;
        let kept = self.slots.get_mut(&slot).expect("just put there");
        kept.acknowledged = kept.unsure.take();
        Ok(())
    }

    /// Reads up to the last thing that this person said.
    async fn read(&mut self, caller: &Caller, room: String) -> Result<(), Ended> {
        let last = self
            .sent
            .iter()
            .rev()
            .find(|sent| sent.room == room && sent.event_id.is_some());
        let Some(event) = last.and_then(|sent| sent.event_id.clone()) else {
            return Ok(());
        };
        let path = format!("rooms/{room}/receipt/m.read/{event}");
        self.set_to(
            caller,
            Slot::Receipt(room),
            json!(event),
            Method::POST,
            &path,
            b"{}".to_vec(),
        )
        .await
    }

    /// Goes into a room, or out of it.
    async fn go(&mut self, caller: &Caller, places: &Places) -> Result<(), Ended> {
        // Who made the rooms is in them.
        if self.number == 0 {
            return Ok(());
        }
        let door = places
            .doors
            .choose(&mut self.random)
            .expect("there are some")
            .clone();
        let slot = Slot::Membership(door.clone());
        let inside = self
            .slots
            .get(&slot)
            .is_some_and(|kept| kept.acknowledged == Some(json!(true)));
        let path = if inside {
            format!("rooms/{door}/leave")
        } else {
            format!("join/{door}")
        };
        self.set_to(
            caller,
            slot,
            json!(!inside),
            Method::POST,
            &path,
            b"{}".to_vec(),
        )
        .await
    }

    async fn log_in(&mut self, caller: &Caller) -> Result<(), Ended> {
        let name = format!("person{}", self.number);
        let body = json!({
            "type": "m.login.password",
            "identifier": { "type": "m.id.user", "user": name },
            "password": format!("the password of {name}"),
        });
        let answer = caller.of("").post("login", &body).await?;
        self.tokens.push(
            answer["access_token"]
                .as_str()
                .expect("a login gives a token")
                .to_owned(),
        );
        Ok(())
    }

    async fn upload(&mut self, caller: &Caller) -> Result<(), Ended> {
        let mut content = vec![0; self.random.random_range(1..40_000)];
        self.random.fill_bytes(&mut content);
        let path = "/_matrix/media/v3/upload?filename=noise";
        let answer = caller.bytes(Method::POST, path, content.clone()).await?;
        let answer: Value = serde_json::from_slice(&answer).expect("an answer is JSON");
        let uri = answer["content_uri"]
            .as_str()
            .expect("an upload has an address")
            .to_owned();
        self.media.push((uri, content));
        Ok(())
    }
}
