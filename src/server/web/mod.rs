//! HTTP: routes, access, handlers.
