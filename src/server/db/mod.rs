//! Rows and SQL, one file a table.
