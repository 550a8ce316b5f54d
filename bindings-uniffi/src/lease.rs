//! The right of a running host function to call back.

/// The right of a host function that runs to call back into the asynchronous instance that called
/// it: given with such calls.
#[derive(Debug, uniffi::Object)]
pub struct Lease(pub(crate) undergo::Lease);
