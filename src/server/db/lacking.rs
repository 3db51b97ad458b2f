//! People who have no second factor, as `totp_factors` and `passkeys` say.

use rusqlite::{ToSql, named_params};

use super::{ReadTx, Result};
use crate::model::id::UserId;

/// Whose second factors are asked for.
#[derive(Clone, Debug, Default)]
pub struct Holders {
    /// Everyone's.
    pub everyone: bool,
    /// Those of who holds one of these roles: each word between two spaces.
    pub roles: String,
}

/// People who may sign in, hold one of the roles and have no second factor.
macro_rules! lacking {
    () => {
        " FROM users u WHERE u.kind = 'person' AND (u.status = 'active' OR u.status = 'dormant')
          AND (:everyone OR EXISTS (SELECT 1 FROM role_bindings b WHERE b.user_id = u.id
               AND instr(:roles, ' ' || b.role || ' ') > 0
               AND (b.organization_id IS NULL OR EXISTS (SELECT 1 FROM memberships m
                    WHERE m.user_id = b.user_id AND m.organization_id = b.organization_id))))
          AND NOT EXISTS (SELECT 1 FROM totp_factors t WHERE t.user_id = u.id
                          AND t.confirmed_at IS NOT NULL)
          AND NOT EXISTS (SELECT 1 FROM passkeys p WHERE p.user_id = u.id)
          /* scan: of people alone; no index knows who lacks something */ "
    };
}

/// Those who have none, by name.
///
/// # Errors
/// When SQLite fails.
pub fn list(
    tx: &ReadTx<'_>,
    holders: &Holders,
    (limit, offset): (i64, i64),
) -> Result<Vec<UserId>> {
    tx.list(
        concat!("SELECT u.id", lacking!(), "ORDER BY u.username LIMIT :limit OFFSET :offset"),
        named_params! {
            ":everyone": holders.everyone, ":roles": holders.roles, ":limit": limit,
            ":offset": offset,
        },
        |row| row.get("id"),
    )
}

/// How many have none.
///
/// # Errors
/// When SQLite fails.
pub fn count(tx: &ReadTx<'_>, holders: &Holders) -> Result<i64> {
    let narrow: [(&str, &dyn ToSql); 2] =
        [(":everyone", &holders.everyone), (":roles", &holders.roles)];
    let sql = concat!("SELECT count(*) AS n", lacking!());
    let n = tx.find(sql, narrow.as_slice(), |row| row.get("n"))?;
    Ok(n.unwrap_or(0))
}
