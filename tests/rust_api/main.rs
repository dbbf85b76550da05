//! The interface for Rust, from outside, with a real collector's socket.

mod behaviour;
mod collector;
mod vectors;
