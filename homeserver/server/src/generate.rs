//! `orvale generate-config`: a file with the settings that the usual cases need.

use std::{fmt::Write, path::PathBuf};

use anyhow::{Context, Result, ensure};
use clap::Args;
use ruma::OwnedServerName;

use crate::config::Config;

#[derive(Args)]
pub(crate) struct Options {
    /// The name in everybody's user ID, as example.org in @alice:example.org; it cannot be changed later
    #[arg(value_name = "SERVER_NAME")]
    server_name: OwnedServerName,
    /// The directory that will hold everything
    #[arg(long, value_name = "DIRECTORY", default_value = "data")]
    data_dir: PathBuf,
    /// Where people and other servers reach the proxy in front, as https://matrix.example.org
    #[arg(long, value_name = "URL")]
    base_url: Option<String>,
    /// Addresses of that proxy
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1")]
    proxy: Vec<std::net::IpAddr>,
    /// A certificate for the server's name, in PEM, to answer other servers at port 8448 without a proxy
    #[arg(long, value_name = "FILE", requires = "key")]
    certificate: Option<PathBuf>,
    /// Its key, in PEM
    #[arg(long, value_name = "FILE", requires = "certificate")]
    key: Option<PathBuf>,
    /// Has nothing to do with other servers
    #[arg(long, conflicts_with = "certificate")]
    no_federation: bool,
}

/// The file.
pub(crate) fn text(options: &Options) -> Result<String> {
    let mut out = String::from(
        "# Settings of `orvale`, made by `orvale generate-config`. All others are at their defaults; the example file shows them.\n",
    );
    let mut line = |text: String| writeln!(out, "{text}").context("a text can be written to");
    line(format!(
        "server_name = {}",
        quoted(options.server_name.as_str())
    ))?;
    let data_dir = options
        .data_dir
        .to_str()
        .context("data_dir: it is not UTF-8")?;
    line(format!("data_dir = {}", quoted(data_dir)))?;
    line("listeners = [{ address = \"127.0.0.1\", port = 8008 }]".to_owned())?;
    if let Some(base_url) = &options.base_url {
        let proxies: Vec<String> = options.proxy.iter().map(|ip| format!("\"{ip}\"")).collect();
        line(format!(
            "\n[http]\ntrusted_proxies = [{}]",
            proxies.join(", ")
        ))?;
        line(format!("\n[discovery]\nbase_url = {}", quoted(base_url)))?;
        if options.certificate.is_none() && !options.no_federation {
            let server = authority(base_url)?;
            line("# Other servers come through the proxy too.".to_owned())?;
            line(format!("server = {}", quoted(&server)))?;
        }
    }
    if options.no_federation {
        line("\n[federation]\nenabled = false".to_owned())?;
    }
    if let (Some(certificate), Some(key)) = (&options.certificate, &options.key) {
        let path = |path: &PathBuf| path.to_str().map(quoted).context("a path is not UTF-8");
        line(format!(
            "\n[federation]\nlisteners = [{{ address = \"::\", port = 8448, certificate = {}, key = {} }}]",
            path(certificate)?,
            path(key)?
        ))?;
    }
    // Whatever was given is what the server would take.
    Config::parse(&out)?;
    Ok(out.trim_end().to_owned())
}

/// Name and port of a URL, as `.well-known` names them.
fn authority(url: &str) -> Result<String> {
    let rest = url.strip_prefix("https://");
    let rest = rest.context("base_url: other servers need one that begins with https://")?;
    let authority = rest.split('/').next().unwrap_or_default();
    ensure!(!authority.is_empty(), "base_url: it names no host");
    let has_port = authority
        .rsplit(':')
        .next()
        .is_some_and(|port| port != authority && port.bytes().all(|byte| byte.is_ascii_digit()));
    Ok(match has_port {
        true => authority.to_owned(),
        false => format!("{authority}:443"),
    })
}

/// A text as TOML has it.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Command {
        #[command(flatten)]
        options: Options,
    }

    fn made(arguments: &[&str]) -> Result<Config> {
        let all = ["orvale"].iter().chain(arguments);
        Config::parse(&text(&Command::try_parse_from(all)?.options)?)
    }

    #[test]
    fn name_alone_is_enough() {
        let config = made(&["example.org"]).unwrap();
        let expected = Config {
            server_name: config.server_name.clone(),
            ..Config::default()
        };
        assert_eq!(config, expected);
        assert_eq!(config.server_name, "example.org");
    }

    #[test]
    fn behind_a_proxy_all_come_through_it() {
        let url = "https://matrix.example.org";
        let config = made(&["example.org", "--base-url", url, "--proxy", "10.0.0.1"]).unwrap();
        assert_eq!(config.discovery.base_url.as_deref(), Some(url));
        assert_eq!(config.http.trusted_proxies[0].to_string(), "10.0.0.1");
        assert_eq!(
            config.discovery.server.as_deref(),
            Some("matrix.example.org:443")
        );
        assert!(config.federation.listeners.is_empty() && config.federation.enabled);
    }

    #[test]
    fn with_a_certificate_other_servers_come_directly() {
        let files = ["--certificate", "/a \"b\".pem", "--key", "/k.pem"];
        let config = made(&[&["example.org"][..], &files[..]].concat()).unwrap();
        let listener = &config.federation.listeners[0];
        assert_eq!(listener.port, 8448);
        assert_eq!(
            listener.certificate.as_deref().unwrap().to_str(),
            Some("/a \"b\".pem")
        );
        assert!(made(&["example.org", "--key", "/k.pem"]).is_err());
    }

    #[test]
    fn servers_may_keep_to_themselves_and_nonsense_is_refused() {
        assert!(
            !made(&["example.org", "--no-federation"])
                .unwrap()
                .federation
                .enabled
        );
        assert!(made(&["not a name"]).is_err());
        assert!(made(&["example.org", "--base-url", "chat.example.org"]).is_err());
    }
}
