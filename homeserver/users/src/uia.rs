//! User-interactive authentication: proving once more who one is, for one operation.
//!
//! <https://spec.matrix.org/latest/client-server-api/#user-interactive-authentication-api>
//!
//! A session belongs to one operation of one caller from its first answer on, and to one request body from its first
//! completed stage on (some clients ask for the flows with an empty body). It ends with its last stage: what it was for has
//! been allowed once, and asking again takes a new session.

use std::{collections::HashMap, time::Duration};

use orvale_storage::record::JsonText;
use parking_lot::Mutex;
use ruma::{
    DeviceId, OwnedUserId, UserId,
    api::{
        client::uiaa::{AuthData, AuthFlow, AuthType, UiaaInfo},
        error::{ErrorKind, StandardErrorBody},
    },
};
use serde::Serialize;

use crate::{
    Error, Result, Users, clock::milliseconds, config::RegistrationMode, sessions::tokens,
};

/// The stage in which a signed token of another system is shown; the name is that of the login type.
pub const JWT_STAGE: &str = "org.matrix.login.jwt";

/// How long a session waits for its next stage.
const LIFE: Duration = Duration::from_secs(15 * 60);
/// How many sessions are kept; the one that expires first makes place.
const SESSIONS: usize = 10_000;

/// What authentication is asked for.
#[derive(Debug, Clone)]
pub struct Operation {
    /// Method, path and caller: a session is good for no other.
    name: String,
    body: tokens::Hash,
    user_id: Option<OwnedUserId>,
    flows: Vec<Vec<AuthType>>,
}

/// What was shown on the way through a flow.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Completed {
    /// The registration token, to be paid with.
    pub registration_token: Option<String>,
}

#[derive(Default)]
pub(crate) struct UiaSessions(Mutex<HashMap<String, UiaSession>>);

#[derive(Clone)]
struct UiaSession {
    operation: String,
    body: Option<tokens::Hash>,
    done: Vec<AuthType>,
    completed: Completed,
    expires_at: u64,
}

impl UiaSessions {
    /// Adds a session, at the cost of the one that expires first if there are too many.
    fn add(&self, id: String, session: UiaSession, now: u64) {
        let mut sessions = self.0.lock();
        if sessions.len() >= SESSIONS {
            sessions.retain(|_, session| now < session.expires_at);
        }
        if sessions.len() >= SESSIONS {
            let first = sessions
                .iter()
                .min_by_key(|(_, session)| session.expires_at)
                .map(|(id, _)| id.clone());
            first.map(|first| sessions.remove(&first));
        }
        sessions.insert(id, session);
    }

    fn get(&self, id: &str, now: u64) -> Option<UiaSession> {
        self.0
            .lock()
            .get(id)
            .filter(|session| now < session.expires_at)
            .cloned()
    }

    /// Puts a session's next form in place of the one with so many stages done, or ends it; whether that was still there.
    fn advance(&self, id: &str, done_before: usize, next: Option<UiaSession>) -> bool {
        let mut sessions = self.0.lock();
        if sessions
            .get(id)
            .is_none_or(|session| session.done.len() != done_before)
        {
            return false;
        }
        match next {
            Some(next) => sessions.insert(id.to_owned(), next),
            None => sessions.remove(id),
        };
        true
    }

    pub(crate) fn sweep(&self, now: u64) {
        self.0.lock().retain(|_, session| now < session.expires_at);
    }
}

impl Users {
    /// An operation of a logged-in user, who proves it by password or, where the server takes them, by a signed token.
    /// `name` is method and path with its arguments; `body` is what of the request must not change between stages.
    ///
    /// # Errors
    /// [`Error::Forbidden`] if the user has nothing to prove it with; storage.
    pub fn operation_of(
        &self,
        name: &str,
        user_id: &UserId,
        device_id: &DeviceId,
        body: &impl Serialize,
    ) -> Result<Operation> {
        let mut flows = Vec::new();
        if self.config().passwords.enabled && self.has_password(user_id)? {
            flows.push(vec![AuthType::Password]);
        }
        if self.takes_jwt() {
            flows.push(vec![AuthType::from(JWT_STAGE)]);
        }
        if flows.is_empty() {
            return Err(Error::Forbidden(
                "this account has no password with which you could confirm this",
            ));
        }
        let name = format!("{name} {user_id} {device_id}");
        Ok(Operation {
            name,
            body: hash_of(body)?,
            user_id: Some(user_id.to_owned()),
            flows,
        })
    }

    /// The registration of an account.
    ///
    /// # Errors
    /// [`Error::RegistrationClosed`].
    pub fn registration(&self, body: &impl Serialize) -> Result<Operation> {
        let stage = match self.registration_mode() {
            RegistrationMode::Open => AuthType::Dummy,
            RegistrationMode::Token => AuthType::RegistrationToken,
            RegistrationMode::Closed => return Err(Error::RegistrationClosed),
        };
        let name = "POST /register".to_owned();
        Ok(Operation {
            name,
            body: hash_of(body)?,
            user_id: None,
            flows: vec![vec![stage]],
        })
    }

    /// Lets an operation pass if what the client shows completes a flow.
    ///
    /// # Errors
    /// [`Error::Uia`] with the answer that tells the client how to go on; storage.
    pub async fn authenticate_operation(
        &self,
        operation: &Operation,
        auth: Option<&AuthData>,
    ) -> Result<Completed> {
        let Some(auth) = auth else {
            return Err(self.begin(operation, None));
        };
        let now = self.now();
        let (id, session) = match auth.session() {
            None => (tokens::random_letters(24), self.new_session(operation)),
            Some(id) => match self.inner.uia.get(id, now) {
                Some(session) if session.operation == operation.name => (id.to_owned(), session),
                _ => {
                    return Err(self.begin(
                        operation,
                        Some("this session is unknown, over, or for something else"),
                    ));
                }
            },
        };
        if session.body.is_some_and(|body| body != operation.body) {
            return Err(self.begin(
                operation,
                Some("the request is not the one this session began with"),
            ));
        }
        if auth.session().is_none() {
            self.inner.uia.add(id.clone(), session.clone(), now);
        }
        let Some(stage) = auth.auth_type() else {
            return Err(uia(operation, &id, &session.done, None));
        };
        if session.done.contains(&stage) {
            return Err(uia(operation, &id, &session.done, None));
        }
        let mut done = session.done.clone();
        done.push(stage);
        if !operation.flows.iter().any(|flow| flow.starts_with(&done)) {
            let message = "this stage is in no flow, or not yet its turn";
            return Err(uia(operation, &id, &session.done, Some(message)));
        }
        let mut completed = session.completed.clone();
        if let Err(message) = self.check_stage(operation, auth, &mut completed).await? {
            metrics::counter!("orvale_users_uia_refused").increment(1);
            return Err(uia(operation, &id, &session.done, Some(message)));
        }
        let over = operation.flows.contains(&done);
        let next = UiaSession {
            body: Some(operation.body),
            done: done.clone(),
            completed: completed.clone(),
            expires_at: now + milliseconds(LIFE),
            ..session.clone()
        };
        // Of two requests with the same stage at once, one passes.
        if !self
            .inner
            .uia
            .advance(&id, session.done.len(), (!over).then_some(next))
        {
            return Err(self.begin(operation, Some("this session is over")));
        }
        if over {
            Ok(completed)
        } else {
            Err(uia(operation, &id, &done, None))
        }
    }

    /// Whether a stage is passed; if not, a sentence saying why.
    async fn check_stage(
        &self,
        operation: &Operation,
        auth: &AuthData,
        completed: &mut Completed,
    ) -> Result<Result<(), &'static str>> {
        let passed = match (auth, &operation.user_id) {
            (AuthData::Dummy(_), None) => true,
            (AuthData::Password(password), Some(user_id)) => {
                let named = self.identified(&password.identifier);
                if named.as_ref() != Some(user_id) {
                    return Ok(Err("this is not your user ID"));
                }
                if !self.password_matches(user_id, &password.password).await? {
                    return Ok(Err("this password is wrong"));
                }
                true
            }
            (AuthData::RegistrationToken(shown), None) => {
                if !self.is_valid_registration_token(&shown.token)? {
                    return Ok(Err(
                        "this registration token is unknown, expired or used up",
                    ));
                }
                completed.registration_token = Some(shown.token.clone());
                true
            }
            (other, Some(user_id))
                if other
                    .auth_type()
                    .is_some_and(|stage| stage.as_str() == JWT_STAGE) =>
            {
                let data = other.data();
                let token = data.get("token").and_then(serde_json::Value::as_str);
                token.is_some_and(|token| self.jwt_is_of(token, user_id))
            }
            _ => false,
        };
        Ok(if passed {
            Ok(())
        } else {
            Err("this proves nothing here")
        })
    }

    fn new_session(&self, operation: &Operation) -> UiaSession {
        UiaSession {
            operation: operation.name.clone(),
            body: None,
            done: Vec::new(),
            completed: Completed::default(),
            expires_at: self.now() + milliseconds(LIFE),
        }
    }

    /// The answer that begins a new session.
    fn begin(&self, operation: &Operation, message: Option<&str>) -> Error {
        let id = tokens::random_letters(24);
        self.inner
            .uia
            .add(id.clone(), self.new_session(operation), self.now());
        uia(operation, &id, &[], message)
    }
}

fn uia(operation: &Operation, session: &str, done: &[AuthType], message: Option<&str>) -> Error {
    let mut info = UiaaInfo::new(operation.flows.iter().cloned().map(AuthFlow::new).collect());
    info.completed = done.to_vec();
    info.session = Some(session.to_owned());
    info.params = Some(
        serde_json::value::to_raw_value(&serde_json::Map::new()).expect("an empty object is JSON"),
    );
    info.auth_error = message.map(|message| {
        Box::new(StandardErrorBody::new(
            ErrorKind::Forbidden,
            message.to_owned(),
        ))
    });
    Error::Uia(Box::new(info))
}

fn hash_of(body: &impl Serialize) -> Result<tokens::Hash> {
    let text = JsonText::of(body).map_err(|e| Error::Internal(e.to_string()))?;
    Ok(tokens::Hash::of(&text.0))
}

#[cfg(test)]
mod tests {
    use ruma::{
        OwnedUserId,
        api::client::uiaa::{Dummy, Password, RegistrationToken},
        device_id,
    };

    use super::*;
    use crate::{
        Config,
        testing::{TestUsers, users, users_with},
    };

    async fn alice() -> (TestUsers, OwnedUserId) {
        let users = users();
        let alice = users.account("alice").await;
        (users, alice)
    }

    fn operation(users: &Users, user_id: &UserId, name: &str, body: &str) -> Operation {
        users
            .operation_of(name, user_id, device_id!("D"), &body)
            .unwrap()
    }

    fn password(user_id: &UserId, password: &str, session: Option<&str>) -> AuthData {
        let mut data = Password::new(user_id.to_owned().into(), password.to_owned());
        data.session = session.map(ToOwned::to_owned);
        AuthData::Password(data)
    }

    fn info<T: std::fmt::Debug>(result: Result<T>) -> UiaaInfo {
        match result {
            Err(Error::Uia(info)) => *info,
            other => panic!("{other:?}"),
        }
    }

    #[tokio::test]
    async fn without_proof_the_answer_tells_the_flows_and_a_session() {
        let (users, alice) = alice().await;
        let change = operation(&users, &alice, "POST /account/password", "a");
        let info = info(users.authenticate_operation(&change, None).await);
        assert_eq!(info.flows[0].stages, [AuthType::Password]);
        assert!(info.completed.is_empty() && info.auth_error.is_none());
        let session = info.session.unwrap();
        let proof = password(&alice, "the password", Some(&session));
        assert!(
            users
                .authenticate_operation(&change, Some(&proof))
                .await
                .is_ok()
        );
    }

    #[tokio::test]
    async fn a_wrong_password_may_be_corrected_in_the_same_session() {
        let (users, alice) = alice().await;
        let change = operation(&users, &alice, "POST /account/password", "a");
        let wrong = users
            .authenticate_operation(&change, Some(&password(&alice, "wrong", None)))
            .await;
        let info = info(wrong);
        assert!(matches!(
            info.auth_error.unwrap().kind,
            ErrorKind::Forbidden
        ));
        let right = password(&alice, "the password", info.session.as_deref());
        assert!(
            users
                .authenticate_operation(&change, Some(&right))
                .await
                .is_ok()
        );
    }

    #[tokio::test]
    async fn a_finished_session_is_not_used_again() {
        let (users, alice) = alice().await;
        let change = operation(&users, &alice, "POST /account/password", "a");
        let session = info(users.authenticate_operation(&change, None).await).session;
        let proof = password(&alice, "the password", session.as_deref());
        assert!(
            users
                .authenticate_operation(&change, Some(&proof))
                .await
                .is_ok()
        );
        let again = info(users.authenticate_operation(&change, Some(&proof)).await);
        assert_ne!(again.session, session);
    }

    #[tokio::test]
    async fn of_two_that_finish_a_session_at_once_one_passes() {
        let (users, alice) = alice().await;
        let change = operation(&users, &alice, "POST /account/password", "a");
        let session = info(users.authenticate_operation(&change, None).await).session;
        let proof = password(&alice, "the password", session.as_deref());
        let (a, b) = tokio::join!(
            users.authenticate_operation(&change, Some(&proof)),
            users.authenticate_operation(&change, Some(&proof)),
        );
        assert!(a.is_ok() != b.is_ok());
    }

    #[tokio::test]
    async fn a_session_is_for_one_operation_of_one_caller() {
        let (users, alice) = alice().await;
        let bob = users.account("bob").await;
        let change = operation(&users, &alice, "POST /account/password", "a");
        let session = info(users.authenticate_operation(&change, None).await).session;
        let elsewhere = operation(&users, &alice, "POST /account/deactivate", "a");
        let proof = password(&alice, "the password", session.as_deref());
        assert!(
            info(users.authenticate_operation(&elsewhere, Some(&proof)).await)
                .auth_error
                .is_some()
        );
        let bobs = operation(&users, &bob, "POST /account/password", "a");
        let proof = password(&bob, "the password", session.as_deref());
        assert!(
            info(users.authenticate_operation(&bobs, Some(&proof)).await)
                .auth_error
                .is_some()
        );
    }

    #[tokio::test]
    async fn anothers_password_proves_nothing() {
        let (users, alice) = alice().await;
        let bob = users.account("bob").await;
        let change = operation(&users, &alice, "POST /account/password", "a");
        let refused = users
            .authenticate_operation(&change, Some(&password(&bob, "the password", None)))
            .await;
        assert!(info(refused).auth_error.is_some());
    }

    #[tokio::test]
    async fn a_request_that_changes_between_stages_begins_anew() {
        let (users, alice) = alice().await;
        let two_stages = |body: &str| Operation {
            flows: vec![vec![AuthType::Password, AuthType::from(JWT_STAGE)]],
            ..operation(&users, &alice, "DELETE /devices/A", body)
        };
        let asked = info(users.authenticate_operation(&two_stages("{}"), None).await);
        let proof = password(&alice, "the password", asked.session.as_deref());
        let first = info(
            users
                .authenticate_operation(&two_stages("a"), Some(&proof))
                .await,
        );
        assert_eq!(
            (&first.completed[..], &first.session),
            (&[AuthType::Password][..], &asked.session)
        );
        let acknowledgement = AuthData::fallback_acknowledgement(asked.session.clone().unwrap());
        let same = info(
            users
                .authenticate_operation(&two_stages("a"), Some(&acknowledgement))
                .await,
        );
        assert_eq!(same.completed, [AuthType::Password]);
        let other = info(
            users
                .authenticate_operation(&two_stages("b"), Some(&acknowledgement))
                .await,
        );
        assert!(other.completed.is_empty() && other.auth_error.is_some());
        assert_ne!(other.session, asked.session);
    }

    #[tokio::test]
    async fn stages_go_in_order() {
        let (users, alice) = alice().await;
        let ordered = Operation {
            flows: vec![vec![AuthType::from(JWT_STAGE), AuthType::Password]],
            ..operation(&users, &alice, "DELETE /devices/A", "a")
        };
        let early = users
            .authenticate_operation(&ordered, Some(&password(&alice, "the password", None)))
            .await;
        let info = info(early);
        assert!(info.completed.is_empty() && info.auth_error.is_some());
    }

    #[tokio::test]
    async fn sessions_expire() {
        let (users, alice) = alice().await;
        let change = operation(&users, &alice, "POST /account/password", "a");
        let session = info(users.authenticate_operation(&change, None).await).session;
        users.clock().advance(LIFE);
        let late = password(&alice, "the password", session.as_deref());
        assert!(
            info(users.authenticate_operation(&change, Some(&late)).await)
                .auth_error
                .is_some()
        );
    }

    #[tokio::test]
    async fn registration_asks_for_what_the_mode_says() {
        let with = |mode| {
            let mut config = Config::default();
            config.registration.mode = mode;
            users_with(config)
        };
        assert!(matches!(
            with(RegistrationMode::Closed).registration(&""),
            Err(Error::RegistrationClosed)
        ));
        let open = with(RegistrationMode::Open);
        let operation = open.registration(&"").unwrap();
        let dummy = AuthData::Dummy(Dummy::new());
        assert!(open.authenticate_operation(&operation, None).await.is_err());
        assert_eq!(
            open.authenticate_operation(&operation, Some(&dummy))
                .await
                .unwrap(),
            Completed::default()
        );
        let by_token = with(RegistrationMode::Token);
        let operation = by_token.registration(&"").unwrap();
        by_token
            .create_registration_token(Some("letmein"), Some(1), None)
            .await
            .unwrap();
        assert!(
            by_token
                .authenticate_operation(&operation, Some(&dummy))
                .await
                .is_err()
        );
        for (token, good) in [("wrong", false), ("letmein", true)] {
            let shown = AuthData::RegistrationToken(RegistrationToken::new(token.to_owned()));
            let result = by_token
                .authenticate_operation(&operation, Some(&shown))
                .await;
            assert_eq!(result.is_ok(), good, "{token}");
        }
    }

    #[test]
    fn sessions_are_bounded() {
        let users = users();
        let sessions = &users.inner.uia;
        for n in 0..=SESSIONS {
            let session = UiaSession {
                operation: String::new(),
                body: None,
                done: Vec::new(),
                completed: Completed::default(),
                expires_at: u64::MAX - 1_000_000 + n as u64,
            };
            sessions.add(n.to_string(), session, 0);
        }
        assert_eq!(sessions.0.lock().len(), SESSIONS);
        assert!(sessions.get("0", 0).is_none() && sessions.get("1", 0).is_some());
    }
}
