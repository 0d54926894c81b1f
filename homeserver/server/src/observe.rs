//! Logs and figures.

use anyhow::{Context, Result};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use tracing_subscriber::{EnvFilter, fmt, layer::SubscriberExt, util::SubscriberInitExt};

use crate::config::{Log, LogFormat};

/// What libraries tell of every event that they check, at a level where others tell of starting and stopping.
const CHATTY: &str = "ruma_state_res";

/// Starts logging to standard error.
pub(crate) fn start_logging(log: &Log) -> Result<()> {
    let mut filter = EnvFilter::try_new(&log.level).context("log.level")?;
    if !log.level.contains(CHATTY) {
        filter = filter.add_directive(format!("{CHATTY}=warn").parse()?);
    }
    let registry = tracing_subscriber::registry().with(filter);
    let layer = fmt::layer().with_writer(std::io::stderr).with_target(true);
    match log.format {
        LogFormat::Text => registry.with(layer.with_ansi(false)).init(),
        LogFormat::Json => registry.with(layer.json().flatten_event(true)).init(),
    }
    Ok(())
}

/// Upper bounds of request times, in seconds: from an answer out of memory to a long poll.
const SECONDS: [f64; 14] = [
    0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 30.0, 60.0,
];

/// Starts counting; the handle writes what was counted as Prometheus reads it.
pub(crate) fn start_metrics() -> Result<PrometheusHandle> {
    PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), &SECONDS)
        .context("buckets")?
        .install_recorder()
        .context("metrics are counted already")
}
