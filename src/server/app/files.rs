//! Uploads of template archives.

use bytes::Bytes;
use sha2::{Digest as _, Sha256};

use super::{Actor, App, Error, Result, template_rights};
use crate::model::id::FileId;
use crate::model::policy::{Action, Object, ResourceType};
use crate::server::db::{ReadTx, archives, files};

/// Largest archive taken (Coder takes as much).
pub const MAX_FILE_BYTES: usize = 100 << 20;
/// The smallest tar archive: its end is two blocks of zeros.
const MIN_TAR_BYTES: usize = 1024;
/// Where a tar header says what it is.
const TAR_MAGIC: std::ops::Range<usize> = 257..262;

impl App {
    /// Asks for the right to send a template's archive.
    ///
    /// # Errors
    /// [`Error::Denied`] for who pushes templates nowhere.
    pub async fn may_upload(&self, actor: &Actor) -> Result<()> {
        let actor = actor.clone();
        self.db.read(move |tx| require_upload(tx, &actor)).await
    }

    /// Keeps a template's archive; the same bytes from the same user are kept once.
    ///
    /// # Errors
    /// When the actor may not push templates, or the bytes are no tar archive or too many.
    pub async fn upload_file(&self, actor: &Actor, body: Bytes) -> Result<FileId> {
        let (asking, user) = (actor.clone(), actor.caller()?.user.id);
        self.db.read(move |tx| require_upload(tx, &asking)).await?;
        if body.len() > MAX_FILE_BYTES {
            return Err(Error::invalid("file", "is larger than 100 MiB"));
        }
        let is_tar = body.get(TAR_MAGIC).is_some_and(|magic| magic == b"ustar");
        let is_empty = body.iter().all(|b| *b == 0);
        if body.len() < MIN_TAR_BYTES || !(is_tar || is_empty) {
            return Err(Error::invalid("file", "is not a tar archive"));
        }
        let hash: archives::Hash = Sha256::digest(&body).into();
        self.db
            .write(move |tx| {
                if let Some(known) = files::find(tx, user, &hash)? {
                    files::touch(tx, known)?;
                    return Ok(known);
                }
                archives::keep(tx, &hash, &body)?;
                let id: FileId = tx.fresh();
                files::insert(tx, id, user, &hash)?;
                Ok(id)
            })
            .await
    }

    /// The bytes of an upload.
    ///
    /// # Errors
    /// When there is none, or the actor neither sent it nor may push templates.
    pub async fn file(&self, actor: &Actor, id: FileId) -> Result<Bytes> {
        let actor = actor.clone();
        self.db
            .read_large(move |tx| {
                require_file(tx, &actor, id)?;
                archives::body(tx, id)?.map(Bytes::from).ok_or(Error::NotFound("file"))
            })
            .await
    }
}

/// Asks for the right to send an upload: who pushes templates somewhere has it, or to one.
fn require_upload(tx: &ReadTx<'_>, actor: &Actor) -> Result<()> {
    let file = Object::site(ResourceType::File);
    let file = file.granting(template_rights::granted_anywhere(tx, actor)?);
    let mut places = actor.caller()?.user.organizations.iter();
    if places.any(|place| actor.may(tx.now, Action::Create, &file.within(*place))) {
        return Ok(());
    }
    actor.require(tx.now, Action::Create, &file)
}

/// Asks for the right to use and read an upload: its sender has it, whoever keeps templates where a
/// version is made from it, and whoever keeps a template that has such a version.
///
/// # Errors
/// [`Error::NotFound`] otherwise.
pub(super) fn require_file(tx: &ReadTx<'_>, actor: &Actor, id: FileId) -> Result<()> {
    let sender = files::sender(tx, id)?.ok_or(Error::NotFound("file"))?;
    let file = Object::site(ResourceType::File).id(id);
    let mut places = files::organizations(tx, id)?.into_iter();
    let there = |place| actor.may(tx.now, Action::Read, &file.within(place));
    if actor.user_id() == Some(sender) || places.any(there) {
        return Ok(());
    }
    for of in files::templates(tx, id)? {
        if actor.may(tx.now, Action::Update, &template_rights::object(tx, actor, of)?) {
            return Ok(());
        }
    }
    actor.require(tx.now, Action::Read, &file)
}
