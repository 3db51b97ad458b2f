//! Doing something to see what would come of it: in a transaction that is always undone.

use std::convert::Infallible;

use super::{App, Error, Result};
use crate::server::db::{self, WriteTx};

/// What came of a trial, on its way out of the transaction.
enum Undone<T> {
    /// What it found out.
    Told(T),
    /// It could not be done.
    Failed(Error),
}

impl<T> From<db::Error> for Undone<T> {
    fn from(error: db::Error) -> Self {
        Self::Failed(error.into())
    }
}

impl App {
    /// Does something as it would be done, looks at what came of it, and undoes it: nothing is written,
    /// and nobody hears of it. Others' writes wait meanwhile.
    ///
    /// # Errors
    /// What `work` returns: the same as when it were done.
    pub(super) async fn tried<T, F>(&self, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnOnce(&WriteTx<'_>) -> Result<T> + Send + 'static,
    {
        let undone = move |tx: &WriteTx<'_>| -> std::result::Result<Infallible, Undone<T>> {
            Err(work(tx).map_or_else(Undone::Failed, Undone::Told))
        };
        match self.db.write(undone).await {
            Ok(never) => match never {},
            Err(Undone::Told(told)) => Ok(told),
            Err(Undone::Failed(error)) => Err(error),
        }
    }
}
