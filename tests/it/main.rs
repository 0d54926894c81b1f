//! Stories, a file for each subject.

mod conformance;
mod edges;
mod restart;
