//! Use cases: who may, then one transaction.
