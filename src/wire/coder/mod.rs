//! Coder's v2 JSON, one file a noun. Translated only in `server::web::api` and in `cli::client`.
