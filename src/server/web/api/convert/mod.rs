//! The model's words into Coder's JSON.

pub mod people;
