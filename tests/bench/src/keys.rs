//! The workload of one-time keys.

use std::{
    cell::{Cell, RefCell},
    collections::{BTreeSet, HashSet},
    rc::Rc,
};

use hyper::Method;
use serde_json::{Map, Value, json};

use crate::{
    ctx::{Ctx, Meter, V3, closed_loop, each},
    http::Body,
};

type Outcome = Result<(), String>;

/// A key in Base64 that is another for each pair of numbers.
fn key(owner: usize, n: usize) -> String {
    let (owner, n) = (format!("{owner:x}"), format!("{n:x}"));
    format!("{owner:A>22}{n:A>21}")
}

/// `devices` have as many one-time keys as there are claims; each claim takes one of every device, as whoever writes the first message
/// in an encrypted room does. None may be given out twice.
pub async fn claims(cx: &Rc<Ctx>, width: usize, devices: usize, n: u64) -> Outcome {
    let users = cx.users(devices + 1).await?;
    let (claimer, owners) = (users[0].clone(), users[1..].to_vec());
    let wanted = Rc::new(RefCell::new(Map::new()));
    let (cx2, wanted2) = (cx.clone(), wanted.clone());
    let each_has = usize::try_from(n).map_err(|e| e.to_string())?;
    each(devices, 8, move |i| {
        let (cx, owner, wanted) = (cx2.clone(), owners[i].clone(), wanted2.clone());
        async move {
            let mut c = cx.conn();
            let path = format!("{V3}/account/whoami");
            let me = c.call(Method::GET, &path, Some(&owner.token), Body::none());
            let me = me.await?.ok()?.json()?;
            for start in (0..each_has).step_by(50) {
                let keys = (start..each_has.min(start + 50)).map(|k| {
                    let key = json!({"key": key(i, k), "signatures": {}});
                    (format!("signed_curve25519:{k}"), key)
                });
                let body = json!({"one_time_keys": keys.collect::<Map<_, _>>()});
                let path = format!("{V3}/keys/upload");
                let token = Some(&owner.token);
                let uploaded = c.call(Method::POST, &path, token, Body::json(&body));
                uploaded.await?.ok()?;
            }
            let text = |key: &str| me[key].as_str().unwrap_or_default().to_owned();
            let device = json!({text("device_id"): "signed_curve25519"});
            wanted.borrow_mut().insert(text("user_id"), device);
            Ok(())
        }
    })
    .await?;
    let body = json!({"one_time_keys": *wanted.borrow()});
    let m = Meter::start(cx, "key-claims");
    let given = Rc::new(RefCell::new(HashSet::new()));
    let (twice, given2) = (Rc::new(Cell::new(0_u64)), given.clone());
    let twice2 = twice.clone();
    let rec = closed_loop(cx, width, n, async move |_, _, c| {
        let path = format!("{V3}/keys/claim");
        let claimed = c.call(Method::POST, &path, Some(&claimer.token), Body::json(&body));
        let claimed = claimed.await?.ok()?.json()?;
        let empty = Map::new();
        for (user, devices) in claimed["one_time_keys"].as_object().unwrap_or(&empty) {
            let devices = devices.as_object().unwrap_or(&empty).values();
            let keys: BTreeSet<_> = devices
                .flat_map(|keys| keys.as_object().unwrap_or(&empty).keys())
                .collect();
            for key in keys {
                if !given2.borrow_mut().insert(format!("{user} {key}")) {
                    twice2.set(twice2.get() + 1);
                }
            }
        }
        Ok(())
    })
    .await;
    let keys = given.borrow().len();
    if twice.get() > 0 {
        return Err(format!("{} keys were given out twice", twice.get()));
    }
    let asked = rec.hist.len() * devices as u64;
    let more: Value =
        json!({"width": width, "devices": devices, "keys": keys, "lacking": asked - keys as u64});
    m.report(rec.hist.len() as f64, "claim", &rec, more);
    Ok(())
}
