//! What is done to rulesets, without storage.

use orvale_storage::record::JsonText;
use ruma::{
    UserId,
    push::{AnyPushRuleRef, InsertPushRuleError, NewPushRule, RuleKind, Ruleset},
};
use serde::Serialize;

use crate::{Error, Result};

/// The rules that every user of the server has: those of the specification. Those for threads are for who follows any.
fn defaults(user_id: &UserId, follows_threads: bool) -> Ruleset {
    let mut defaults = Ruleset::server_default(user_id);
    if !follows_threads {
        defaults.postcontent.clear();
    }
    defaults
}

/// A stored ruleset as it is now: with the server's default rules of today, changed where the user changed them.
pub(super) fn current(stored: Option<&JsonText>, user_id: &UserId) -> Result<Ruleset> {
    let Some(stored) = stored else {
        return Ok(defaults(user_id, false));
    };
    let mut ruleset: Ruleset = stored
        .parse()
        .map_err(|e| Error::Internal(format!("stored push rules: {e}")))?;
    let defaults = defaults(user_id, !ruleset.postcontent.is_empty());
    ruleset.update_with_server_default(defaults);
    Ok(ruleset)
}

/// Adds the rules for threads.
pub(super) fn add_thread_rules(ruleset: &mut Ruleset, user_id: &UserId) {
    if ruleset.postcontent.is_empty() {
        ruleset.postcontent = defaults(user_id, true).postcontent;
    }
}

/// The part of a ruleset that is kept: the user's own rules, and those default rules that the user changed. The others
/// follow the server's defaults when these change. Those for threads are all kept: that they are there tells that they apply.
pub(super) fn kept(mut ruleset: Ruleset, user_id: &UserId) -> Result<JsonText> {
    let defaults = defaults(user_id, false);
    macro_rules! drop_unchanged {
        ($($kind:ident),*) => {$(
            ruleset.$kind.retain(|rule| {
                let default = defaults.$kind.get(rule.rule_id.as_str());
                !rule.default
                    || default.is_some_and(|d| d.enabled != rule.enabled || json(&d.actions) != json(&rule.actions))
            });
        )*};
    }
    drop_unchanged!(override_, content, room, sender, underride);
    JsonText::of(&ruleset).map_err(|e| Error::Internal(e.to_string()))
}

fn json(value: &impl Serialize) -> Option<String> {
    serde_json::to_string(value).ok()
}

/// How many rules are the user's own.
pub(super) fn own_rules(ruleset: &Ruleset) -> usize {
    ruleset
        .iter()
        .filter(|rule| !rule.is_server_default())
        .count()
}

/// Adds a rule, or changes and moves one.
///
/// `Ruleset::insert` panics when a rule that exists is moved after the last of its kind, and when a new one is put after
/// itself; and it puts one that moves down a place too far. So a rule that is to be moved is taken out first and inserted as a
/// new one, and none is its own neighbour.
pub(super) fn insert(
    ruleset: &mut Ruleset,
    rule: NewPushRule,
    after: Option<&str>,
    before: Option<&str>,
) -> Result<()> {
    let (kind, rule_id) = (rule.kind(), rule.rule_id().to_owned());
    check_rule_id(&rule_id)?;
    if kind == RuleKind::PostContent {
        return Err(Error::InvalidParam(
            "rules of this kind are the server's own".to_owned(),
        ));
    }
    if after == Some(&*rule_id) || before == Some(&*rule_id) {
        return Err(Error::InvalidParam(
            "a push rule cannot be placed next to itself".to_owned(),
        ));
    }
    let moved = after.is_some() || before.is_some();
    let enabled = ruleset
        .get(kind.clone(), &rule_id)
        .map(AnyPushRuleRef::enabled);
    if moved && enabled.is_some() && ruleset.remove(kind.clone(), &rule_id).is_err() {
        return Err(Error::InvalidParam(
            "the server's own rules cannot be replaced".to_owned(),
        ));
    }
    ruleset
        .insert(rule, after, before)
        .map_err(|error| match error {
            InsertPushRuleError::UnknownRuleId => {
                Error::NotFound("rule to put this one before or after")
            }
            other => Error::InvalidParam(other.to_string()),
        })?;
    if let Some(enabled) = enabled {
        ruleset
            .set_enabled(kind, rule_id, enabled)
            .map_err(|_| Error::NotFound("push rule"))?;
    }
    Ok(())
}

fn check_rule_id(rule_id: &str) -> Result<()> {
    if rule_id.is_empty() || rule_id.len() > 255 {
        return Err(Error::InvalidParam(
            "the ID of a push rule has 1 to 255 bytes".to_owned(),
        ));
    }
    Ok(())
}

/// Whether rules of this kind exist.
pub(super) fn check_kind(kind: &RuleKind) -> Result<()> {
    match kind {
        RuleKind::Override
        | RuleKind::Underride
        | RuleKind::Sender
        | RuleKind::Room
        | RuleKind::PostContent
        | RuleKind::Content => Ok(()),
        _ => Err(Error::InvalidParam(
            "push rules are override, content, room, sender or underride".to_owned(),
        )),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use ruma::{
        push::{Action, NewConditionalPushRule, NewPatternedPushRule},
        user_id,
    };

    use super::*;

    fn alice() -> &'static UserId {
        user_id!("@alice:example.org")
    }

    fn content(rule_id: &str) -> NewPushRule {
        NewPushRule::Content(NewPatternedPushRule::new(
            rule_id.to_owned(),
            "x".to_owned(),
            vec![Action::Notify],
        ))
    }

    fn underride(rule_id: &str) -> NewPushRule {
        NewPushRule::Underride(NewConditionalPushRule::new(
            rule_id.to_owned(),
            Vec::new(),
            vec![Action::Notify],
        ))
    }

    fn own(ruleset: &Ruleset) -> Vec<&str> {
        ruleset
            .content
            .iter()
            .filter(|rule| !rule.default)
            .map(|rule| rule.rule_id.as_str())
            .collect()
    }

    fn abc() -> Ruleset {
        let mut ruleset = Ruleset::server_default(alice());
        for rule_id in ["c", "b", "a"] {
            insert(&mut ruleset, content(rule_id), None, None).unwrap();
        }
        ruleset
    }

    #[test]
    fn a_rule_moves_after_the_last_of_its_kind() {
        let mut ruleset = Ruleset::new();
        for rule_id in ["c", "b", "a"] {
            insert(&mut ruleset, content(rule_id), None, None).unwrap();
        }
        insert(&mut ruleset, content("a"), Some("c"), None).unwrap();
        assert_eq!(own(&ruleset), ["b", "c", "a"]);
    }

    #[test]
    fn rules_move_to_where_they_are_asked() {
        for (rule_id, after, before, expected) in [
            ("a", Some("b"), None, ["b", "a", "c"]),
            ("a", Some("c"), None, ["b", "c", "a"]),
            ("c", None, Some("a"), ["c", "a", "b"]),
            ("c", Some("a"), Some("b"), ["a", "c", "b"]),
            ("a", None, Some("c"), ["b", "a", "c"]),
            ("b", None, None, ["a", "b", "c"]),
        ] {
            let mut ruleset = abc();
            insert(&mut ruleset, content(rule_id), after, before).unwrap();
            assert_eq!(
                own(&ruleset),
                expected,
                "{rule_id} after {after:?} before {before:?}"
            );
        }
    }

    #[test]
    fn a_changed_rule_stays_disabled() {
        let mut ruleset = abc();
        ruleset.set_enabled(RuleKind::Content, "a", false).unwrap();
        insert(&mut ruleset, content("a"), Some("c"), None).unwrap();
        assert!(!ruleset.get(RuleKind::Content, "a").unwrap().enabled());
        insert(&mut ruleset, content("a"), None, None).unwrap();
        assert!(!ruleset.get(RuleKind::Content, "a").unwrap().enabled());
    }

    #[test]
    fn impossible_places_and_ids_are_refused() {
        for (rule_id, after, before) in [
            ("a", Some("a"), None),
            ("a", None, Some("a")),
            ("a", Some("unknown"), None),
            ("a", Some("c"), Some("b")),
            ("a", Some(".m.rule.contains_user_name"), None),
            ("new", Some("new"), None),
            ("new", None, Some("new")),
            (".own", None, None),
            ("a/b", None, None),
            ("", None, None),
        ] {
            assert!(
                insert(&mut abc(), content(rule_id), after, before).is_err(),
                "{rule_id} {after:?} {before:?}"
            );
        }
    }

    proptest! {
        #[test]
        fn no_order_of_insertions_panics_or_loses_a_rule(
            steps: Vec<(u8, Option<u8>, Option<u8>, bool)>
        ) {
            let mut ruleset = Ruleset::server_default(alice());
            let name = |n: u8| ["a", "b", "c", "d", ".m.rule.call"][usize::from(n % 5)];
            for (rule_id, after, before, is_content) in steps {
                let rule = if is_content { content(name(rule_id)) } else { underride(name(rule_id)) };
                let mut changed = ruleset.clone();
                if insert(&mut changed, rule, after.map(name), before.map(name)).is_ok() {
                    prop_assert!(changed.iter().count() >= ruleset.iter().count());
                    ruleset = changed;
                }
            }
        }
    }

    #[test]
    fn default_rules_are_kept_only_where_they_were_changed_and_new_ones_appear() {
        let mut ruleset = abc();
        ruleset
            .set_enabled(RuleKind::Override, ".m.rule.master", true)
            .unwrap();
        let text = kept(ruleset, alice()).unwrap();
        assert!(
            text.0.contains(".m.rule.master") && !text.0.contains(".m.rule.message"),
            "{}",
            text.0
        );
        let ruleset = current(Some(&text), alice()).unwrap();
        assert!(
            ruleset
                .get(RuleKind::Override, ".m.rule.master")
                .unwrap()
                .enabled()
        );
        assert!(
            ruleset
                .get(RuleKind::Underride, ".m.rule.message")
                .is_some()
        );
        assert_eq!(ruleset.override_[0].rule_id, ".m.rule.master");
        assert_eq!(own(&ruleset), ["a", "b", "c"]);
    }
}
