//! The first messages on a stream between a peer and an agent, read and written.

use std::io;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};

use crate::wire::session::{MAX_OPEN_BYTES, Open, OpenBack, Opened};

/// Why a stream could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The agent said no.
    #[error("{0}")]
    Refused(String),
    /// The stream broke.
    #[error("the connection to the workspace was lost")]
    Lost(#[from] io::Error),
}

/// Asks for something on a fresh stream and waits for the answer. Returns the port of a listener,
/// 0 otherwise.
///
/// # Errors
/// When the agent refuses, or the stream breaks.
pub async fn open<S>(stream: &mut S, open: &Open) -> Result<u16, OpenError>
where
    S: AsyncRead + AsyncWrite + Unpin + ?Sized,
{
    write(stream, open).await?;
    match read::<Opened, S>(stream).await? {
        Opened::Ok { port } => Ok(port),
        Opened::Refused { why } => Err(OpenError::Refused(why)),
    }
}

/// Reads what is asked for on an incoming stream.
///
/// # Errors
/// When the stream breaks or says something else.
pub async fn read_open<S: AsyncRead + Unpin + ?Sized>(stream: &mut S) -> io::Result<Open> {
    read(stream).await
}

/// Answers an [`Open`].
///
/// # Errors
/// When the stream breaks.
pub async fn write_opened<S: AsyncWrite + Unpin + ?Sized>(
    stream: &mut S,
    opened: &Opened,
) -> io::Result<()> {
    write(stream, opened).await
}

/// Says what a stream towards a peer is for.
///
/// # Errors
/// When the stream breaks.
pub async fn write_back<S: AsyncWrite + Unpin + ?Sized>(
    stream: &mut S,
    back: &OpenBack,
) -> io::Result<()> {
    write(stream, back).await
}

/// Reads what a stream from an agent is for.
///
/// # Errors
/// When the stream breaks or says something else.
pub async fn read_back<S: AsyncRead + Unpin + ?Sized>(stream: &mut S) -> io::Result<OpenBack> {
    read(stream).await
}

async fn write<T, S>(stream: &mut S, message: &T) -> io::Result<()>
where
    T: serde::Serialize + Sync,
    S: AsyncWrite + Unpin + ?Sized,
{
    let json = serde_json::to_vec(message)?;
    let len = u32::try_from(json.len()).ok().filter(|l| *l as usize <= MAX_OPEN_BYTES);
    let len = len.ok_or_else(|| invalid("the opening message is too long"))?;
    let mut out = len.to_be_bytes().to_vec();
    out.extend_from_slice(&json);
    stream.write_all(&out).await?;
    stream.flush().await
}

async fn read<T, S>(stream: &mut S) -> io::Result<T>
where
    T: serde::de::DeserializeOwned,
    S: AsyncRead + Unpin + ?Sized,
{
    let len = stream.read_u32().await? as usize;
    if len > MAX_OPEN_BYTES {
        return Err(invalid("the opening message is too long"));
    }
    let mut json = vec![0; len];
    stream.read_exact(&mut json).await?;
    serde_json::from_slice(&json).map_err(|_| invalid("the opening message cannot be read"))
}

fn invalid(why: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, why)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::id::SessionId;
    use crate::model::session::SessionKind;
    use crate::wire::session::Kind;

    fn wanted() -> Open {
        let session = SessionId(uuid::Uuid::nil());
        Open { session, user: None, recorded_as: SessionKind::Sftp, marks: None, kind: Kind::Sftp }
    }

    #[tokio::test]
    async fn a_question_gets_its_answer() {
        let (mut near, mut far) = tokio::io::duplex(4096);
        let agent = async {
            assert_eq!(read_open(&mut far).await.unwrap(), wanted());
            write_opened(&mut far, &Opened::Refused { why: "closed today".into() }).await.unwrap();
        };
        let wanted = wanted();
        let (answer, ()) = tokio::join!(open(&mut near, &wanted), agent);
        assert_eq!(answer.unwrap_err().to_string(), "closed today");
    }

    #[tokio::test]
    async fn an_endless_message_is_refused() {
        let (mut near, mut far) = tokio::io::duplex(64);
        near.write_u32(u32::MAX).await.unwrap();
        assert_eq!(read_open(&mut far).await.unwrap_err().kind(), io::ErrorKind::InvalidData);
    }
}
