//! `POST /_matrix/client/v3/search`

use std::{collections::BTreeMap, io::Write};

use axum::extract::State;
use orvale_http::{Caller, Json, JsonBytes, MatrixError, Query, heavy};
use orvale_rooms::Rooms;
use orvale_search::{
    ContextLimits, Group, GroupKey, Has, Hit, Key, Ordering, Page, Profile, Search, Wanted,
};
use ruma::api::client::filter::RoomEventFilter;
use serde::Deserialize;
use serde_json::json;

use crate::{Error, events};

/// How many hits a page has, and how many events stand before and after each, where nothing is said.
const PAGE: u64 = 10;
const AROUND: u64 = 5;

#[derive(Deserialize)]
pub(crate) struct Place {
    next_batch: Option<String>,
}

/// Ours, for ruma's cannot tell whether context is wanted from how much of it.
#[derive(Deserialize)]
pub(crate) struct Request {
    search_categories: Categories,
}

#[derive(Deserialize)]
struct Categories {
    room_events: Option<Criteria>,
}

#[derive(Deserialize)]
struct Criteria {
    search_term: String,
    keys: Option<Vec<String>>,
    #[serde(default)]
    filter: RoomEventFilter,
    order_by: Option<String>,
    event_context: Option<EventContext>,
    #[serde(default)]
    include_state: bool,
    #[serde(default)]
    groupings: Groupings,
    /// Ours: sent from this time on, and before that one, in milliseconds.
    #[serde(rename = "com.orvale.since")]
    since: Option<u64>,
    #[serde(rename = "com.orvale.until")]
    until: Option<u64>,
    /// Ours: what the message carries.
    #[serde(rename = "com.orvale.has", default)]
    has: Vec<String>,
}

#[derive(Deserialize)]
struct EventContext {
    before_limit: Option<u64>,
    after_limit: Option<u64>,
    #[serde(default)]
    include_profile: bool,
}

#[derive(Default, Deserialize)]
struct Groupings {
    #[serde(default)]
    group_by: Vec<Grouping>,
}

#[derive(Deserialize)]
struct Grouping {
    key: String,
}

pub(crate) async fn handle(
    State(search): State<Search>,
    State(rooms): State<Rooms>,
    caller: Caller,
    Query(place): Query<Place>,
    Json(request): Json<Request>,
) -> Result<JsonBytes, Error> {
    let Some(criteria) = request.search_categories.room_events else {
        return Ok(JsonBytes("{\"search_categories\":{}}".into()));
    };
    let keys = criteria
        .keys
        .as_ref()
        .map(|keys| keys.iter().map(known_key));
    let keys: Option<Vec<Key>> = keys.map(Iterator::collect::<Result<_, _>>).transpose()?;
    let group_by = criteria.groupings.group_by.iter().map(group_key);
    let group_by = group_by.collect::<Result<Vec<_>, _>>()?;
    let has = criteria.has.iter().map(carried);
    let has = has.collect::<Result<Vec<_>, _>>()?;
    let wanted = Wanted {
        term: &criteria.search_term,
        keys: keys.as_deref(),
        limit: size(criteria.filter.limit.map(u64::from), PAGE),
        filter: &criteria.filter,
        since: criteria.since,
        until: criteria.until,
        has: &has,
        order: match criteria.order_by.as_deref() {
            None | Some("rank") => Ordering::Rank,
            Some("recent") => Ordering::Recent,
            Some(_) => return Err(invalid("order_by is rank or recent")),
        },
        context: criteria
            .event_context
            .as_ref()
            .map(|context| ContextLimits {
                before: size(context.before_limit, AROUND),
                after: size(context.after_limit, AROUND),
                include_profile: context.include_profile,
            }),
        group_by: &group_by,
        from: place.next_batch.map(|token| token.parse()).transpose()?,
    };
    let (user, device) = (caller.user_id(), caller.device_id().as_str());
    heavy(|| {
        let page = search.find(user, device, &wanted)?;
        let mut out = Vec::with_capacity(2048 * (page.hits.len() + 1));
        write_page(&page, &mut out)?;
        if criteria.include_state {
            out.extend_from_slice(b",\"state\":{");
            let found: BTreeMap<_, _> = page.hits.iter().map(|hit| (&hit.room_id, ())).collect();
            for (n, room_id) in found.keys().enumerate() {
                let comma = if n > 0 { "," } else { "" };
                write!(out, "{comma}{}:", json!(room_id)).expect("writing to memory");
                events::write_list(&rooms.list_visible_state(user, room_id)?, &mut out)?;
            }
            out.push(b'}');
        }
        out.extend_from_slice(b"}}}");
        Ok(JsonBytes(out.into()))
    })
}

fn size(asked: Option<u64>, default: u64) -> usize {
    usize::try_from(asked.unwrap_or(default)).unwrap_or(usize::MAX)
}

fn invalid(message: &'static str) -> Error {
    MatrixError::invalid_param(message).into()
}

fn known_key(key: &String) -> Result<Key, Error> {
    let known = [Key::Body, Key::Name, Key::Topic].into_iter();
    let mut known = known.filter(|known| known.as_str() == key);
    let unknown = || invalid("keys are content.body, content.name and content.topic");
    known.next().ok_or_else(unknown)
}

fn carried(has: &String) -> Result<Has, Error> {
    let known = Has::ALL.into_iter().find(|known| known.as_str() == has);
    known.ok_or_else(|| invalid("com.orvale.has is file, image, video, audio or link"))
}

fn group_key(grouping: &Grouping) -> Result<GroupKey, Error> {
    match grouping.key.as_str() {
        "room_id" => Ok(GroupKey::Room),
        "sender" => Ok(GroupKey::Sender),
        _ => Err(invalid("events are grouped by room_id or sender")),
    }
}

/// All but the state, without the last braces.
fn write_page(page: &Page<'_>, out: &mut Vec<u8>) -> Result<(), Error> {
    out.extend_from_slice(b"{\"search_categories\":{\"room_events\":{");
    let (count, highlights) = (page.count, json!(page.highlights));
    write!(out, "\"count\":{count},\"highlights\":{highlights}").expect("writing to memory");
    if let Some(next) = &page.next {
        let next = json!(next.to_string());
        write!(out, ",\"next_batch\":{next}").expect("writing to memory");
    }
    if !page.groups.is_empty() {
        let groups: BTreeMap<_, _> = page.groups.iter().map(groups_json).collect();
        write!(out, ",\"groups\":{}", json!(groups)).expect("writing to memory");
    }
    out.extend_from_slice(b",\"results\":[");
    for (n, hit) in page.hits.iter().enumerate() {
        if n > 0 {
            out.push(b',');
        }
        write_hit(hit, out)?;
    }
    out.push(b']');
    Ok(())
}

fn groups_json((key, groups): &(GroupKey, Vec<Group>)) -> (&'static str, serde_json::Value) {
    let name = match key {
        GroupKey::Room => "room_id",
        GroupKey::Sender => "sender",
    };
    let one = |(order, group): (usize, &Group)| {
        let mut json = json!({"results": group.events, "order": order});
        if let Some(next) = &group.next {
            json["next_batch"] = next.to_string().into();
        }
        (group.value.clone(), json)
    };
    (name, groups.iter().enumerate().map(one).collect())
}

fn write_hit(hit: &Hit<'_>, out: &mut Vec<u8>) -> Result<(), Error> {
    write!(out, "{{\"rank\":{},\"result\":", json!(hit.rank)).expect("writing to memory");
    hit.event.write(out)?;
    if let Some(around) = &hit.around {
        let (start, end) = (around.start, around.end);
        write!(
            out,
            ",\"context\":{{\"start\":\"{start}\",\"end\":\"{end}\""
        )
        .expect("writing to memory");
        for (name, list) in [
            ("events_before", &around.before),
            ("events_after", &around.after),
        ] {
            write!(out, ",\"{name}\":").expect("writing to memory");
            events::write_list(list, out)?;
        }
        if !hit.profiles.is_empty() {
            let profiles: BTreeMap<_, _> = hit.profiles.iter().map(profile_json).collect();
            write!(out, ",\"profile_info\":{}", json!(profiles)).expect("writing to memory");
        }
        out.push(b'}');
    }
    out.push(b'}');
    Ok(())
}

fn profile_json(profile: &Profile) -> (&str, serde_json::Value) {
    let mut json = json!({});
    if let Some(name) = &profile.display_name {
        json["displayname"] = name.as_str().into();
    }
    if let Some(avatar) = &profile.avatar_url {
        json["avatar_url"] = avatar.as_str().into();
    }
    (profile.user_id.as_str(), json)
}
