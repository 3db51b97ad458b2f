//! The program that was put in this one's place takes over.

#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;

#[cfg(unix)]
pub(in crate::agent) use unix::run;
#[cfg(windows)]
pub use windows::VARIABLE;
#[cfg(windows)]
pub(in crate::agent) use windows::run;
