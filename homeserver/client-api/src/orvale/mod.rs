//! Orvale's own endpoints for clients, `/_orvale/client/v1/…`, described by `schemas/openapi/client.json`, which is generated from here.

pub(crate) mod direct;
pub(crate) mod gifs;
pub(crate) mod openapi;
pub(crate) mod settings;

#[cfg(test)]
mod tests;
