//! Asking the DNS. Answers are kept by the resolver for as long as they say.

use std::{
    net::{IpAddr, SocketAddr},
    time::Duration,
};

use hickory_resolver::{
    TokioResolver,
    config::ResolverConfig,
    net::{NetError, runtime::TokioRuntimeProvider},
    proto::rr::RData,
};
use orvale_outward::{Guard, Refused};
use rand::RngExt;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use super::Target;
use crate::{Error, Result};

/// The most places of a service that are tried.
const MOST_TARGETS: usize = 8;

/// What DNS says. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Names {
    resolver: TokioResolver,
}

impl Names {
    /// As the machine is set up to ask.
    pub(crate) fn of_system() -> Result<Self> {
        let builder = match TokioResolver::builder_tokio() {
            Ok(builder) => builder,
            Err(error) => {
                tracing::warn!(%error, "no DNS servers are set up: only addresses and names in the hosts file are found");
                TokioResolver::builder_with_config(
                    ResolverConfig::from_name_servers(Vec::new()),
                    TokioRuntimeProvider::default(),
                )
            }
        };
        Self::build(builder)
    }

    /// As a test says.
    #[cfg(any(test, feature = "testing"))]
    pub(crate) fn of(config: ResolverConfig) -> Result<Self> {
        Self::build(TokioResolver::builder_with_config(
            config,
            TokioRuntimeProvider::default(),
        ))
    }

    fn build(mut builder: hickory_resolver::ResolverBuilder<TokioRuntimeProvider>) -> Result<Self> {
        let options = builder.options_mut();
        options.cache_size = 8192;
        options.negative_max_ttl = Some(Duration::from_secs(3600));
        options.try_tcp_on_error = true;
        let resolver = builder.build().map_err(|error| Error::Config {
            key: "federation",
            reason: format!("names cannot be looked up: {error}"),
        })?;
        Ok(Self { resolver })
    }

    /// The addresses of a name.
    pub(crate) async fn addresses(&self, name: &str) -> Result<Vec<IpAddr>, NetError> {
        let found = self.resolver.lookup_ip(absolute(name)).await?;
        Ok(found.iter().collect())
    }

    /// The places of a service in the order to try, none if there are no records.
    pub(crate) async fn services(&self, name: &str) -> Result<Vec<Target>> {
        let found = match self.resolver.srv_lookup(absolute(name)).await {
            Ok(found) => found,
            Err(error) if error.is_nx_domain() || error.is_no_records_found() => {
                return Ok(Vec::new());
            }
            Err(error) => return Err(Error::NotReached(format!("{name}: {error}"))),
        };
        let records = found
            .answers()
            .iter()
            .filter_map(|record| match &record.data {
                RData::SRV(srv) => Some((
                    srv.priority,
                    srv.weight,
                    Target::named(srv.target.to_utf8().trim_end_matches('.'), srv.port),
                )),
                _ => None,
            });
        // A service whose target is the root is said not to be there.
        let records = records.filter(|(_, _, target)| *target != Target::named("", target.port));
        Ok(in_order(records.collect()))
    }
}

/// Names of servers are whole: nothing of this machine's domain is to be put behind them.
fn absolute(name: &str) -> String {
    format!("{}.", name.trim_end_matches('.'))
}

/// By priority; within one, the heavier the likelier to be first (RFC 2782).
fn in_order(mut records: Vec<(u16, u16, Target)>) -> Vec<Target> {
    let mut random = rand::rng();
    records.sort_by_key(|(priority, ..)| *priority);
    let mut ordered = Vec::with_capacity(records.len());
    while let Some(&(priority, ..)) = records.first() {
        let same = records
            .iter()
            .take_while(|(other, ..)| *other == priority)
            .count();
        let total: u32 = records[..same].iter().map(|(_, w, _)| u32::from(*w)).sum();
        let mut drawn = random.random_range(0..=total);
        let at = records[..same].iter().position(|(_, weight, _)| {
            let weight = u32::from(*weight);
            let here = drawn <= weight;
            drawn = drawn.saturating_sub(weight);
            here
        });
        ordered.push(records.remove(at.unwrap_or(0)).2);
    }
    ordered.truncate(MOST_TARGETS);
    ordered
}

/// Names for the web's side of it, past a guard.
pub(crate) struct Guarded {
    pub(crate) names: Names,
    pub(crate) guard: Guard,
}

impl Resolve for Guarded {
    fn resolve(&self, name: Name) -> Resolving {
        let (names, guard) = (self.names.clone(), self.guard.clone());
        Box::pin(async move {
            let found = names.addresses(name.as_str()).await?;
            let allowed = found.into_iter().filter(|address| guard.allows(*address));
            let allowed: Vec<_> = allowed.map(|ip| SocketAddr::new(ip, 0)).collect();
            if allowed.is_empty() {
                return Err(Refused::NotPublic.into());
            }
            Ok(Box::new(allowed.into_iter()) as Addrs)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lower_priorities_go_first_and_weights_draw_within_one() {
        let record = |priority, weight, name| (priority, weight, Target::named(name, 1));
        let mut first = std::collections::BTreeMap::<String, u32>::new();
        for _ in 0..400 {
            let ordered = in_order(vec![
                record(20, 0, "last"),
                record(10, 90, "heavy"),
                record(10, 10, "light"),
            ]);
            assert_eq!(ordered[2], Target::named("last", 1));
            *first.entry(format!("{:?}", ordered[0].host)).or_default() += 1;
        }
        assert_eq!(first.len(), 2, "{first:?}");
        assert!(first["Name(\"heavy\")"] > first["Name(\"light\")"]);
    }
}
