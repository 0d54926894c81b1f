//! The push rule that matches an event for a reader.
//!
//! <https://spec.matrix.org/v1.19/client-server-api/#push-rules>

use std::ops::RangeBounds;

use orvale_rooms::Rooms;
use ruma::{
    UInt, UserId,
    events::StateEventType,
    push::{Action, AnyPushRuleRef, PushCondition, Ruleset, ScalarJsonValue},
};
use serde_json::Value;

use super::{
    facts::Facts,
    glob,
    work::{self, Work},
};
use crate::Result;

/// What a matching rule says is to be done.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Verdict<'a> {
    pub(crate) actions: &'a [Action],
}

impl Verdict<'_> {
    /// Whether the reader is notified.
    pub(crate) fn notifies(&self) -> bool {
        self.actions.iter().any(Action::should_notify)
    }

    /// Whether the event stands out.
    pub(crate) fn highlights(&self) -> bool {
        self.actions.iter().any(Action::is_highlight)
    }
}

/// The rules of a reader.
pub(crate) struct Evaluator<'a> {
    pub(crate) rooms: &'a Rooms,
    pub(crate) user_id: &'a UserId,
    pub(crate) rules: &'a Ruleset,
}

/// Rules from before events said whom they mention: where one says so, they have no say.
const OLD_MENTIONS: [&str; 3] = [
    ".m.rule.contains_display_name",
    ".m.rule.contains_user_name",
    ".m.rule.roomnotif",
];

/// Where an event says how it relates to another.
const REL_TYPE: &str = r"content.m\.relates_to.rel_type";

impl<'a> Evaluator<'a> {
    /// What the reader's rules say of an event: that of the first rule that matches. Nothing if none does, or if the event is
    /// the reader's own.
    ///
    /// # Errors
    /// Storage's.
    pub(crate) fn evaluate(&self, facts: &Facts) -> Result<Option<Verdict<'a>>> {
        self.evaluate_with(facts, &Work::for_event())
    }

    /// As [`Evaluator::evaluate`], with no more work than this.
    ///
    /// # Errors
    /// Storage's.
    pub(crate) fn evaluate_with(&self, facts: &Facts, work: &Work) -> Result<Option<Verdict<'a>>> {
        if facts.event.pdu.sender == self.user_id {
            return Ok(None);
        }
        for rule in self.rules {
            if rule.enabled() && self.matches(rule, facts, work)? {
                return Ok(Some(Verdict {
                    actions: rule.actions(),
                }));
            }
        }
        Ok(None)
    }

    fn matches(&self, rule: AnyPushRuleRef<'_>, facts: &Facts, work: &Work) -> Result<bool> {
        if OLD_MENTIONS.contains(&rule.rule_id()) && facts.has_mentions() {
            return Ok(false);
        }
        match rule {
            AnyPushRuleRef::Override(rule)
            | AnyPushRuleRef::PostContent(rule)
            | AnyPushRuleRef::Underride(rule) => {
                for condition in &rule.conditions {
                    if !self.holds(condition, facts, work)? {
                        return Ok(false);
                    }
                }
                Ok(true)
            }
            AnyPushRuleRef::Content(rule) => Ok(facts
                .body()
                .is_some_and(|body| glob::matches_words(&rule.pattern, body, work))),
            AnyPushRuleRef::Room(rule) => Ok(rule.rule_id == facts.event.room_id),
            AnyPushRuleRef::Sender(rule) => Ok(rule.rule_id == facts.event.pdu.sender),
            _ => Ok(false),
        }
    }

    /// Whether a condition holds. One that is not known never does.
    fn holds(&self, condition: &PushCondition, facts: &Facts, work: &Work) -> Result<bool> {
        if work.spend(cost(condition)).is_none() {
            return Ok(false);
        }
        Ok(match condition {
            PushCondition::EventMatch(wanted) if wanted.key == "content.body" => facts
                .body()
                .is_some_and(|body| glob::matches_words(&wanted.pattern, body, work)),
            PushCondition::EventMatch(wanted) => facts
                .text(&wanted.key)
                .is_some_and(|text| glob::matches(&wanted.pattern, text, work)),
            PushCondition::EventPropertyIs(wanted) => facts
                .property(&wanted.key)
                .is_some_and(|found| is(&wanted.value, &found)),
            PushCondition::EventPropertyContains(wanted) => {
                let found = facts.property(&wanted.key);
                let list = found.as_deref().and_then(Value::as_array);
                list.is_some_and(|list| {
                    work.spend(list.len()).is_some()
                        && list.iter().any(|found| is(&wanted.value, found))
                })
            }
            PushCondition::RoomMemberCount(wanted) => wanted
                .is
                .contains(&UInt::new_saturating(facts.joined(self.rooms)?)),
            PushCondition::SenderNotificationPermission(wanted) => {
                let room = self.rooms.get_number(facts.event.room)?;
                let levels = self.rooms.power_levels(&room)?;
                let needed = levels.notifications.get(&wanted.key);
                needed.is_some_and(|needed| levels.for_user(&facts.event.pdu.sender) >= *needed)
            }
            #[expect(deprecated, reason = "rules that users made before are kept")]
            PushCondition::ContainsDisplayName => match facts.body() {
                Some(body) => self.display_name(facts)?.is_some_and(|name| {
                    work.spend(body.len() / 8).is_some() && contains_name(&name, body)
                }),
                None => false,
            },
            PushCondition::ThreadSubscription(wanted) => {
                let is_answer = facts.text(REL_TYPE) == Some("m.thread");
                match facts.thread(self.rooms)?.filter(|_| is_answer) {
                    Some(root) => {
                        let (users, room) = (self.rooms.users(), facts.event.room);
                        let found = users.thread_subscription(self.user_id, room, root)?;
                        found.is_some() == wanted.subscribed
                    }
                    None => false,
                }
            }
            _ => false,
        })
    }

    /// The reader's name in the event's room.
    fn display_name(&self, facts: &Facts) -> Result<Option<String>> {
        let state = facts.event.state_before();
        let member =
            self.rooms
                .find_state_at(state, &StateEventType::RoomMember, self.user_id.as_str())?;
        Ok(member.and_then(|member| member.pdu.content_field("displayname")))
    }
}

/// What it costs to find out whether a condition holds, but for patterns.
fn cost(condition: &PushCondition) -> usize {
    let key = match condition {
        PushCondition::EventMatch(wanted) => &wanted.key,
        PushCondition::EventPropertyIs(wanted) => &wanted.key,
        PushCondition::EventPropertyContains(wanted) => &wanted.key,
        PushCondition::SenderNotificationPermission(_) => return work::PARSE,
        #[expect(deprecated, reason = "rules that users made before are kept")]
        PushCondition::ContainsDisplayName => return work::LOOKUP,
        PushCondition::ThreadSubscription(_) => return work::LOOKUP,
        _ => return work::CONDITION,
    };
    work::CONDITION + key.len()
}

/// Whether a body mentions a name. A name is no pattern: a star in it is a star.
fn contains_name(name: &str, body: &str) -> bool {
    let name = name.to_lowercase();
    let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    !name.is_empty()
        && body.match_indices(&name).any(|(at, found)| {
            let (before, after) = (&body[..at], &body[at + found.len()..]);
            let starts = !(before.ends_with(word) && found.starts_with(word));
            let ends = !(after.starts_with(word) && found.ends_with(word));
            starts && ends
        })
}

/// Whether a value is just this one.
fn is(wanted: &ScalarJsonValue, found: &Value) -> bool {
    match (wanted, found) {
        (ScalarJsonValue::Null, Value::Null) => true,
        (ScalarJsonValue::Bool(wanted), Value::Bool(found)) => wanted == found,
        (ScalarJsonValue::Integer(wanted), Value::Number(found)) => {
            found.as_i64() == Some(i64::from(*wanted))
        }
        (ScalarJsonValue::String(wanted), Value::String(found)) => wanted == found,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use ruma::push::{
        ConditionalPushRule, ConditionalPushRuleInit, NewPatternedPushRule, NewPushRule,
        NewSimplePushRule,
    };
    use serde_json::json;

    use super::*;
    use crate::testing::{TestServer, member, raw, state, text};

    /// Whether bob is notified of an event, and whether it stands out.
    fn verdict(
        server: &TestServer,
        rules: &Ruleset,
        event: Arc<orvale_rooms::StoredEvent>,
    ) -> (bool, bool) {
        let user_id = UserId::parse("@bob:orvale.test").unwrap();
        let evaluator = Evaluator {
            rooms: &server.rooms,
            user_id: &user_id,
            rules,
        };
        let verdict = evaluator.evaluate(&Facts::new(event)).unwrap();
        verdict.map_or((false, false), |verdict| {
            (verdict.notifies(), verdict.highlights())
        })
    }

    fn content(sender: &UserId, kind: &str, content: &Value) -> orvale_rooms::Draft {
        orvale_rooms::Draft::message(sender, kind.into(), raw(content))
    }

    #[tokio::test]
    async fn the_default_rules_say_what_the_specification_says() {
        let server = TestServer::start();
        let (alice, bob) = (server.user("alice").await, server.user("bob").await);
        let room = server.room(&alice).await;
        server.join(&room, &bob).await;
        let rules = Ruleset::server_default(&bob);
        let judge = async |draft| verdict(&server, &rules, server.did(&room, draft).await);
        assert_eq!(judge(text(&alice, "hello")).await, (true, false));
        assert_eq!(judge(text(&bob, "my own")).await, (false, false));
        let notice = json!({"msgtype": "m.notice", "body": "beep"});
        assert_eq!(
            judge(content(&alice, "m.room.message", &notice)).await,
            (false, false)
        );
        let mention = json!({"msgtype": "m.text", "body": "x", "m.mentions": {"user_ids": [bob]}});
        assert_eq!(
            judge(content(&alice, "m.room.message", &mention)).await,
            (true, true)
        );
        let everybody = json!({"msgtype": "m.text", "body": "x", "m.mentions": {"room": true}});
        assert_eq!(
            judge(content(&alice, "m.room.message", &everybody)).await,
            (true, true)
        );
        let edit = json!({"msgtype": "m.text", "body": "x", "m.relates_to": {"rel_type": "m.replace", "event_id": "$x"}});
        assert_eq!(
            judge(content(&alice, "m.room.message", &edit)).await,
            (false, false)
        );
        let reaction =
            json!({"m.relates_to": {"rel_type": "m.annotation", "event_id": "$x", "key": "+"}});
        assert_eq!(
            judge(content(&alice, "m.reaction", &reaction)).await,
            (false, false)
        );
        assert_eq!(
            judge(content(&alice, "m.room.encrypted", &json!({}))).await,
            (true, false)
        );
        assert_eq!(
            judge(state(&alice, "m.room.topic", "", &json!({"topic": "t"}))).await,
            (false, false)
        );
        assert_eq!(
            judge(state(&alice, "m.room.tombstone", "", &json!({}))).await,
            (true, true)
        );
        let carol = server.user("carol").await;
        server.join(&room, &carol).await;
        assert_eq!(judge(member(&carol, &carol, "leave")).await, (false, false));
        // Who lacks the power to call everybody notifies like anybody.
        assert_eq!(judge(text(&alice, "again")).await, (true, false));
        server.join(&room, &carol).await;
        assert_eq!(
            judge(content(&carol, "m.room.message", &everybody)).await,
            (true, false)
        );
    }

    #[tokio::test]
    async fn an_invite_notifies_whom_it_is_for() {
        let server = TestServer::start();
        let (alice, bob, carol) = (
            server.user("alice").await,
            server.user("bob").await,
            server.user("carol").await,
        );
        let room = server.room(&alice).await;
        let rules = Ruleset::server_default(&bob);
        let for_bob = server.did(&room, member(&alice, &bob, "invite")).await;
        let for_carol = server.did(&room, member(&alice, &carol, "invite")).await;
        assert_eq!(verdict(&server, &rules, for_bob), (true, false));
        assert_eq!(verdict(&server, &rules, for_carol), (false, false));
    }

    #[tokio::test]
    async fn rules_of_the_user_go_before_those_of_the_server() {
        let server = TestServer::start();
        let (alice, bob) = (server.user("alice").await, server.user("bob").await);
        let room = server.room(&alice).await;
        let event = server.send(&room, &alice, "time for tea, Bob!").await;
        let mut rules = Ruleset::server_default(&bob);
        let highlight = vec![
            Action::Notify,
            Action::SetTweak(ruma::push::Tweak::Highlight(
                ruma::push::HighlightTweakValue::Yes,
            )),
        ];
        let pattern = NewPatternedPushRule::new("tea".to_owned(), "TEA".to_owned(), highlight);
        rules
            .insert(NewPushRule::Content(pattern), None, None)
            .unwrap();
        assert_eq!(verdict(&server, &rules, event.clone()), (true, true));
        let mute = NewSimplePushRule::new(room.id.clone(), Vec::new());
        rules.insert(NewPushRule::Room(mute), None, None).unwrap();
        assert_eq!(
            verdict(&server, &rules, event.clone()),
            (true, true),
            "content rules go before room rules"
        );
        rules
            .set_enabled(ruma::push::RuleKind::Content, "tea", false)
            .unwrap();
        assert_eq!(verdict(&server, &rules, event.clone()), (false, false));
        rules
            .set_enabled(ruma::push::RuleKind::Override, ".m.rule.master", true)
            .unwrap();
        rules
            .set_enabled(ruma::push::RuleKind::Content, "tea", true)
            .unwrap();
        assert_eq!(
            verdict(&server, &rules, event),
            (false, false),
            "the master rule turns all off"
        );
    }

    #[tokio::test]
    async fn answers_notify_who_follows_the_thread_once_anything_is_followed() {
        let server = TestServer::start();
        let (alice, bob) = (server.user("alice").await, server.user("bob").await);
        let room = server.room(&alice).await;
        server.join(&room, &bob).await;
        let mut threads = Vec::new();
        for root in ["one", "two"] {
            let root = server.send(&room, &alice, root).await;
            let relation = json!({"rel_type": "m.thread", "event_id": root.event_id()});
            let answer = json!({"msgtype": "m.text", "body": "x", "m.relates_to": relation});
            let answer = server.did(&room, content(&alice, "m.room.message", &answer));
            threads.push((root, answer.await));
        }
        let users = server.rooms.users();
        let judge = || {
            let rules = users.push_rules(&bob).unwrap();
            let answers = threads.iter().map(|(_, answer)| answer.clone());
            answers
                .map(|answer| verdict(&server, &rules, answer).0)
                .collect::<Vec<_>>()
        };
        assert_eq!(judge(), [true, true], "bob's client knows nothing of it");
        let root = threads[0].0.event_id();
        let following = server.rooms.subscribe_to_thread(&bob, &room.id, root, None);
        following.await.unwrap();
        assert_eq!(judge(), [true, false]);
        let stopping = server.rooms.unsubscribe_from_thread(&bob, &room.id, root);
        stopping.await.unwrap();
        assert_eq!(judge(), [false, false]);
        let rules = users.push_rules(&bob).unwrap();
        assert!(verdict(&server, &rules, threads[0].0.clone()).0);
    }

    #[tokio::test]
    async fn conditions_match_exactly_and_unknown_ones_never() {
        let server = TestServer::start();
        let alice = server.user("alice").await;
        let room = server.room(&alice).await;
        let body = json!({"body": "x", "n": 1, "a.b": {"c\\d": null}, "list": ["x", 2, {"y": 1}], "t": "1", "deep": {"er": true}});
        let event = server
            .did(&room, content(&alice, "com.example.x", &body))
            .await;
        let holds = |condition: Value| {
            let mut rules = Ruleset::new();
            let conditions = vec![serde_json::from_value(condition).unwrap()];
            let rule = ConditionalPushRuleInit {
                actions: vec![Action::Notify],
                default: false,
                enabled: true,
                rule_id: "r".to_owned(),
                conditions,
            };
            rules.override_.insert(ConditionalPushRule::from(rule));
            verdict(&server, &rules, event.clone()).0
        };
        let is = |key: &str, value: Value| {
            holds(json!({"kind": "event_property_is", "key": key, "value": value}))
        };
        assert!(
            is("content.n", json!(1)) && !is("content.n", json!("1")) && !is("content.t", json!(1))
        );
        assert!(is(r"content.a\.b.c\\d", Value::Null) && !is("content.none", Value::Null));
        assert!(is("content.deep.er", json!(true)) && is("type", json!("com.example.x")));
        let contains = |key: &str, value: Value| {
            holds(json!({"kind": "event_property_contains", "key": key, "value": value}))
        };
        assert!(contains("content.list", json!("x")) && contains("content.list", json!(2)));
        assert!(!contains("content.list", json!("y")) && !contains("content.t", json!("1")));
        let matches = |key: &str, pattern: &str| {
            holds(json!({"kind": "event_match", "key": key, "pattern": pattern}))
        };
        assert!(
            matches("room_id", room.id.as_str())
                && matches("type", "COM.*.x")
                && !matches("content.n", "*")
        );
        assert!(!matches("state_key", "*") && !matches("content.none", "*"));
        assert!(holds(json!({"kind": "room_member_count", "is": "<2"})));
        assert!(!holds(json!({"kind": "com.example.unknown"})));
    }

    #[test]
    fn names_are_found_as_words_and_are_no_patterns() {
        assert!(contains_name("Bob", "hi bob!") && !contains_name("Bob", "bobby"));
        assert!(
            contains_name("*", "a * b") && !contains_name("*", "ab") && !contains_name("", "ab")
        );
        assert!(contains_name("b.b", "hi b.b") && !contains_name("b?b", "bob"));
    }
}
