//! The workloads of simplified sliding sync (MSC4186).

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
    time::{Duration, Instant},
};

use hyper::Method;
use serde_json::{Value, json};

use crate::{
    ctx::{Ctx, Meter, Rec, User, V3, closed_loop, each, message, patiently},
    http::{Body, Conn, Resp, enc, scan_str},
    procfs,
};

type Outcome = Result<(), String>;

const PATH: &str = "/_matrix/client/unstable/org.matrix.simplified_msc3575/sync";

/// What a room list asks for.
fn asks(conn_id: &str, end: u64) -> Value {
    let required = json!([
        ["m.room.encryption", ""],
        ["m.room.name", ""],
        ["m.room.topic", ""],
        ["m.room.avatar", ""],
        ["m.room.canonical_alias", ""],
        ["m.room.power_levels", ""],
        ["m.room.create", ""],
        ["m.room.join_rules", ""],
        ["m.room.member", "$ME"],
        ["m.room.member", "$LAZY"],
    ]);
    json!({
        "conn_id": conn_id,
        "lists": {"all": {"ranges": [[0, end]], "timeline_limit": 1, "required_state": required}},
        "extensions": {"account_data": {"enabled": true}, "receipts": {"enabled": true}, "typing": {"enabled": true}},
    })
}

async fn ask(
    c: &mut Conn,
    u: &User,
    pos: &str,
    timeout: u64,
    body: &Value,
) -> Result<Resp, String> {
    let pos = if pos.is_empty() {
        String::new()
    } else {
        format!("&pos={}", enc(pos))
    };
    let path = format!("{PATH}?timeout={timeout}&set_presence=offline{pos}");
    c.call(Method::POST, &path, Some(&u.token), Body::json(body))
        .await?
        .ok()
}

/// A user in many rooms opens a connection: the first window of 20. Then the same with all rooms.
pub async fn initial(cx: &Rc<Ctx>, rooms: usize, times: u64) -> Outcome {
    let u = cx.register(&mut cx.conn()).await?;
    let (cx2, by) = (cx.clone(), u.clone());
    each(rooms, 8, move |k| {
        let (cx, u) = (cx2.clone(), by.clone());
        async move {
            let mut c = cx.conn();
            let room = cx.create_room(&mut c, &u, &format!("room {k}")).await?;
            let path = format!(
                "{V3}/rooms/{}/send/m.room.message/{}s{k}",
                enc(&room),
                cx.run
            );
            patiently(&mut c, Method::PUT, &path, &u, message(k as u64)).await?;
            Ok(())
        }
    })
    .await?;
    let m = Meter::start(cx, "sliding-initial");
    let (size, first) = (Rc::new(Cell::new(0)), Rc::new(Cell::new(0.0)));
    let (size2, first2, by) = (size.clone(), first.clone(), u.clone());
    let rec = closed_loop(cx, 1, times, async move |_, i, c| {
        let t = Instant::now();
        let r = ask(c, &by, "", 0, &asks(&format!("c{}", i % 4), 19)).await?;
        size2.set(r.body.len());
        if i == 0 {
            first2.set(t.elapsed().as_secs_f64() * 1000.0);
        }
        Ok(())
    })
    .await;
    let t = Instant::now();
    let whole = ask(&mut cx.conn(), &u, "", 0, &asks("whole", 1_000_000)).await?;
    let more = json!({"rooms": rooms, "bytes": size.get(), "first_ms": first.get(),
        "all_rooms_ms": t.elapsed().as_secs_f64() * 1000.0, "all_rooms_bytes": whole.body.len()});
    m.report(rec.hist.len() as f64, "window", &rec, more);
    Ok(())
}

/// `connections` wait over `users` who are all in one room and in some of their own; one sender keeps its pace. The latencies
/// are from the start of the send to the whole answer at each connection.
pub async fn incremental(
    cx: &Rc<Ctx>,
    connections: usize,
    users: usize,
    msgs: usize,
    pace: f64,
) -> Outcome {
    let users = cx.users(users.min(connections) + 1).await?;
    let sender = users[0].clone();
    let room = cx.create_room(&mut cx.conn(), &sender, "sliding").await?;
    let (cx2, all, at) = (cx.clone(), users.clone(), room.clone());
    each(users.len() - 1, 8, move |i| {
        let (cx, u, at) = (cx2.clone(), all[i + 1].clone(), at.clone());
        async move { cx.join(&mut cx.conn(), &u, &at).await }
    })
    .await?;
    let before = procfs::usage(&cx.pids).unwrap_or_default();
    let mark = format!("slide{}.", cx.run);
    let rec = Rc::new(RefCell::new(Rec::new()));
    let sent: Rc<RefCell<Vec<Option<Instant>>>> = Rc::new(RefCell::new(vec![None; msgs]));
    let (answers, bytes, ready) = (
        Rc::new(Cell::new(0_u64)),
        Rc::new(Cell::new(0_u64)),
        Rc::new(Cell::new(0)),
    );
    let mut lanes = Vec::new();
    for k in 0..connections {
        let (mut c, u) = (cx.conn(), users[1 + k % (users.len() - 1)].clone());
        let (rec, sent, mark) = (rec.clone(), sent.clone(), mark.clone());
        let (answers, bytes, ready) = (answers.clone(), bytes.clone(), ready.clone());
        lanes.push(tokio::task::spawn_local(async move {
            let finder = memchr::memmem::Finder::new(mark.as_bytes());
            let body = asks(&format!("c{k}"), 19);
            let (mut pos, mut got) = (String::new(), vec![false; msgs]);
            while got.iter().any(|g| !g) {
                let r = match ask(&mut c, &u, &pos, 30_000, &body).await {
                    Ok(r) => r,
                    Err(e) => {
                        rec.borrow_mut().fail(e);
                        tokio::time::sleep(Duration::from_millis(200)).await;
                        continue;
                    }
                };
                if pos.is_empty() {
                    ready.set(ready.get() + 1);
                } else {
                    answers.set(answers.get() + 1);
                    bytes.set(bytes.get() + r.body.len() as u64);
                }
                for at in finder.find_iter(&r.body) {
                    let digits = r.body[at + mark.len()..].iter();
                    let digits = digits.take_while(|b| b.is_ascii_digit());
                    let n = digits.fold(0, |n: usize, b| n * 10 + usize::from(b - b'0'));
                    // With a timeline of one event a burst leaves some out: who has a later one has those before it.
                    for n in 0..=n {
                        if let (Some(g @ false), Some(Some(t))) =
                            (got.get_mut(n), sent.borrow().get(n))
                        {
                            *g = true;
                            rec.borrow_mut().take(*t, Ok(()));
                        }
                    }
                }
                match scan_str(&r.body, "pos") {
                    Some(next) => next.clone_into(&mut pos),
                    None => rec.borrow_mut().fail("sync: no pos".to_owned()),
                }
            }
        }));
        if k % 20 == 19 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
    let give_up = Instant::now() + cx.cap;
    while ready.get() < connections && Instant::now() < give_up {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    tokio::time::sleep(Duration::from_secs(1)).await;

    let parked = procfs::usage(&cx.pids).unwrap_or_default();
    let m = Meter::start(cx, "sliding-incremental");
    let mut tick = tokio::time::interval(Duration::from_secs_f64(1.0 / pace));
    let mut c = cx.conn();
    for n in 0..msgs {
        tick.tick().await;
        sent.borrow_mut()[n] = Some(Instant::now());
        let body = Body::text(format!(
            "{{\"msgtype\":\"m.text\",\"body\":\"{mark}{n}. to everyone here\"}}"
        ));
        let path = format!("{V3}/rooms/{}/send/m.room.message/{mark}{n}", enc(&room));
        patiently(&mut c, Method::PUT, &path, &sender, body).await?;
    }
    let give_up = Instant::now() + cx.cap;
    while lanes.iter().any(|l| !l.is_finished()) && Instant::now() < give_up {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    for l in &lanes {
        l.abort();
    }
    let rec = rec.replace(Rec::new());
    let wanted = (connections * msgs) as u64;
    let more = json!({"connections": connections, "users": users.len() - 1, "pace": pace, "answers": answers.get(),
        "bytes_an_answer": bytes.get() / answers.get().max(1),
        "missed": wanted - rec.hist.len().min(wanted),
        "rss_a_connection_kib": (parked.rss_mib - before.rss_mib) * 1024.0 / connections as f64});
    m.report(rec.hist.len() as f64, "delivery", &rec, more);
    Ok(())
}
