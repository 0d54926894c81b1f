//! Trees of `users`.
//!
//! Almost all of it belongs to local users, who are keyed by the localpart: shorter than the ID, and the server's name never
//! changes. Where others have something too, they are keyed by the whole ID, which no localpart begins like.

use serde::{Deserialize, Serialize};

use crate::{Position, Tree, record::JsonText, tree::Described};

/// SHA-256 of a token: tokens themselves are not kept.
pub type TokenHash = [u8; 32];

/// Accounts: localpart → [`Account`]. Made with the precondition that it is absent; never removed, so that no localpart is
/// given twice.
pub const ACCOUNTS: Tree<(String,), Account> = Tree::new(0x0201, "accounts");

/// An account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// When it was made, in milliseconds since the Unix epoch.
    pub created_at: u64,
    /// The password's argon2id hash as PHC string; `None` where nobody can log in by password.
    pub password: Option<String>,
    /// Whether it may use the admin APIs.
    pub admin: bool,
    /// Whether it is a guest's.
    pub guest: bool,
    /// The application service that made it.
    pub appservice: Option<String>,
    /// Whether an administrator locked it.
    pub locked: bool,
    /// Whether an administrator suspended it.
    pub suspended: bool,
    /// Set once it is deactivated: whether its owner asked to have everything erased.
    pub deactivated: Option<Erase>,
    /// The e-mail address that a trusted issuer vouched for, and when.
    pub email: Option<(String, u64)>,
    /// The display name that an issuer last claimed, to notice when it claims another.
    pub claimed_name: Option<String>,
}

/// Whether a deactivated account is to be erased as far as possible.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Erase {
    /// What it wrote stays readable.
    No,
    /// Later readers get redacted copies.
    Yes,
}

/// Devices: localpart, device ID → [`Device`]. What belongs to a device in other trees goes with it.
pub const DEVICES: Tree<(String, String), Device> = Tree::new(0x0202, "devices");

/// A device and the tokens that stand for it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Device {
    /// The name its user sees.
    pub display_name: Option<String>,
    /// When it first logged in, in milliseconds since the Unix epoch.
    pub created_at: u64,
    /// When and from which address it was last seen; written now and then.
    pub last_seen: Option<(u64, String)>,
    /// The pair in use, then those handed out by refreshing which the client has not yet used.
    pub pairs: Vec<TokenPair>,
}

/// An access token and the refresh token that came with it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenPair {
    /// The access token's hash.
    pub access: TokenHash,
    /// When the access token expires, if it does.
    pub access_expires_at: Option<u64>,
    /// The refresh token's hash.
    pub refresh: Option<TokenHash>,
    /// When the refresh token expires, if it does.
    pub refresh_expires_at: Option<u64>,
}

/// Access and refresh tokens: hash → whose. The pair itself is in [`DEVICES`].
pub const TOKENS: Tree<(Vec<u8>,), TokenOwner> = Tree::new(0x0203, "tokens");

/// The device that a token stands for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenOwner {
    /// The user.
    pub localpart: String,
    /// The device.
    pub device_id: String,
}

/// Tokens that stand for a user once or for a short while: purpose, hash → [`ShortToken`]. See [`LOGIN_TOKEN`],
/// [`OPENID_TOKEN`].
pub const SHORT_TOKENS: Tree<(u8, Vec<u8>), ShortToken> = Tree::new(0x0204, "short_tokens");

/// Purpose in [`SHORT_TOKENS`]: to log in once (`m.login.token`).
pub const LOGIN_TOKEN: u8 = 1;
/// Purpose in [`SHORT_TOKENS`]: to show a third party who the user is.
pub const OPENID_TOKEN: u8 = 2;

/// A token that is valid for a short while.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShortToken {
    /// The user.
    pub localpart: String,
    /// When it expires, in milliseconds since the Unix epoch.
    pub expires_at: u64,
}

/// Registration tokens: token → [`RegistrationToken`].
pub const REGISTRATION_TOKENS: Tree<(String,), RegistrationToken> =
    Tree::new(0x0205, "registration_tokens");

/// What a registration token is still good for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RegistrationToken {
    /// How often it may be used; `None` for no limit.
    pub uses_allowed: Option<u64>,
    /// How often it was used.
    pub completed: u64,
    /// When it expires, in milliseconds since the Unix epoch.
    pub expires_at: Option<u64>,
}

/// Profiles: localpart → [`Profile`]. In one record, because the limit of the specification is on the whole.
pub const PROFILES: Tree<(String,), Profile> = Tree::new(0x0206, "profiles");

/// A profile's fields, `displayname` and `avatar_url` among them.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Profile {
    /// The position of the last change.
    pub at: Position,
    /// Name and value of each field.
    pub fields: std::collections::BTreeMap<String, JsonText>,
}

/// Account data: localpart, the room's number ([`Position::START`] for global), event type → [`AccountData`].
///
/// `m.push_rules` is not here but in [`PUSH_RULES`].
pub const ACCOUNT_DATA: Tree<(String, Position, String), AccountData> =
    Tree::new(0x0207, "account_data");

/// The content of one type of account data.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountData {
    /// The position of its last change.
    pub at: Position,
    /// The content, a JSON object.
    pub content: JsonText,
}

/// Filters: localpart, filter ID (a hash of the filter, so that uploading it again costs nothing) → the filter.
pub const FILTERS: Tree<(String, String), JsonText> = Tree::new(0x0208, "filters");

/// Push rules: localpart → [`PushRules`]. Absent while a user has just the server's default rules.
pub const PUSH_RULES: Tree<(String,), PushRules> = Tree::new(0x0209, "push_rules");

/// A user's push rules, the default ones as they were when written: readers bring them up to date.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PushRules {
    /// The position of the last change.
    pub at: Position,
    /// The ruleset.
    pub ruleset: JsonText,
}

/// Pushers: localpart, app ID, pushkey → [`Pusher`].
pub const PUSHERS: Tree<(String, String, String), Pusher> = Tree::new(0x020a, "pushers");

/// A pusher.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pusher {
    /// The device whose access token set it; it goes with the device.
    pub device_id: String,
    /// When it was set, in milliseconds since the Unix epoch.
    pub set_at: u64,
    /// The pusher as the client gave it, a JSON object.
    pub pusher: JsonText,
}

/// Who has a pusher with a pushkey: app ID, pushkey, localpart. A pusher set without `append` replaces those of others.
pub const PUSHKEYS: Tree<(String, String, String), ()> = Tree::new(0x020b, "pushkeys");

/// Messages waiting for a device: localpart, device ID, position → [`ToDeviceMessage`]. Removed when the client has
/// acknowledged the position.
pub const TO_DEVICE: Tree<(String, String, Position), ToDeviceMessage> =
    Tree::new(0x020c, "to_device");

/// A message to a device.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ToDeviceMessage {
    /// Who sent it.
    pub sender: String,
    /// The event type.
    pub kind: String,
    /// The content, a JSON object.
    pub content: JsonText,
}

/// Transactions that are done: half-day since the Unix epoch, localpart, device ID, endpoint and transaction ID. By time
/// first, so that old ones go in one range.
pub const TRANSACTIONS: Tree<(u32, String, String, String), ()> =
    Tree::new(0x020d, "user_transactions");

/// Device keys: localpart, device ID → the signed key object as uploaded.
pub const DEVICE_KEYS: Tree<(String, String), JsonText> = Tree::new(0x020e, "device_keys");

/// One-time keys: localpart, device ID, algorithm, position of the upload, key ID → the key object. The order is the one
/// they are given out in.
pub const ONE_TIME_KEYS: Tree<(String, String, String, Position, String), JsonText> =
    Tree::new(0x020f, "one_time_keys");

/// Fallback keys: localpart, device ID, algorithm → [`FallbackKey`].
pub const FALLBACK_KEYS: Tree<(String, String, String), FallbackKey> =
    Tree::new(0x0210, "fallback_keys");

/// The key given out when no one-time key is left.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FallbackKey {
    /// Its ID, without the algorithm.
    pub key_id: String,
    /// The key object.
    pub key: JsonText,
    /// Whether it was given out.
    pub used: bool,
}

/// One-time keys that were given out, so that one that is uploaded once more is not given out once more: localpart, device
/// ID, algorithm, key ID → [`ClaimedKey`]. Those given out longest ago go.
pub const CLAIMED_KEYS: Tree<(String, String, String, String), ClaimedKey> =
    Tree::new(0x0213, "claimed_keys");

/// A one-time key that was given out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClaimedKey {
    /// When, in milliseconds since the Unix epoch.
    pub at: u64,
    /// SHA-256 of the key object.
    pub hash: [u8; 32],
}

/// The public cross-signing keys: localpart → [`CrossSigning`]. In one record, because they stand on each other.
pub const CROSS_SIGNING: Tree<(String,), CrossSigning> = Tree::new(0x0214, "cross_signing");

/// A user's cross-signing keys: key objects, with those of the user's own signatures that came with them.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct CrossSigning {
    /// The master key.
    pub master: Option<JsonText>,
    /// The self-signing key, signed by the master key.
    pub self_signing: Option<JsonText>,
    /// The user-signing key, signed by the master key; for the user's own eyes.
    pub user_signing: Option<JsonText>,
    /// The position of the last change that only the user sees.
    pub private_at: Position,
}

/// Signatures that local users put on keys after these were uploaded: the signer's localpart, whose key, the key (a device ID or
/// a public cross-signing key), the signing key's ID → [`KeySignature`]. The signer first: a reader sees what the
/// keys' owner signed and what the reader signed, which are two ranges.
pub const KEY_SIGNATURES: Tree<(String, String, String, String), KeySignature> =
    Tree::new(0x0215, "key_signatures");

/// A signature on a key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeySignature {
    /// The position of its upload.
    pub at: Position,
    /// The signature, in Base64.
    pub signature: String,
}

/// Key backups: localpart, version → [`Backup`]. Deleted ones stay as a mark, so that no version is used twice.
pub const BACKUPS: Tree<(String, u64), Backup> = Tree::new(0x0216, "backups");

/// A version of a user's key backup.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Backup {
    /// How sessions are encrypted.
    pub algorithm: String,
    /// What the algorithm needs to know, a JSON object.
    pub auth_data: JsonText,
    /// How many sessions it holds.
    pub count: u64,
    /// How often its sessions changed.
    pub etag: u64,
    /// Whether it was deleted.
    pub deleted: bool,
}

/// Sessions in key backups: localpart, version, room ID, session ID → [`BackupSession`].
pub const BACKUP_SESSIONS: Tree<(String, u64, String, String), BackupSession> =
    Tree::new(0x0217, "backup_sessions");

/// The backup of a Megolm session.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BackupSession {
    /// The first message it can decrypt.
    pub first_message_index: u64,
    /// How often it was forwarded.
    pub forwarded_count: u64,
    /// Whether the device it came from was verified.
    pub is_verified: bool,
    /// The session, encrypted: a JSON object.
    pub session_data: JsonText,
}

/// Dehydrated devices: localpart → [`DehydratedDevice`]. A user has at most one; its device is in [`DEVICES`].
pub const DEHYDRATED_DEVICES: Tree<(String,), DehydratedDevice> =
    Tree::new(0x0218, "dehydrated_devices");

/// A device that waits on the server for its user to come back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DehydratedDevice {
    /// Its ID.
    pub device_id: String,
    /// What a client makes it live with, encrypted: a JSON object.
    pub device_data: JsonText,
}

/// What changed of a local user's devices, for other servers: localpart, position of the change → the device's ID, `""` for the
/// cross-signing keys.
pub const DEVICE_UPDATES: Tree<(String, Position), String> = Tree::new(0x0220, "device_updates");

/// Messages waiting for devices of other servers' users: position → the content of an `m.direct_to_device`, which goes to the server
/// that the log names there. Removed when that server has it.
pub const TO_DEVICE_ELSEWHERE: Tree<(Position,), JsonText> =
    Tree::new(0x0221, "to_device_elsewhere");

/// Users of other servers whose devices are followed: user ID → [`ForeignUser`]. Just those who share a room with a local user.
pub const FOREIGN_USERS: Tree<(String,), ForeignUser> = Tree::new(0x0222, "foreign_users");

/// What another server last said of the keys of one of its users.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ForeignUser {
    /// The number of the last update.
    pub stream_id: u64,
    /// Whether an update was missed: all is to be asked for again.
    pub stale: bool,
    /// The master key.
    pub master: Option<JsonText>,
    /// The self-signing key.
    pub self_signing: Option<JsonText>,
}

/// Devices of [`FOREIGN_USERS`]: user ID, device ID → [`ForeignDevice`].
pub const FOREIGN_DEVICES: Tree<(String, String), ForeignDevice> =
    Tree::new(0x0223, "foreign_devices");

/// A device of another server's user.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ForeignDevice {
    /// Its name.
    pub display_name: Option<String>,
    /// Its keys, if it has any.
    pub keys: Option<JsonText>,
}

/// When a user's devices or device keys last changed: localpart → position; of another server's user: user ID → position.
pub const DEVICE_LISTS: Tree<(String,), Position> = Tree::new(0x0211, "device_lists");

/// Whose devices or device keys last changed at a position: position → localpart or user ID. [`DEVICE_LISTS`] the other way round.
pub const DEVICE_CHANGES: Tree<(Position,), String> = Tree::new(0x0219, "device_changes");

/// What users last said of themselves: localpart → [`Presence`]. Whether they are online is not kept.
pub const PRESENCE: Tree<(String,), Presence> = Tree::new(0x0212, "presence");

/// The lasting part of a user's presence.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Presence {
    /// The status message.
    pub status_msg: Option<String>,
    /// When the user was last active, in milliseconds since the Unix epoch.
    pub last_active: u64,
}

/// Threads that users follow, or did: localpart, the room's number, the thread's root → [`ThreadSubscription`].
pub const THREAD_SUBSCRIPTIONS: Tree<(String, Position, String), ThreadSubscription> =
    Tree::new(0x021a, "thread_subscriptions");

/// Whether a user follows a thread.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ThreadSubscription {
    /// The position of its last change.
    pub at: Position,
    /// Whether a client began it by itself; `None` once it has ended.
    pub automatic: Option<bool>,
}

/// When users' [`THREAD_SUBSCRIPTIONS`] last changed: localpart, position → the room's number, the thread's root. Each has just
/// its last change.
pub const THREAD_SUBSCRIPTION_CHANGES: Tree<(String, Position), (Position, String)> =
    Tree::new(0x021b, "thread_subscription_changes");

/// Every tree here.
pub(crate) const TREES: &[&dyn Described] = &[
    &ACCOUNTS,
    &DEVICES,
    &TOKENS,
    &SHORT_TOKENS,
    &REGISTRATION_TOKENS,
    &PROFILES,
    &ACCOUNT_DATA,
    &FILTERS,
    &PUSH_RULES,
    &PUSHERS,
    &PUSHKEYS,
    &TO_DEVICE,
    &TRANSACTIONS,
    &DEVICE_KEYS,
    &ONE_TIME_KEYS,
    &FALLBACK_KEYS,
    &DEVICE_LISTS,
    &PRESENCE,
    &CLAIMED_KEYS,
    &CROSS_SIGNING,
    &KEY_SIGNATURES,
    &BACKUPS,
    &BACKUP_SESSIONS,
    &DEHYDRATED_DEVICES,
    &DEVICE_CHANGES,
    &THREAD_SUBSCRIPTIONS,
    &THREAD_SUBSCRIPTION_CHANGES,
    &DEVICE_UPDATES,
    &TO_DEVICE_ELSEWHERE,
    &FOREIGN_USERS,
    &FOREIGN_DEVICES,
];
