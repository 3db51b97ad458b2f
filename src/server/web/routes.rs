//! The table of routes: method, path, who may, handler. There is no other way to have a route.

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::handler::Handler;
use axum::middleware::from_fn_with_state;
use axum::routing::{MethodFilter, MethodRouter, on};
use http::Method;

use super::access::{self, Access};
use super::{State, api, health, limits, pages, scim, sockets};

/// A route as it was declared.
#[derive(Clone, Debug)]
pub struct Declared {
    /// The method.
    pub method: Method,
    /// The path with its parameters in braces.
    pub path: &'static str,
    /// Who may.
    pub access: Access,
}

/// Routes that were declared so far.
pub struct Routes {
    state: State,
    router: Router<State>,
    table: Vec<Declared>,
    limit: usize,
}

/// Every route of the server.
pub fn all(state: &State) -> Routes {
    let routes = health::routes(Routes::new(state.clone()));
    pages::routes(scim::routes(sockets::routes(api::routes(routes))))
}

impl Routes {
    /// None yet.
    #[must_use]
    pub fn new(state: State) -> Self {
        Self { state, router: Router::new(), table: Vec::new(), limit: limits::BODY }
    }

    /// Declares a `GET`, which answers `HEAD` too.
    #[must_use]
    pub fn get<H, T>(self, access: Access, path: &'static str, handler: H) -> Self
    where
        H: Handler<T, State>,
        T: 'static,
    {
        self.declare(Method::GET, access, path, on(MethodFilter::GET, handler))
    }

    /// Declares a `POST`.
    #[must_use]
    pub fn post<H, T>(self, access: Access, path: &'static str, handler: H) -> Self
    where
        H: Handler<T, State>,
        T: 'static,
    {
        self.declare(Method::POST, access, path, on(MethodFilter::POST, handler))
    }

    /// Declares a `PUT`.
    #[must_use]
    pub fn put<H, T>(self, access: Access, path: &'static str, handler: H) -> Self
    where
        H: Handler<T, State>,
        T: 'static,
    {
        self.declare(Method::PUT, access, path, on(MethodFilter::PUT, handler))
    }

    /// Declares a `PATCH`.
    #[must_use]
    pub fn patch<H, T>(self, access: Access, path: &'static str, handler: H) -> Self
    where
        H: Handler<T, State>,
        T: 'static,
    {
        self.declare(Method::PATCH, access, path, on(MethodFilter::PATCH, handler))
    }

    /// Declares a `DELETE`.
    #[must_use]
    pub fn delete<H, T>(self, access: Access, path: &'static str, handler: H) -> Self
    where
        H: Handler<T, State>,
        T: 'static,
    {
        self.declare(Method::DELETE, access, path, on(MethodFilter::DELETE, handler))
    }

    /// The next route takes a body of at most `bytes`; others take [`limits::BODY`].
    #[must_use]
    pub fn up_to(self, bytes: usize) -> Self {
        Self { limit: bytes, ..self }
    }

    fn declare(
        mut self,
        method: Method,
        access: Access,
        path: &'static str,
        handler: MethodRouter<State>,
    ) -> Self {
        let guard = from_fn_with_state((self.state.clone(), access, self.limit), access::guard);
        let guarded = handler.layer(DefaultBodyLimit::max(self.limit)).layer(guard);
        self.router = self.router.route(path, guarded);
        self.table.push(Declared { method, path, access });
        self.limit = limits::BODY;
        self
    }

    /// Every route, in the order of declaration.
    #[must_use]
    pub fn table(&self) -> &[Declared] {
        &self.table
    }

    /// The router of them.
    pub fn into_router(self) -> Router<State> {
        self.router
    }
}
