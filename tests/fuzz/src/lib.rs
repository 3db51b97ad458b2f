//! What Steading reads from others, each as a target of coverage-guided runs.

pub mod targets;
