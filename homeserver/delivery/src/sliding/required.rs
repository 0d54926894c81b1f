//! Which state of a room a client wants.

use ruma::{OwnedUserId, UserId, events::TimelineEventType};
use serde::Deserialize;

use super::request::must;
use crate::Result;

/// How many elements one list of them may have.
const ELEMENTS: usize = 500;

/// As it arrives: pairs of type and state key, or the newer form.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum RequiredBody {
    /// Pairs, with `*` for all, and `$ME` and `$LAZY` among the state keys.
    Pairs(Vec<(String, String)>),
    /// What to include, but for what to exclude.
    Newer {
        /// What to include.
        include: Option<Vec<ElementBody>>,
        /// What to leave out all the same.
        exclude: Option<Vec<ElementBody>>,
        /// Whether members come with what they write.
        lazy_members: Option<bool>,
    },
}

/// As it arrives: some of the state.
#[derive(Debug, Deserialize)]
pub(super) struct ElementBody {
    #[serde(rename = "type")]
    kind: Option<String>,
    state_key: Option<String>,
}

/// Some of a room's state: that of a type, of a state key, or of both.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Element {
    /// The type; `None` for all.
    pub(super) kind: Option<String>,
    /// The state key; `None` for all.
    pub(super) key: Option<String>,
}

impl Element {
    fn matches(&self, kind: &str, key: &str) -> bool {
        self.kind.as_deref().is_none_or(|own| own == kind)
            && self.key.as_deref().is_none_or(|own| own == key)
    }
}

/// Elements, but for others.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Rule {
    include: Vec<Element>,
    exclude: Vec<Element>,
    /// Where members come lazily, what asks for state of all types does not ask for them.
    lazy: bool,
}

const MEMBER: &str = "m.room.member";

impl Rule {
    fn matches(&self, kind: &str, key: &str) -> bool {
        let included = |element: &Element| {
            element.matches(kind, key)
                && !(self.lazy && kind == MEMBER && element.kind.is_none() && element.key.is_none())
        };
        self.include.iter().any(included)
            && !self
                .exclude
                .iter()
                .any(|element| element.matches(kind, key))
    }
}

/// Which state of a room a client wants: what any of the rules asks for.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub(super) struct Required {
    rules: Vec<Rule>,
    /// Whether members come with what they write.
    pub(super) lazy: bool,
}

impl Required {
    /// Takes apart what a user's client asks for.
    ///
    /// # Errors
    /// [`crate::Error::InvalidParam`] if it is too much.
    pub(super) fn new(user_id: &UserId, body: RequiredBody) -> Result<Self> {
        let mut rule = Rule::default();
        match body {
            RequiredBody::Pairs(pairs) => {
                bounded(pairs.len())?;
                for (kind, key) in pairs {
                    if kind == MEMBER && key == "$LAZY" {
                        rule.lazy = true;
                        continue;
                    }
                    let all = |text: String| Some(text).filter(|text| text != "*");
                    let key = if key == "$ME" {
                        user_id.to_string()
                    } else {
                        key
                    };
                    rule.include.push(Element {
                        kind: all(kind),
                        key: all(key),
                    });
                }
            }
            RequiredBody::Newer {
                include,
                exclude,
                lazy_members,
            } => {
                let read = |elements: Option<Vec<ElementBody>>| {
                    let elements = elements.unwrap_or_default();
                    bounded(elements.len())?;
                    let me = |key: String| match key.as_str() {
                        "$ME" => user_id.to_string(),
                        _ => key,
                    };
                    let element = |element: ElementBody| Element {
                        kind: element.kind,
                        key: element.state_key.map(me),
                    };
                    Ok::<_, crate::Error>(elements.into_iter().map(element).collect())
                };
                rule.include = read(include)?;
                rule.exclude = read(exclude)?;
                rule.lazy = lazy_members.unwrap_or(false);
            }
        }
        rule.include.sort();
        rule.include.dedup();
        let lazy = rule.lazy;
        let rules = if rule.include.is_empty() {
            Vec::new()
        } else {
            vec![rule]
        };
        Ok(Self { rules, lazy })
    }

    /// Adds what another asks for.
    pub(super) fn add(&mut self, other: &Self) {
        self.lazy |= other.lazy;
        for rule in &other.rules {
            if !self.rules.contains(rule) {
                self.rules.push(rule.clone());
            }
        }
        self.rules.sort();
    }

    /// Whether it asks for a state event.
    pub(super) fn matches(&self, kind: &TimelineEventType, key: &str) -> bool {
        let kind = kind.to_string();
        self.rules.iter().any(|rule| rule.matches(&kind, key))
    }

    /// What it asks for by name, type and state key.
    pub(super) fn elements(&self) -> impl Iterator<Item = &Element> {
        self.rules.iter().flat_map(|rule| &rule.include)
    }

    /// Whether it asks for each and every member.
    pub(super) fn takes_members(&self) -> bool {
        let any = |element: &Element| {
            element.key.is_none() && element.kind.as_deref().is_none_or(|kind| kind == MEMBER)
        };
        self.rules.iter().any(|rule| {
            let mut include = rule.include.iter();
            include.any(|element| any(element) && !(rule.lazy && element.kind.is_none()))
        })
    }

    /// Whether it asks for nothing that another does not ask for: for sure, if it says so.
    pub(super) fn is_within(&self, other: &Self) -> bool {
        (other.lazy || !self.lazy) && self.rules.iter().all(|rule| other.rules.contains(rule))
    }
}

/// The user a member event is about.
pub(super) fn member(kind: &TimelineEventType, key: Option<&str>) -> Option<OwnedUserId> {
    (*kind == TimelineEventType::RoomMember)
        .then(|| UserId::parse(key?).ok())
        .flatten()
}

fn bounded(elements: usize) -> Result<()> {
    must(elements <= ELEMENTS, || {
        format!("required_state: there are more than {ELEMENTS} elements")
    })
}

#[cfg(test)]
mod tests {
    use ruma::user_id;
    use serde_json::{Value, json};

    use super::*;

    fn required(body: Value) -> Required {
        let body = serde_json::from_value(body).expect("of the shape");
        Required::new(user_id!("@me:orvale.test"), body).expect("not too much")
    }

    fn takes(required: &Required, kind: &str, key: &str) -> bool {
        required.matches(&kind.into(), key)
    }

    #[test]
    fn wildcards_stand_for_all() {
        let of_type = required(json!([["m.space.child", "*"], ["m.room.name", ""]]));
        assert!(takes(&of_type, "m.space.child", "!a") && takes(&of_type, "m.room.name", ""));
        assert!(!takes(&of_type, "m.room.name", "x") && !takes(&of_type, "m.room.topic", ""));
        let of_key = required(json!([["*", ""]]));
        assert!(
            takes(&of_key, "m.room.topic", "")
                && !takes(&of_key, "m.room.member", "@me:orvale.test")
        );
        let all = required(json!([["*", "*"]]));
        assert!(takes(&all, "m.room.member", "@a:b") && all.takes_members());
    }

    #[test]
    fn me_is_the_one_who_asks() {
        let me = required(json!([["m.room.member", "$ME"]]));
        assert!(takes(&me, "m.room.member", "@me:orvale.test"));
        assert!(!takes(&me, "m.room.member", "@you:orvale.test") && !me.lazy);
    }

    #[test]
    fn lazy_members_are_not_among_all_state() {
        let pairs = required(json!([
            ["*", "*"],
            ["m.room.member", "$LAZY"],
            ["m.room.member", "$ME"]
        ]));
        let newer = required(json!({
            "include": [{}, {"type": "m.room.member", "state_key": "$ME"}], "lazy_members": true,
        }));
        for required in [pairs, newer] {
            assert!(required.lazy && !required.takes_members());
            assert!(
                takes(&required, "m.room.topic", "")
                    && takes(&required, "m.room.member", "@me:orvale.test")
            );
            assert!(!takes(&required, "m.room.member", "@you:orvale.test"));
        }
    }

    #[test]
    fn what_is_excluded_stays_out_unless_another_rule_asks_for_it() {
        let mut but_create =
            required(json!({"include": [{}], "exclude": [{"type": "m.room.create"}]}));
        assert!(!takes(&but_create, "m.room.create", "") && takes(&but_create, "m.room.name", ""));
        but_create.add(&required(json!([["m.room.create", ""]])));
        assert!(takes(&but_create, "m.room.create", ""));
    }

    #[test]
    fn more_is_told_from_less() {
        let (name, topic) = (
            required(json!([["m.room.name", ""]])),
            required(json!([["m.room.topic", ""]])),
        );
        let mut both = Required::default();
        both.add(&name);
        both.add(&topic);
        let mut other_way = topic.clone();
        other_way.add(&name);
        assert_eq!(both, other_way);
        assert!(name.is_within(&both) && !both.is_within(&name) && both.is_within(&both));
    }
}
