//! Stories, a file for each subject.

mod edges;
mod restart;
