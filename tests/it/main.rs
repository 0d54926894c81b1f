//! Stories, a file for each subject.

mod conformance;
mod crash;
mod edges;
mod hostile;
mod operations;
mod restart;
mod users;
