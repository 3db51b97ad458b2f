//! HTTP: the table of routes, who may use them, and the translation into use cases.

pub mod access;
pub mod address;
pub mod api;
mod confirm;
pub mod cookies;
mod denied;
pub mod error;
pub mod extract;
pub mod form;
pub mod health;
pub mod limits;
pub mod outer;
mod packed;
pub mod pages;
pub mod routes;
mod scim;
mod slow;
pub mod sockets;
pub mod state;
pub mod streams;

pub use access::{Access, MaybeWho, Who};
pub use error::{Answer, Problem};
pub use state::{Site, State};

/// The whole of HTTP over the use cases.
pub fn router(state: State) -> axum::Router {
    let routes = routes::all(&state).into_router();
    outer::wrap(routes, &state).with_state(state)
}
