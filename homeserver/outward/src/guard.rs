//! What stands between a URL that a stranger named and the network.

use std::{
    net::{IpAddr, SocketAddr},
    sync::Arc,
};

use reqwest::{
    Client, ClientBuilder, Url,
    dns::{Addrs, Name, Resolve, Resolving},
    redirect::Policy,
};

use crate::{AddressRange, ranges::is_public};

/// Lets through what leads to public addresses, and to those allowed besides. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Guard {
    allowed: Arc<[AddressRange]>,
}

/// Why a URL is not asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// It is no URL of the web.
    #[error("it is not a web address that starts with https:// or http://")]
    NotWeb,
    /// Its port is one at which other things listen than web servers.
    #[error("there are no web servers at this port")]
    Port,
    /// It leads to an address that is not public.
    #[error("it does not lead to a public address")]
    NotPublic,
}

impl Guard {
    /// A guard that lets through public addresses and those in the given ranges.
    #[must_use]
    pub fn new(allowed: Vec<AddressRange>) -> Self {
        Self {
            allowed: allowed.into(),
        }
    }

    /// Whether an address may be connected to.
    #[must_use]
    pub fn allows(&self, address: IpAddr) -> bool {
        is_public(address) || self.allowed.iter().any(|range| range.contains(address))
    }

    /// Whether a URL may be asked, as far as it can be told without resolving its name; [`Guard::client`] sees to the rest.
    ///
    /// # Errors
    /// [`Refused`].
    pub fn check(&self, url: &Url) -> Result<(), Refused> {
        if !matches!(url.scheme(), "http" | "https") {
            return Err(Refused::NotWeb);
        }
        let host = url.host_str().ok_or(Refused::NotWeb)?;
        // The URL's parser has brought all the ways to write an address (2130706433, 0x7f.1) into this one.
        match host.trim_matches(['[', ']']).parse::<IpAddr>() {
            Ok(address) if !self.allows(address) => Err(Refused::NotPublic),
            _ => Ok(()),
        }
    }

    /// As [`Guard::check`], and that it is a port of web servers.
    ///
    /// # Errors
    /// [`Refused`].
    pub fn check_page(&self, url: &Url) -> Result<(), Refused> {
        self.check(url)?;
        match url.port_or_known_default() {
            Some(80 | 443 | 1024..) => Ok(()),
            _ => Err(Refused::Port),
        }
    }

    /// The start of a client that connects only to addresses this guard allows.
    pub fn client(&self) -> ClientBuilder {
        // Somebody else may have chosen one before.
        let _ = rustls::crypto::ring::default_provider().install_default();
        Client::builder()
            .dns_resolver(self.clone())
            .redirect(Policy::none())
            .no_proxy()
            .user_agent("orvale")
    }
}

impl Resolve for Guard {
    fn resolve(&self, name: Name) -> Resolving {
        let guard = self.clone();
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let reachable: Vec<SocketAddr> =
                found.filter(|address| guard.allows(address.ip())).collect();
            if reachable.is_empty() {
                return Err(Refused::NotPublic.into());
            }
            Ok(Box::new(reachable.into_iter()) as Addrs)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(guard: &Guard, url: &str) -> Result<(), Refused> {
        guard.check_page(&Url::parse(url).unwrap())
    }

    #[test]
    fn every_way_to_write_an_address_of_this_machine_is_refused() {
        let guard = Guard::new(Vec::new());
        for url in [
            "http://127.0.0.1/",
            "http://127.1/",
            "http://2130706433/",
            "http://0x7f000001/",
            "http://0177.0.0.1/",
            "http://[::1]/",
            "http://[::ffff:127.0.0.1]/",
            "http://[::ffff:7f00:1]/",
            "http://[64:ff9b::7f00:1]/",
            "http://0.0.0.0:8008/",
            "http://１２７.0.0.1/",
            "https://169.254.169.254/latest/meta-data/",
            "http://user:secret@10.0.0.1/",
        ] {
            assert_eq!(check(&guard, url), Err(Refused::NotPublic), "{url}");
        }
        assert_eq!(check(&guard, "https://example.org/"), Ok(()));
        assert_eq!(check(&guard, "https://1.1.1.1/"), Ok(()));
    }

    #[test]
    fn only_the_web_is_asked() {
        let guard = Guard::new(vec!["127.0.0.0/8".parse().unwrap()]);
        for url in [
            "file:///etc/passwd",
            "ftp://example.org/",
            "gopher://127.0.0.1/",
        ] {
            assert_eq!(check(&guard, url), Err(Refused::NotWeb), "{url}");
        }
        assert_eq!(check(&guard, "http://127.0.0.1:25/"), Err(Refused::Port));
        assert_eq!(check(&guard, "http://127.0.0.1:8080/"), Ok(()));
    }

    #[tokio::test]
    async fn a_name_that_leads_to_this_machine_is_not_connected_to() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!(
            "http://localhost:{}/",
            listener.local_addr().unwrap().port()
        );
        let client = Guard::new(Vec::new()).client().build().unwrap();
        let refused = client.get(&url).send().await.unwrap_err();
        let mut cause: &dyn std::error::Error = &refused;
        while let Some(source) = cause.source() {
            cause = source;
        }
        assert_eq!(cause.to_string(), Refused::NotPublic.to_string());
    }
}
