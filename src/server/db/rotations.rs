//! The tables `rotations`, `rotation_layers` and `rotation_members`.

use rusqlite::types::Type;
use rusqlite::{Row, named_params};

use super::scim_users::bound;
use super::{ReadTx, Result, WriteTx, rotation_overrides};
use crate::model::id::{OrganizationId, RotationId, UserId};
use crate::model::rotation::{Layer, Member, Restriction, Rotation, Zone};
use crate::model::time::Timestamp;

/// Between the restrictions of a layer.
const BETWEEN: &str = ";";

/// A text of a column that the model reads.
fn read<T>(text: &str, parse: impl FnOnce(&str) -> Option<T>) -> rusqlite::Result<T> {
    parse(text).ok_or_else(|| {
        let why = format!("{text:?} cannot be read").into();
        rusqlite::Error::FromSqlConversionFailure(0, Type::Text, why)
    })
}

/// A place in a list.
fn place(row: &Row<'_>, column: &str) -> rusqlite::Result<usize> {
    Ok(usize::try_from(row.get::<_, i64>(column)?).unwrap_or(0))
}

fn from_row(row: &Row<'_>) -> rusqlite::Result<Rotation> {
    Ok(Rotation {
        id: row.get("id")?,
        organization_id: row.get("organization_id")?,
        name: row.get("name")?,
        zone: Zone::kept(row.get_ref("zone")?.as_str()?),
        layers: Vec::new(),
        overrides: Vec::new(),
        created_at: row.get("created_at")?,
    })
}

fn whole(tx: &ReadTx<'_>, mut rotation: Rotation) -> Result<Rotation> {
    rotation.layers = layers(tx, rotation.id)?;
    rotation.overrides = rotation_overrides::list(tx, rotation.id, tx.now)?;
    Ok(rotation)
}

/// A rotation by id.
///
/// # Errors
/// When SQLite fails.
pub fn find(tx: &ReadTx<'_>, id: RotationId) -> Result<Option<Rotation>> {
    let found = tx.find(
        "SELECT id, organization_id, name, zone, created_at FROM rotations WHERE id = :id",
        named_params! { ":id": id },
        from_row,
    )?;
    found.map(|rotation| whole(tx, rotation)).transpose()
}

/// A rotation by name.
///
/// # Errors
/// When SQLite fails.
pub fn find_by_name(
    tx: &ReadTx<'_>,
    organization: OrganizationId,
    name: &str,
) -> Result<Option<Rotation>> {
    let found = tx.find(
        "SELECT id, organization_id, name, zone, created_at FROM rotations
         WHERE organization_id = :organization AND name = :name",
        named_params! { ":organization": organization, ":name": name },
        from_row,
    )?;
    found.map(|rotation| whole(tx, rotation)).transpose()
}

/// An organization's rotations, by name.
///
/// # Errors
/// When SQLite fails.
pub fn list(tx: &ReadTx<'_>, organization: OrganizationId) -> Result<Vec<Rotation>> {
    let found = tx.list(
        "SELECT id, organization_id, name, zone, created_at FROM rotations
         WHERE organization_id = :organization ORDER BY name",
        named_params! { ":organization": organization },
        from_row,
    )?;
    found.into_iter().map(|rotation| whole(tx, rotation)).collect()
}

/// How many rotations an organization has.
///
/// # Errors
/// When SQLite fails.
pub fn count(tx: &ReadTx<'_>, organization: OrganizationId) -> Result<usize> {
    let n: Option<i64> = tx.find(
        "SELECT count(*) FROM rotations WHERE organization_id = :organization",
        named_params! { ":organization": organization },
        |row| row.get(0),
    )?;
    Ok(usize::try_from(n.unwrap_or_default()).unwrap_or(usize::MAX))
}

fn layers(tx: &ReadTx<'_>, id: RotationId) -> Result<Vec<Layer>> {
    let mut all: Vec<Layer> = tx.list(
        "SELECT handoff, length, first, starts_at, restrictions FROM rotation_layers
         WHERE rotation_id = :id ORDER BY position",
        named_params! { ":id": id },
        |row| {
            let restrictions = row.get_ref("restrictions")?.as_str()?;
            let each = restrictions.split(BETWEEN).filter(|text| !text.is_empty());
            Ok(Layer {
                members: Vec::new(),
                first: place(row, "first")?,
                handoff: read(row.get_ref("handoff")?.as_str()?, |text| text.parse().ok())?,
                length: read(row.get_ref("length")?.as_str()?, |text| text.parse().ok())?,
                starts_at: row.get("starts_at")?,
                restrictions: each
                    .map(|text| read(text, |text| text.parse::<Restriction>().ok()))
                    .collect::<rusqlite::Result<_>>()?,
            })
        },
    )?;
    let members = tx.list(
        "SELECT layer, user_id, left_at FROM rotation_members
         WHERE rotation_id = :id ORDER BY layer, position",
        named_params! { ":id": id },
        |row| {
            let member = Member { user: row.get("user_id")?, left_at: row.get("left_at")? };
            Ok((place(row, "layer")?, member))
        },
    )?;
    for (layer, member) in members {
        if let Some(layer) = all.get_mut(layer) {
            layer.members.push(member);
        }
    }
    Ok(all)
}

/// Writes a new rotation. Nothing of it is planned yet.
///
/// # Errors
/// When SQLite fails or the name is taken.
pub fn insert(tx: &WriteTx<'_>, new: &Rotation) -> Result<()> {
    tx.execute(
        "INSERT INTO rotations (id, organization_id, name, zone, planned_until_at, webhook_event,
         webhook_at, created_at, updated_at)
         VALUES (:id, :organization, :name, :zone, 0, '', 0, :now, :now)",
        named_params! {
            ":id": new.id, ":organization": new.organization_id, ":name": new.name,
            ":zone": new.zone.name(), ":now": tx.now,
        },
    )?;
    put_layers(tx, new)
}

/// Writes what may change of a rotation, with its layers.
///
/// # Errors
/// When SQLite fails or the name is taken.
pub fn update(tx: &WriteTx<'_>, new: &Rotation) -> Result<()> {
    tx.execute(
        "UPDATE rotations SET name = :name, zone = :zone, updated_at = :now WHERE id = :id",
        named_params! {
            ":id": new.id, ":name": new.name, ":zone": new.zone.name(), ":now": tx.now,
        },
    )?;
    tx.execute(
        "DELETE FROM rotation_layers WHERE rotation_id = :id",
        named_params! { ":id": new.id },
    )?;
    put_layers(tx, new)
}

fn put_layers(tx: &WriteTx<'_>, rotation: &Rotation) -> Result<()> {
    for (position, layer) in rotation.layers.iter().enumerate() {
        let restrictions: Vec<String> =
            layer.restrictions.iter().map(ToString::to_string).collect();
        tx.execute(
            "INSERT INTO rotation_layers (rotation_id, position, handoff, length, first, starts_at,
             restrictions) VALUES (:id, :position, :handoff, :length, :first, :starts_at,
             :restrictions)",
            named_params! {
                ":id": rotation.id, ":position": bound(position),
                ":handoff": layer.handoff.to_string(), ":length": layer.length.to_string(),
                ":first": bound(layer.first),
                ":starts_at": layer.starts_at, ":restrictions": restrictions.join(BETWEEN),
            },
        )?;
        for (place, member) in layer.members.iter().enumerate() {
            tx.execute(
                "INSERT INTO rotation_members (rotation_id, layer, position, user_id, left_at)
                 VALUES (:id, :layer, :position, :user, :left_at)",
                named_params! {
                    ":id": rotation.id, ":layer": bound(position), ":position": bound(place),
                    ":user": member.user, ":left_at": member.left_at,
                },
            )?;
        }
    }
    Ok(())
}

/// Removes a rotation with its shifts.
///
/// # Errors
/// When SQLite fails.
pub fn delete(tx: &WriteTx<'_>, id: RotationId) -> Result<()> {
    tx.execute("DELETE FROM rotations WHERE id = :id", named_params! { ":id": id })?;
    Ok(())
}

/// Whether someone may be on call for an organization: an active user who belongs to it.
///
/// # Errors
/// When SQLite fails.
pub fn is_fit(tx: &ReadTx<'_>, organization: OrganizationId, user: UserId) -> Result<bool> {
    let found = tx.find(
        "SELECT 1 FROM memberships m JOIN users u ON u.id = m.user_id
         WHERE m.organization_id = :organization AND m.user_id = :user
           AND u.status IN ('active', 'dormant')",
        named_params! { ":organization": organization, ":user": user },
        |_| Ok(()),
    )?;
    Ok(found.is_some())
}

/// The rotations that someone has time in or may come to have, by name: of an organization, or all.
///
/// # Errors
/// When SQLite fails.
pub fn list_of(
    tx: &ReadTx<'_>,
    user: UserId,
    organization: Option<OrganizationId>,
) -> Result<Vec<(RotationId, String)>> {
    tx.list(
        "SELECT id, name FROM rotations
         WHERE id IN (
             SELECT rotation_id FROM rotation_members WHERE user_id = :user AND left_at IS NULL
             UNION SELECT rotation_id FROM rotation_overrides
                   WHERE user_id = :user AND until_at > :now)
           AND (:organization IS NULL OR organization_id = :organization)
         ORDER BY name",
        named_params! { ":user": user, ":organization": organization, ":now": tx.now },
        |row| Ok((row.get("id")?, row.get("name")?)),
    )
}

/// Notes that someone has left the layers of a rotation, and removes their overrides there.
///
/// # Errors
/// When SQLite fails.
pub fn leave(tx: &WriteTx<'_>, rotation: RotationId, user: UserId) -> Result<()> {
    tx.execute(
        "UPDATE rotation_members SET left_at = :now
         WHERE rotation_id = :rotation AND user_id = :user AND left_at IS NULL",
        named_params! { ":rotation": rotation, ":user": user, ":now": tx.now },
    )?;
    rotation_overrides::delete_of(tx, rotation, user)
}

/// What programs sign with that say who is on call, sealed; then the last event and its time.
///
/// # Errors
/// When SQLite fails.
pub fn webhook(tx: &ReadTx<'_>, id: RotationId) -> Result<Option<(Vec<u8>, String, Timestamp)>> {
    tx.find(
        "SELECT webhook_secret, webhook_event, webhook_at FROM rotations
         WHERE id = :id AND webhook_secret IS NOT NULL",
        named_params! { ":id": id },
        |row| Ok((row.get("webhook_secret")?, row.get("webhook_event")?, row.get("webhook_at")?)),
    )
}

/// Sets what programs sign with, or none.
///
/// # Errors
/// When SQLite fails.
pub fn set_webhook(tx: &WriteTx<'_>, id: RotationId, sealed: Option<&[u8]>) -> Result<()> {
    tx.execute(
        "UPDATE rotations SET webhook_secret = :sealed, updated_at = :now WHERE id = :id",
        named_params! { ":id": id, ":sealed": sealed, ":now": tx.now },
    )?;
    Ok(())
}

/// Notes the last event that a program told of.
///
/// # Errors
/// When SQLite fails.
pub fn heard(tx: &WriteTx<'_>, id: RotationId, (event, at): (&str, Timestamp)) -> Result<()> {
    tx.execute(
        "UPDATE rotations SET webhook_event = :event, webhook_at = :at WHERE id = :id",
        named_params! { ":id": id, ":event": event, ":at": at },
    )?;
    Ok(())
}
