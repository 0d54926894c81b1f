//! Spaces.

pub(crate) mod get_hierarchy;

#[cfg(test)]
mod tests;
