//! From the name of a server to where it is.
//!
//! Two steps. The first, [`Discovery::authority`], asks `.well-known` whether somebody else speaks for a server; what comes out is what
//! stands in the `Host` header. The second, [`Discovery::targets`], needs no more than that: an authority leads to the same places whoever
//! delegated to it, so connections are shared by authority.
//!
//! <https://spec.matrix.org/v1.19/server-server-api/#resolving-server-names>

mod names;
#[cfg(test)]
mod tests;
mod well_known;

use std::{net::IpAddr, time::Duration};

use ruma::{OwnedServerName, ServerName};

pub(crate) use self::names::{Guarded, Names};
use self::well_known::WellKnown;
use crate::{Config, Error, Result, web::Web};

/// The port of servers that name none.
const PORT: u16 = 8448;

/// Finds servers. What it finds out is kept for a while.
pub(crate) struct Discovery {
    names: Names,
    well_known: WellKnown,
}

/// Where to connect to: one of the places of a server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Target {
    pub(crate) host: Host,
    pub(crate) port: u16,
}

/// A host, as far as it is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Host {
    /// An address.
    Address(IpAddr),
    /// A name that leads to addresses.
    Name(String),
}

impl Discovery {
    /// `https_port` is where `.well-known` is asked for: 443, but for tests.
    pub(crate) fn new(names: Names, web: Web, config: &Config, https_port: u16) -> Self {
        let patience = Duration::from_secs(config.connect_timeout_seconds);
        Self {
            well_known: WellKnown::new(web, patience, https_port),
            names,
        }
    }

    /// Who speaks for a server: itself, or whom its `.well-known` names.
    pub(crate) async fn authority(&self, server: &ServerName) -> OwnedServerName {
        if server.is_ip_literal() || server.port().is_some() {
            return server.to_owned();
        }
        let delegated = self.well_known.delegated(server).await;
        delegated.unwrap_or_else(|| server.to_owned())
    }

    /// Where an authority is, in the order to try.
    pub(crate) async fn targets(&self, authority: &ServerName) -> Result<Vec<Target>> {
        let host = authority.host();
        if let Ok(address) = host.trim_matches(['[', ']']).parse::<IpAddr>() {
            let port = authority.port().unwrap_or(PORT);
            return Ok(vec![Target {
                host: Host::Address(address),
                port,
            }]);
        }
        if let Some(port) = authority.port() {
            return Ok(vec![Target::named(host, port)]);
        }
        // The second is deprecated, and asked all the same.
        for service in ["_matrix-fed._tcp", "_matrix._tcp"] {
            let targets = self.names.services(&format!("{service}.{host}")).await?;
            if !targets.is_empty() {
                return Ok(targets);
            }
        }
        Ok(vec![Target::named(host, PORT)])
    }

    /// The addresses of a target.
    pub(crate) async fn addresses(&self, host: &Host) -> Result<Vec<IpAddr>> {
        match host {
            Host::Address(address) => Ok(vec![*address]),
            Host::Name(name) => {
                let found = self.names.addresses(name).await;
                found.map_err(|error| Error::NotReached(format!("{name}: {error}")))
            }
        }
    }
}

impl Target {
    pub(crate) fn named(host: &str, port: u16) -> Self {
        Self {
            host: Host::Name(host.to_owned()),
            port,
        }
    }
}
