//! Reads that take long enough to hold up other tasks of the same thread.

use tokio::runtime::{Handle, RuntimeFlavor};

/// Runs a read of many entries: the thread's other tasks go on elsewhere meanwhile, where there is an elsewhere.
pub fn heavy<T>(read: impl FnOnce() -> T) -> T {
    match Handle::current().runtime_flavor() {
        RuntimeFlavor::CurrentThread => read(),
        _ => tokio::task::block_in_place(read),
    }
}
