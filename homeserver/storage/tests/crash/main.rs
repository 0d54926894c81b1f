//! Crashes: a process that writes under load is ended without warning, again and again, and its store looked at each time.
//!
//! `ORVALE_CRASH_ROUNDS` says how often (2 without it). `ORVALE_POWER_ROUNDS` does so for power cuts, which need root and
//! loop devices and are left out without it.

#![expect(clippy::unwrap_used, reason = "a test that fails may stop")]

mod kill;
mod power;
mod verify;
mod workload;

/// How often, by the environment.
fn rounds(variable: &str) -> Option<u32> {
    std::env::var(variable).ok()?.parse().ok()
}
