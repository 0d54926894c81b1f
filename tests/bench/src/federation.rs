//! The workloads of federation: other servers, with keys of their own, send transactions.

use std::{
    cell::{Cell, RefCell},
    path::PathBuf,
    rc::Rc,
    time::{Duration, Instant},
};

use hyper::Method;
use orvale_tests::{Joined, Network, Peer, Stranger};
use serde_json::{Value, json};

use crate::{
    ctx::{Ctx, Meter, Rec, User, V3, message},
    http::{Body, enc},
};

/// How many events a transaction may have.
const AT_ONCE: usize = 50;

/// Where the server under test is found by others.
#[derive(Debug, Clone)]
pub struct Way {
    /// `https://localhost:…`
    pub base: String,
    /// The directory with the certificates that it trusts.
    pub certificates: PathBuf,
}

/// Makes the certificates with which the server under test and the servers of the workloads trust each other.
pub fn certificates(directory: &std::path::Path) -> Result<(), String> {
    std::fs::create_dir_all(directory).map_err(|e| e.to_string())?;
    let _ = Network::in_directory(directory);
    Ok(())
}

/// A server that sends, a user of which is in some rooms of the server under test.
struct Origin {
    server: Stranger,
    rooms: Vec<Joined>,
    bodies: Vec<Vec<u8>>,
}

/// `origins` servers send `n` messages to `rooms` rooms: each one transaction after the other, of messages that follow each other. One room
/// has users of all of them; of many, each has its own. It ends when all messages are seen by a client.
pub async fn receive(
    cx: &Rc<Ctx>,
    way: &Way,
    rooms: usize,
    origins: usize,
    n: usize,
) -> Result<(), String> {
    let alice = cx.users(1).await?.remove(0);
    let mut c = cx.conn();
    let whoami = format!("{V3}/account/whoami");
    let me = c.call(Method::GET, &whoami, Some(&alice.token), Body::none());
    let me = me.await?.ok()?.json()?;
    let user_id = me["user_id"].as_str().unwrap_or_default();
    let (_, name) = user_id.split_once(':').ok_or("whoami: no user_id")?;
    let peer = Peer {
        name: name.to_owned(),
        base: way.base.clone(),
    };
    let network = Network::in_directory(&way.certificates);
    let mut senders = Vec::new();
    for _ in 0..origins {
        senders.push(Origin {
            server: Stranger::start(&network).await,
            rooms: Vec::new(),
            bodies: Vec::new(),
        });
    }
    for n in 0..rooms {
        let room = cx.create_room(&mut c, &alice, "for others").await?;
        for (place, origin) in senders.iter_mut().enumerate() {
            if rooms == 1 || n % origins == place {
                let user = origin.server.user("sender");
                let joined = origin.server.join(peer.clone(), &room, &user).await;
                origin.rooms.push(joined);
            }
        }
    }
    let mut last = Vec::new();
    for origin in &mut senders {
        last.extend(origin.prepare(n / origins));
    }
    let m = Meter::start(
        cx,
        if rooms == 1 {
            "fed-receive-1room"
        } else {
            "fed-receive-100rooms"
        },
    );
    let rec = Rc::new(RefCell::new(Rec::new()));
    let sent = Rc::new(Cell::new(0_usize));
    let until = Instant::now() + cx.cap;
    let lanes: Vec<_> = senders
        .into_iter()
        .map(|mut origin| {
            let (rec, sent, peer) = (rec.clone(), sent.clone(), peer.clone());
            tokio::task::spawn_local(async move {
                for (n, body) in std::mem::take(&mut origin.bodies).into_iter().enumerate() {
                    if Instant::now() > until {
                        break;
                    }
                    let started = Instant::now();
                    let answer = origin
                        .server
                        .send_packed(peer.clone(), &format!("load-{n}"), body)
                        .await;
                    let taken = taken(&answer.json);
                    sent.set(sent.get() + taken.as_ref().map_or(0, |taken| *taken));
                    rec.borrow_mut().take(started, taken.map(|_| ()));
                }
                // It answers for its keys until the end.
                origin
            })
        })
        .collect();
    let mut origins_left = Vec::new();
    for lane in lanes {
        origins_left.push(lane.await.map_err(|e| e.to_string())?);
    }
    let answered = m.secs();
    let all = sent.get() == last.iter().map(|(_, _, count)| count).sum::<usize>();
    if all {
        for (room, event, _) in &last {
            seen(cx, &alice, room, event).await?;
        }
    }
    let rec = rec.replace(Rec::new());
    let more = json!({"rooms": rooms, "origins": origins, "answered_secs": answered, "all": all});
    m.report(sent.get() as f64, "event", &rec, more);
    Ok(())
}

/// How many events of a transaction were taken; an error if one was not.
fn taken(answer: &Value) -> Result<usize, String> {
    let pdus = answer["pdus"]
        .as_object()
        .ok_or_else(|| answer.to_string())?;
    let refused = pdus.values().find(|answer| answer.get("error").is_some());
    match refused {
        Some(refused) => Err(refused.to_string()),
        None => Ok(pdus.len()),
    }
}

/// Waits until a client has an event.
async fn seen(cx: &Rc<Ctx>, u: &User, room: &str, event: &str) -> Result<(), String> {
    let mut c = cx.conn();
    let path = format!("{V3}/rooms/{}/event/{}", enc(room), enc(event));
    let until = Instant::now() + cx.cap * 4;
    while Instant::now() < until {
        let answer = c.call(Method::GET, &path, Some(&u.token), Body::none());
        if answer.await?.status == 200 {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    Err(format!("{event} is never seen"))
}

impl Origin {
    /// Makes the transactions; gives the last event of each room, and how many events there are in it.
    fn prepare(&mut self, n: usize) -> Vec<(String, String, usize)> {
        let mut last: Vec<_> = self
            .rooms
            .iter()
            .map(|room| (room.room.clone(), String::new(), 0))
            .collect();
        let user = self.server.user("sender");
        let mut pdus = Vec::new();
        for i in 0..n {
            let place = i % self.rooms.len();
            let content = serde_json::from_slice(&message(i as u64).bytes).unwrap_or_default();
            let kind = "m.room.message";
            let room = &mut self.rooms[place];
            let (id, event) = self.server.event(room, &user, kind, None, &content);
            last[place].1 = id;
            last[place].2 += 1;
            pdus.push(event);
        }
        self.bodies = pdus
            .chunks(AT_ONCE)
            .map(|pdus| self.server.pack(pdus, &[]))
            .collect();
        last.retain(|(_, _, count)| *count > 0);
        last
    }
}
