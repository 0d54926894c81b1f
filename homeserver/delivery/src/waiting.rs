//! How many requests wait for news.

/// Counts a request that waits, for as long as it does.
pub(crate) struct Counted {
    gauge: &'static str,
}

impl Counted {
    /// Counts it in a gauge.
    pub(crate) fn new(gauge: &'static str) -> Self {
        metrics::gauge!(gauge).increment(1);
        Self { gauge }
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        metrics::gauge!(self.gauge).decrement(1);
    }
}
