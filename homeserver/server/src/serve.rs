//! `orvale serve`: from the start to the end.

use std::{net::SocketAddr, time::Duration};

use anyhow::{Context, Result};
use clap::Args;
use metrics_exporter_prometheus::PrometheusHandle;
use orvale_storage::Position;
use tokio::{
    net::TcpListener,
    signal::unix::{SignalKind, signal},
};
use tokio_util::sync::CancellationToken;

use crate::{
    Settings,
    build::{self, Parts},
    config::Config,
    demo,
    listen::{self, Listening},
    observe, orders, router,
};

#[derive(Args)]
pub(crate) struct Options {
    #[command(flatten)]
    settings: Settings,
    /// Puts people, rooms and messages into an empty server, to try things with
    #[arg(long)]
    demo: bool,
}

pub(crate) async fn serve(options: &Options) -> Result<()> {
    let config = options.settings.load()?;
    observe::start_logging(&config.log)?;
    let figures = (config.metrics.listener.is_some() || config.metrics.token.is_some())
        .then(observe::start_metrics)
        .transpose()?;
    // Both before the store is opened: a port in use shall not cost a recovery.
    let listeners = listen::bind(&config).await?;
    let for_servers = listen::bind_federation(&config).await?;
    let addresses = addresses(&listeners);
    let stop = stop_on_signal()?;

    let parts = build::build(&config).await?;
    let housekeeping = parts.users.start_housekeeping();
    if let Some(figures) = &figures {
        start_figures(&config, figures, &stop).await?;
    }
    let router = router::router(&parts, &config, figures);
    let federation = router::federation(&parts, &config);
    let search = parts.client_api.search.clone();
    orders::listen(&config.data_dir, parts.store.clone(), search)?;
    if options.demo {
        demo::fill_if_empty(&parts.client_api)
            .await
            .context("the demo could not be made")?;
    }
    for address in &addresses {
        println!("Orvale serves {} at http://{address}", config.server_name);
    }
    for address in self::addresses(&for_servers) {
        println!("and to other servers at {address}");
    }
    if options.demo {
        println!(
            "\nLog in with any Matrix client as\n{}",
            demo::logins(&parts.users).await?.join("\n")
        );
    } else if parts.store.visible() == Position::START {
        println!(
            "\nThere is nobody here yet. Make the first account with `orvale add-user NAME --admin`,"
        );
        println!("or start with `--demo` for people and rooms to try things with.");
    }
    tracing::info!(server_name = %config.server_name, ?addresses, "serving");

    let (delivery, stopping) = (parts.client_api.delivery.clone(), stop.clone());
    tokio::spawn(async move {
        stopping.cancelled().await;
        delivery.close();
    });
    tokio::join!(
        listen::serve(listeners, router, &config.http, stop.clone()),
        listen::serve(for_servers, federation, &config.http, stop),
    );
    housekeeping.abort();
    orders::stop_listening(&config.data_dir);
    end(parts).await
}

fn addresses(listeners: &[Listening]) -> Vec<SocketAddr> {
    let addresses = listeners
        .iter()
        .map(|listening| listening.listener.local_addr());
    addresses.filter_map(Result::ok).collect()
}

/// Ends on SIGTERM and SIGINT; a second one ends the process at once.
fn stop_on_signal() -> Result<CancellationToken> {
    let stop = CancellationToken::new();
    let told = stop.clone();
    let mut terminate = signal(SignalKind::terminate()).context("cannot wait for signals")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("cannot wait for signals")?;
    tokio::spawn(async move {
        for told_before in [false, true] {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
            if told_before {
                std::process::exit(1);
            }
            tracing::info!("stopping: requests may end, new ones are not taken");
            told.cancel();
        }
    });
    Ok(stop)
}

/// Figures on a listener of their own, and the sweep that keeps their memory bounded.
async fn start_figures(
    config: &Config,
    figures: &PrometheusHandle,
    stop: &CancellationToken,
) -> Result<()> {
    let swept = figures.clone();
    tokio::spawn(async move {
        loop {
            tokio::time::sleep(Duration::from_secs(5)).await;
            swept.run_upkeep();
        }
    });
    if let Some(address) = config.metrics.listener {
        let listener = TcpListener::bind(address).await;
        let listener =
            listener.with_context(|| format!("metrics.listener: cannot listen on {address}"))?;
        let router = router::open_metrics(figures.clone());
        let (http, stop) = (config.http.clone(), stop.clone());
        tokio::spawn(async move {
            listen::serve(vec![Listening::plain(listener)], router, &http, stop).await;
        });
    }
    Ok(())
}

/// Writes what was put off, and closes the store.
async fn end(parts: Parts) -> Result<()> {
    parts.users.keep_house().await?;
    parts.client_api.search.close().await;
    parts
        .store
        .close()
        .await
        .context("the store did not close well")?;
    tracing::info!("stopped");
    Ok(())
}
