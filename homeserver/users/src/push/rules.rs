//! Push rules: reading and changing them.

use std::sync::Arc;

use orvale_storage::{
    Batch, Entry,
    record::JsonText,
    trees::users::{PUSH_RULES, PushRules},
};
use ruma::{
    UserId,
    push::{Action, NewPushRule, RemovePushRuleError, RuleKind, Ruleset},
};
use serde_json::{Value, json};

use super::ruleset::{add_thread_rules, check_kind, current, insert, kept, own_rules};
use crate::{Error, Result, Users};

const NO_RULE: Error = Error::NotFound("push rule");

impl Users {
    /// The user's push rules, those of the server included. Nearly always from memory.
    ///
    /// # Errors
    /// Storage; [`Error::NotLocal`].
    pub fn push_rules(&self, user_id: &UserId) -> Result<Arc<Ruleset>> {
        let localpart = self.localpart(user_id)?;
        self.inner.rulesets.get_or(user_id, || {
            let stored = self.store().get(&PUSH_RULES, (localpart,))?;
            current(stored.as_ref().map(|rules| &rules.ruleset), user_id).map(Arc::new)
        })
    }

    /// Adds a push rule of the user, or changes one; `after` and `before` name rules it is to stand next to.
    ///
    /// # Errors
    /// [`Error::InvalidParam`], [`Error::NotFound`] for an unknown neighbour, [`Error::TooLarge`]; storage.
    pub async fn set_push_rule(
        &self,
        user_id: &UserId,
        rule: NewPushRule,
        after: Option<&str>,
        before: Option<&str>,
    ) -> Result<()> {
        let most = self.config().limits.push_rules;
        self.change_push_rules(user_id, |ruleset| {
            insert(ruleset, rule.clone(), after, before)?;
            if own_rules(ruleset) > most {
                return Err(Error::TooLarge(format!(
                    "a user has at most {most} push rules"
                )));
            }
            Ok(())
        })
        .await
    }

    /// Removes a push rule of the user.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::InvalidParam`] for a rule of the server; storage.
    pub async fn remove_push_rule(
        &self,
        user_id: &UserId,
        kind: &RuleKind,
        rule_id: &str,
    ) -> Result<()> {
        check_kind(kind)?;
        self.change_push_rules(user_id, |ruleset| {
            ruleset
                .remove(kind.clone(), rule_id)
                .map_err(|error| match error {
                    RemovePushRuleError::NotFound => NO_RULE,
                    _ => Error::InvalidParam(
                        "the server's own rules cannot be removed; disable it instead".to_owned(),
                    ),
                })
        })
        .await
    }

    /// Enables or disables a push rule.
    ///
    /// # Errors
    /// [`Error::NotFound`]; storage.
    pub async fn set_push_rule_enabled(
        &self,
        user_id: &UserId,
        kind: &RuleKind,
        rule_id: &str,
        enabled: bool,
    ) -> Result<()> {
        check_kind(kind)?;
        let change = |ruleset: &mut Ruleset| {
            ruleset
                .set_enabled(kind.clone(), rule_id, enabled)
                .map_err(|_| NO_RULE)
        };
        self.change_push_rules(user_id, change).await
    }

    /// Changes what a push rule does.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::TooLarge`]; storage.
    pub async fn set_push_rule_actions(
        &self,
        user_id: &UserId,
        kind: &RuleKind,
        rule_id: &str,
        actions: Vec<Action>,
    ) -> Result<()> {
        check_kind(kind)?;
        let change = |ruleset: &mut Ruleset| {
            ruleset
                .set_actions(kind.clone(), rule_id, actions.clone())
                .map_err(|_| NO_RULE)
        };
        self.change_push_rules(user_id, change).await
    }

    /// Has the rules for threads apply to a user.
    pub(crate) async fn use_thread_rules(&self, user_id: &UserId) -> Result<()> {
        if !self.push_rules(user_id)?.postcontent.is_empty() {
            return Ok(());
        }
        let change = |ruleset: &mut Ruleset| {
            add_thread_rules(ruleset, user_id);
            Ok(())
        };
        self.change_push_rules(user_id, change).await
    }

    /// The user's push rules as clients see them (`GET /pushrules/global/`). Every kind is there, the empty ones too: clients
    /// look into them without asking.
    ///
    /// # Errors
    /// Storage; [`Error::NotLocal`].
    pub fn push_rules_by_kind(&self, user_id: &UserId) -> Result<Value> {
        let mut kinds =
            json!({ "override": [], "content": [], "room": [], "sender": [], "underride": [] });
        let ruleset = serde_json::to_value(&*self.push_rules(user_id)?);
        let ruleset = ruleset.map_err(|error| Error::Internal(error.to_string()))?;
        if let (Some(kinds), Value::Object(ruleset)) = (kinds.as_object_mut(), ruleset) {
            kinds.extend(ruleset);
        }
        Ok(kinds)
    }

    /// The content of the account data `m.push_rules`, also the answer of `GET /pushrules/`.
    ///
    /// # Errors
    /// Storage; [`Error::NotLocal`].
    pub fn push_rules_content(&self, user_id: &UserId) -> Result<JsonText> {
        let content = json!({ "global": self.push_rules_by_kind(user_id)? });
        JsonText::of(&content).map_err(|error| Error::Internal(error.to_string()))
    }

    async fn change_push_rules(
        &self,
        user_id: &UserId,
        change: impl Fn(&mut Ruleset) -> Result<()>,
    ) -> Result<()> {
        let localpart = self.localpart(user_id)?;
        let most = self.config().limits.push_rules_bytes;
        let _replacing = self.inner.rulesets.replacing(user_id.to_owned());
        self.write_at(1, |places| {
            let before = self.store().get(&PUSH_RULES, (localpart,))?;
            let mut ruleset = current(before.as_ref().map(|rules| &rules.ruleset), user_id)?;
            change(&mut ruleset)?;
            let ruleset = kept(ruleset, user_id)?;
            let mut batch = Batch::new();
            if before
                .as_ref()
                .is_some_and(|rules| rules.ruleset == ruleset)
            {
                return Ok((batch, ()));
            }
            if ruleset.0.len() > most {
                return Err(Error::TooLarge(format!(
                    "the push rules of a user have at most {most} bytes"
                )));
            }
            batch.expect(&PUSH_RULES, (localpart,), before.as_ref());
            batch.put(
                &PUSH_RULES,
                (localpart,),
                &PushRules {
                    at: places.at(0),
                    ruleset,
                },
            );
            batch.log(Entry::PushRules {
                user_id: user_id.to_string(),
            });
            Ok((batch, ()))
        })
        .await
    }
}

#[cfg(test)]
mod tests {
    use ruma::push::NewPatternedPushRule;

    use super::*;
    use crate::{
        Config,
        testing::{users, users_with},
    };

    fn content(rule_id: &str) -> NewPushRule {
        NewPushRule::Content(NewPatternedPushRule::new(
            rule_id.to_owned(),
            "x".to_owned(),
            vec![Action::Notify],
        ))
    }

    #[tokio::test]
    async fn every_kind_is_there_even_when_it_is_empty() {
        let users = users();
        let alice = users.account("alice").await;
        let content: Value = users.push_rules_content(&alice).unwrap().parse().unwrap();
        for kind in ["override", "content", "room", "sender", "underride"] {
            assert!(content["global"][kind].is_array(), "{kind} is missing");
        }
        assert_eq!(content["global"].as_object().unwrap().len(), 5);
    }

    #[tokio::test]
    async fn rules_are_added_changed_and_removed() {
        let users = users();
        let alice = users.account("alice").await;
        assert!(
            users
                .push_rules(&alice)
                .unwrap()
                .get(RuleKind::Underride, ".m.rule.message")
                .is_some()
        );
        let before = users.store().visible();
        users
            .set_push_rule(&alice, content("a"), None, None)
            .await
            .unwrap();
        users
            .set_push_rule_enabled(&alice, &RuleKind::Content, "a", false)
            .await
            .unwrap();
        users
            .set_push_rule_enabled(&alice, &RuleKind::Content, "a", false)
            .await
            .unwrap();
        users
            .set_push_rule_actions(&alice, &RuleKind::Content, "a", Vec::new())
            .await
            .unwrap();
        let rules = users.push_rules(&alice).unwrap();
        let rule = rules.get(RuleKind::Content, "a").unwrap();
        assert!(!rule.enabled() && rule.actions().is_empty());
        users
            .remove_push_rule(&alice, &RuleKind::Content, "a")
            .await
            .unwrap();
        assert!(
            users
                .push_rules(&alice)
                .unwrap()
                .get(RuleKind::Content, "a")
                .is_none()
        );
        let told = users.store().log(before, 10).unwrap();
        assert_eq!(told.len(), 4, "a call that changes nothing tells nobody");
        assert!(told.iter().all(|(_, entry)| *entry
            == Entry::PushRules {
                user_id: alice.to_string()
            }));
    }

    #[tokio::test]
    async fn the_servers_rules_can_be_disabled_and_not_removed() {
        let users = users();
        let alice = users.account("alice").await;
        let refused = users
            .remove_push_rule(&alice, &RuleKind::Underride, ".m.rule.message")
            .await;
        assert!(matches!(refused, Err(Error::InvalidParam(_))));
        users
            .set_push_rule_enabled(&alice, &RuleKind::Underride, ".m.rule.message", false)
            .await
            .unwrap();
        assert!(
            !users
                .push_rules(&alice)
                .unwrap()
                .get(RuleKind::Underride, ".m.rule.message")
                .unwrap()
                .enabled()
        );
        let gone = users
            .set_push_rule_enabled(&alice, &RuleKind::Override, "unknown", true)
            .await;
        assert!(matches!(gone, Err(Error::NotFound(_))));
        let kind = RuleKind::from("nonsense");
        assert!(matches!(
            users.remove_push_rule(&alice, &kind, "a").await,
            Err(Error::InvalidParam(_))
        ));
    }

    #[tokio::test]
    async fn rules_are_bounded_in_number_and_size() {
        let mut config = Config::default();
        config.limits.push_rules = 3;
        config.limits.push_rules_bytes = 1000;
        let users = users_with(config);
        let alice = users.account("alice").await;
        for rule_id in ["a", "b", "c", "a"] {
            users
                .set_push_rule(&alice, content(rule_id), None, None)
                .await
                .unwrap();
        }
        assert!(matches!(
            users.set_push_rule(&alice, content("d"), None, None).await,
            Err(Error::TooLarge(_))
        ));
        users
            .remove_push_rule(&alice, &RuleKind::Content, "a")
            .await
            .unwrap();
        let large = NewPushRule::Content(NewPatternedPushRule::new(
            "d".to_owned(),
            "x".repeat(1000),
            Vec::new(),
        ));
        assert!(matches!(
            users.set_push_rule(&alice, large, None, None).await,
            Err(Error::TooLarge(_))
        ));
    }
}
