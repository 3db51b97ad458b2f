//! The byte stream that a session's pieces speak over, whatever carries it.

use tokio::io::{AsyncRead, AsyncWrite};

/// What a stream can do.
pub trait AsyncReadWrite: AsyncRead + AsyncWrite {}

impl<T: AsyncRead + AsyncWrite> AsyncReadWrite for T {}

/// A stream of any kind. `shutdown` ends its writing half; dropping it ends both.
pub type BoxStream = Box<dyn AsyncReadWrite + Send + Unpin>;

/// A future of any kind, for traits that are used as objects.
pub type BoxFuture<'a, T> = futures_util::future::BoxFuture<'a, T>;
