//! How often somebody may do something.
//!
//! Each (class of request, user, address or other server) has a bucket of `burst` requests that refills at `per_second`. A bucket is kept as
//! one number, the moment at which it is full again (GCRA), in a cache of bounded size: what was idle longest is forgotten
//! first, and is likely full anyway.

use std::{
    collections::HashSet,
    hash::{BuildHasher, RandomState},
    net::IpAddr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

use quick_cache::sync::Cache;
use ruma::{OwnedServerName, OwnedUserId, ServerName, UserId};
use serde::{Deserialize, Serialize};

use crate::MatrixError;

/// A kind of request with a limit of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Class {
    /// Logging in, and everything else that takes a password.
    Login,
    /// Failing to: wrong passwords for one account from one address.
    FailedLogin,
    /// Making accounts.
    Registration,
    /// Sending messages, state and redactions.
    Message,
    /// Joining and knocking.
    Join,
    /// Inviting.
    Invite,
    /// Making and upgrading rooms.
    CreateRoom,
    /// Uploading media and asking for previews and thumbnails.
    Media,
    /// Making this server look at web pages.
    Preview,
    /// Searching: messages, users, the room directory.
    Search,
    /// Everything else that changes something.
    Other,
    /// Transactions of other servers.
    Transaction,
    /// What other servers ask.
    Server,
}

/// How fast a bucket refills and how much it holds.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rate {
    /// Requests a second in the long run.
    pub per_second: f64,
    /// Requests at once after a pause.
    pub burst: u32,
}

/// The limits of all classes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LimitsConfig {
    /// Whether there are limits at all.
    pub enabled: bool,
    /// Users without limits: bots, bridges, moderation tools.
    pub exempt_users: Vec<OwnedUserId>,
    /// Addresses without limits.
    pub exempt_addresses: Vec<IpAddr>,
    /// Other servers without limits.
    pub exempt_servers: Vec<OwnedServerName>,
    /// [`Class::Login`], by address. An organisation behind one address logs in at nine in the morning.
    pub login: Rate,
    /// [`Class::FailedLogin`], by account and address together, so that nobody can lock out somebody else.
    pub failed_login: Rate,
    /// [`Class::Registration`], by address.
    pub registration: Rate,
    /// [`Class::Message`], by user.
    pub message: Rate,
    /// [`Class::Join`], by user.
    pub join: Rate,
    /// [`Class::Invite`], by user.
    pub invite: Rate,
    /// [`Class::CreateRoom`], by user.
    pub create_room: Rate,
    /// [`Class::Media`], by user.
    pub media: Rate,
    /// [`Class::Preview`], by user.
    pub preview: Rate,
    /// [`Class::Search`], by user.
    pub search: Rate,
    /// [`Class::Other`], by user.
    pub other: Rate,
    /// [`Class::Transaction`], by other server. Each holds up to 50 events; whoever is told to wait puts more into the next.
    pub transaction: Rate,
    /// [`Class::Server`], by other server. A user there who opens a room asks for all that it shows at once.
    pub server: Rate,
}

impl Default for LimitsConfig {
    fn default() -> Self {
        let rate = |per_second, burst| Rate { per_second, burst };
        Self {
            enabled: true,
            exempt_users: Vec::new(),
            exempt_addresses: Vec::new(),
            exempt_servers: Vec::new(),
            login: rate(2.0, 100),
            failed_login: rate(0.05, 10),
            registration: rate(0.1, 10),
            message: rate(5.0, 50),
            join: rate(1.0, 30),
            invite: rate(1.0, 50),
            create_room: rate(0.5, 20),
            media: rate(10.0, 100),
            preview: rate(2.0, 30),
            search: rate(5.0, 50),
            other: rate(20.0, 200),
            transaction: rate(100.0, 500),
            server: rate(50.0, 1000),
        }
    }
}

impl LimitsConfig {
    /// Each rate by the name of its key.
    #[must_use]
    pub fn rates(&self) -> [(&'static str, Rate); 13] {
        [
            ("login", self.login),
            ("failed_login", self.failed_login),
            ("registration", self.registration),
            ("message", self.message),
            ("join", self.join),
            ("invite", self.invite),
            ("create_room", self.create_room),
            ("media", self.media),
            ("preview", self.preview),
            ("search", self.search),
            ("other", self.other),
            ("transaction", self.transaction),
            ("server", self.server),
        ]
    }

    fn rate(&self, class: Class) -> Rate {
        match class {
            Class::Login => self.login,
            Class::FailedLogin => self.failed_login,
            Class::Registration => self.registration,
            Class::Message => self.message,
            Class::Join => self.join,
            Class::Invite => self.invite,
            Class::CreateRoom => self.create_room,
            Class::Media => self.media,
            Class::Preview => self.preview,
            Class::Search => self.search,
            Class::Other => self.other,
            Class::Transaction => self.transaction,
            Class::Server => self.server,
        }
    }
}

/// How many buckets are remembered: some 10 MB at most.
const BUCKETS: usize = 100_000;

/// The limits and their buckets. Cheap to clone.
#[derive(Clone)]
pub struct Limits {
    inner: Arc<Inner>,
}

struct Inner {
    config: LimitsConfig,
    exempt_users: HashSet<OwnedUserId>,
    exempt_addresses: HashSet<IpAddr>,
    exempt_servers: HashSet<OwnedServerName>,
    /// When each bucket is full again, in nanoseconds since `start`.
    full_at: Cache<u64, Arc<AtomicU64>>,
    /// Keyed with randomness of this process, so that nobody can aim at a neighbour's bucket.
    hasher: RandomState,
    start: Instant,
}

impl Limits {
    /// Limits with full buckets.
    #[must_use]
    pub fn new(config: LimitsConfig) -> Self {
        let inner = Inner {
            exempt_users: config.exempt_users.iter().cloned().collect(),
            exempt_addresses: config.exempt_addresses.iter().copied().collect(),
            exempt_servers: config.exempt_servers.iter().cloned().collect(),
            config,
            full_at: Cache::new(BUCKETS),
            hasher: RandomState::new(),
            start: Instant::now(),
        };
        Self {
            inner: Arc::new(inner),
        }
    }

    /// Takes one request out of a user's bucket.
    ///
    /// # Errors
    /// `M_LIMIT_EXCEEDED` if it is empty.
    pub fn user(&self, class: Class, user: &UserId) -> Result<(), MatrixError> {
        if !self.inner.config.enabled || self.inner.exempt_users.contains(user) {
            return Ok(());
        }
        self.take(
            class,
            self.inner.hasher.hash_one((class, user)),
            Instant::now(),
        )
    }

    /// Takes one request out of another server's bucket.
    ///
    /// # Errors
    /// `M_LIMIT_EXCEEDED` if it is empty.
    pub fn server(&self, class: Class, server: &ServerName) -> Result<(), MatrixError> {
        if !self.inner.config.enabled || self.inner.exempt_servers.contains(server) {
            return Ok(());
        }
        let bucket = self.inner.hasher.hash_one((class, server));
        self.take(class, bucket, Instant::now())
    }

    /// Takes one request out of an address's bucket. IPv6 addresses of one network of 64 bits, which one customer has for
    /// himself, share one.
    ///
    /// # Errors
    /// `M_LIMIT_EXCEEDED` if it is empty.
    pub fn address(&self, class: Class, address: IpAddr) -> Result<(), MatrixError> {
        let Some(network) = self.network(address) else {
            return Ok(());
        };
        self.take(
            class,
            self.inner.hasher.hash_one((class, network)),
            Instant::now(),
        )
    }

    /// Whether one more attempt to log in to this account may be made from here. Takes nothing: only failures count.
    ///
    /// # Errors
    /// `M_LIMIT_EXCEEDED` if too many failed.
    pub fn may_log_in(&self, account: &str, address: IpAddr) -> Result<(), MatrixError> {
        let Some(network) = self.network(address) else {
            return Ok(());
        };
        let bucket = self
            .inner
            .hasher
            .hash_one((Class::FailedLogin, account, network));
        self.check(Class::FailedLogin, bucket, Instant::now(), false)
    }

    /// Counts a failed attempt to log in to this account from here.
    pub fn failed_to_log_in(&self, account: &str, address: IpAddr) {
        if let Some(network) = self.network(address) {
            let bucket = self
                .inner
                .hasher
                .hash_one((Class::FailedLogin, account, network));
            let _ = self.take(Class::FailedLogin, bucket, Instant::now());
        }
    }

    /// What counts as one address; none, if it is without limits.
    fn network(&self, address: IpAddr) -> Option<(bool, u64)> {
        let address = address.to_canonical();
        if !self.inner.config.enabled || self.inner.exempt_addresses.contains(&address) {
            return None;
        }
        let network = match address {
            IpAddr::V4(address) => u64::from(address.to_bits()),
            IpAddr::V6(address) => (address.to_bits() >> 64) as u64,
        };
        Some((address.is_ipv4(), network))
    }

    fn take(&self, class: Class, bucket: u64, now: Instant) -> Result<(), MatrixError> {
        self.check(class, bucket, now, true)
    }

    fn check(
        &self,
        class: Class,
        bucket: u64,
        now: Instant,
        take: bool,
    ) -> Result<(), MatrixError> {
        let rate = self.inner.config.rate(class);
        let one = (1e9 / rate.per_second) as u64;
        let whole = one.saturating_mul(u64::from(rate.burst));
        let now =
            u64::try_from(now.duration_since(self.inner.start).as_nanos()).unwrap_or(u64::MAX);
        let Ok(full_at) = self
            .inner
            .full_at
            .get_or_insert_with::<_, std::convert::Infallible>(&bucket, || Ok(Arc::default()));
        let taken = full_at.try_update(Relaxed, Relaxed, |full_at| {
            let then = full_at.max(now).saturating_add(one);
            (then - now <= whole).then_some(if take { then } else { full_at })
        });
        taken.map(|_| ()).map_err(|full_at| {
            metrics::counter!("orvale_http_limited_total", "class" => class.name()).increment(1);
            MatrixError::limit_exceeded(Duration::from_nanos(
                (full_at + one).saturating_sub(now + whole),
            ))
        })
    }
}

impl Class {
    fn name(self) -> &'static str {
        match self {
            Self::Login => "login",
            Self::FailedLogin => "failed_login",
            Self::Registration => "registration",
            Self::Message => "message",
            Self::Join => "join",
            Self::Invite => "invite",
            Self::CreateRoom => "create_room",
            Self::Media => "media",
            Self::Preview => "preview",
            Self::Search => "search",
            Self::Other => "other",
            Self::Transaction => "transaction",
            Self::Server => "server",
        }
    }
}

#[cfg(test)]
mod tests {
    use ruma::user_id;

    use super::*;

    fn limits() -> Limits {
        let message = Rate {
            per_second: 2.0,
            burst: 3,
        };
        Limits::new(LimitsConfig {
            message,
            ..LimitsConfig::default()
        })
    }

    #[test]
    fn bucket_gives_its_burst_then_refills_at_its_rate() {
        let limits = limits();
        let start = limits.inner.start;
        for _ in 0..3 {
            limits.take(Class::Message, 1, start).unwrap();
        }
        let refusal = limits.take(Class::Message, 1, start).unwrap_err();
        assert_eq!(refusal.errcode(), "M_LIMIT_EXCEEDED");
        assert_eq!(refusal.body()["retry_after_ms"], 500);
        limits
            .take(Class::Message, 1, start + Duration::from_millis(500))
            .unwrap();
        limits
            .take(Class::Message, 1, start + Duration::from_millis(999))
            .unwrap_err();
        limits
            .take(Class::Message, 1, start + Duration::from_millis(1000))
            .unwrap();
    }

    #[test]
    fn long_pause_gives_no_more_than_the_burst() {
        let limits = limits();
        let later = limits.inner.start + Duration::from_secs(3600);
        for _ in 0..3 {
            limits.take(Class::Message, 1, later).unwrap();
        }
        limits.take(Class::Message, 1, later).unwrap_err();
    }

    #[test]
    fn refused_request_takes_nothing() {
        let limits = limits();
        let start = limits.inner.start;
        for _ in 0..100 {
            let _ = limits.take(Class::Message, 1, start);
        }
        limits
            .take(Class::Message, 1, start + Duration::from_millis(500))
            .unwrap();
    }

    #[test]
    fn users_and_classes_have_buckets_of_their_own() {
        let limits = limits();
        let (alice, bob) = (user_id!("@alice:a.example"), user_id!("@bob:a.example"));
        for _ in 0..3 {
            limits.user(Class::Message, alice).unwrap();
        }
        limits.user(Class::Message, alice).unwrap_err();
        limits.user(Class::Message, bob).unwrap();
        limits.user(Class::Join, alice).unwrap();
    }

    #[test]
    fn addresses_of_one_ipv6_network_share_a_bucket() {
        let message = Rate {
            per_second: 0.1,
            burst: 1,
        };
        let limits = Limits::new(LimitsConfig {
            message,
            ..LimitsConfig::default()
        });
        let address = |text: &str| text.parse().unwrap();
        limits
            .address(Class::Message, address("2001:db8::1"))
            .unwrap();
        limits
            .address(Class::Message, address("2001:db8::2"))
            .unwrap_err();
        limits
            .address(Class::Message, address("2001:db8:0:1::1"))
            .unwrap();
        limits
            .address(Class::Message, address("192.0.2.1"))
            .unwrap();
        limits
            .address(Class::Message, address("::ffff:192.0.2.1"))
            .unwrap_err();
    }

    #[test]
    fn only_failures_to_log_in_count_and_only_for_their_account_and_address() {
        let failed_login = Rate {
            per_second: 0.01,
            burst: 2,
        };
        let limits = Limits::new(LimitsConfig {
            failed_login,
            ..LimitsConfig::default()
        });
        let (here, there) = ("192.0.2.1".parse().unwrap(), "192.0.2.2".parse().unwrap());
        for _ in 0..10 {
            limits.may_log_in("alice", here).unwrap();
        }
        limits.failed_to_log_in("alice", here);
        limits.may_log_in("alice", here).unwrap();
        limits.failed_to_log_in("alice", here);
        assert_eq!(
            limits.may_log_in("alice", here).unwrap_err().errcode(),
            "M_LIMIT_EXCEEDED"
        );
        limits.may_log_in("alice", there).unwrap();
        limits.may_log_in("bob", here).unwrap();
    }

    #[test]
    fn exempt_user_is_never_limited() {
        let bot = user_id!("@bot:a.example");
        let message = Rate {
            per_second: 0.1,
            burst: 1,
        };
        let limits = Limits::new(LimitsConfig {
            message,
            exempt_users: vec![bot.to_owned()],
            ..LimitsConfig::default()
        });
        for _ in 0..10 {
            limits.user(Class::Message, bot).unwrap();
        }
    }
}
