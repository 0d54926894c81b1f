//! A room of many on another server is joined: how long until it can be used, and until all members are known.

use std::{rc::Rc, time::Instant};

use hyper::Method;
use orvale_tests::{Network, Stranger};
use serde_json::json;

use crate::{
    ctx::{Ctx, Meter, Rec, User, V3, message},
    federation::Way,
    http::{Body, enc},
};

/// Joins a room of `members` users of another server, which leaves the members out where it may. `usable_ms` is when the room was in a
/// lazily loading client's sync and a message in it was acknowledged, `whole_ms` when `/joined_members` knew them all.
pub async fn join(cx: &Rc<Ctx>, way: &Way, members: usize) -> Result<(), String> {
    let alice = cx.users(1).await?.remove(0);
    let network = Network::in_directory(&way.certificates);
    let host = Stranger::start(&network).await;
    let mut room = host.create_room("11", &host.user("host"), json!({}));
    host.populate(&mut room, members);
    host.leave_members_out();
    host.host(&room);

    let m = Meter::start(cx, &format!("fed-join-{members}"));
    let mut rec = Rec::new();
    let started = Instant::now();
    let ms = || started.elapsed().as_millis();
    let path = format!("{V3}/join/{}?via={}", enc(&room.room), enc(&host.name));
    let _ = ask(cx, &alice, Method::POST, &path, Body::text("{}".to_owned())).await?;
    let joined = ms();
    let filter = json!({ "room": { "state": { "lazy_load_members": true } } }).to_string();
    let path = format!("{V3}/sync?timeout=0&filter={}", enc(&filter));
    let sync = ask(cx, &alice, Method::GET, &path, Body::none()).await?;
    if sync["rooms"]["join"][&room.room].is_null() {
        return Err("the room is not in the sync".to_owned());
    }
    let path = format!("{V3}/rooms/{}/send/m.room.message/1", enc(&room.room));
    let _ = ask(cx, &alice, Method::PUT, &path, message(1)).await?;
    let usable = ms();
    let path = format!("{V3}/rooms/{}/joined_members", enc(&room.room));
    let until = started + cx.cap * 20;
    let known = loop {
        match ask(cx, &alice, Method::GET, &path, Body::none()).await {
            Ok(answer) => break answer["joined"].as_object().map_or(0, serde_json::Map::len),
            // It waits no longer than a client would.
            Err(error) if Instant::now() > until => return Err(error),
            Err(_) => {}
        }
    };
    let whole = ms();
    rec.take(started, Ok(()));
    let all = known == members + 2;
    let more = json!({ "joined_ms": joined, "usable_ms": usable, "whole_ms": whole, "known": known, "all": all });
    m.report(members as f64, "member", &rec, more);
    Ok(())
}

async fn ask(
    cx: &Rc<Ctx>,
    user: &User,
    method: Method,
    path: &str,
    body: Body,
) -> Result<serde_json::Value, String> {
    let mut c = cx.conn();
    let answer = c.call(method, path, Some(&user.token), body);
    answer.await?.ok()?.json()
}
