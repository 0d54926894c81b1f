//! What servers tell: transactions of PDUs and EDUs.

mod known;
pub(crate) mod send_transaction_message;
#[cfg(test)]
mod tests;

pub use known::Transactions;
