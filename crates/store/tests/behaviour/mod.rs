//! What the store does with each engine. `crate::place::Place` is a new store of the engine.

mod alerts;
pub(crate) mod batches;
mod counting;
mod received;
pub(crate) mod reporting;
