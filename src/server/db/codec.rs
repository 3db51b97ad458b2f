//! Model types in SQLite's clothes: ids as text, times as integers, words as themselves.

use rusqlite::types::{FromSql, FromSqlError, FromSqlResult, ToSql, ToSqlOutput, ValueRef};

use crate::model::{
    access_review, agent, app, audit, build, grant, health, id, log, name, provider, recording,
    request, secret, session, set_sync, template, time, user, verb,
};

macro_rules! text {
    ($($ty:ty),+ $(,)?) => {$(
        impl ToSql for $ty {
            fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
                Ok(ToSqlOutput::from(self.to_string()))
            }
        }

        impl FromSql for $ty {
            fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
                value.as_str()?.parse().map_err(|e| FromSqlError::Other(Box::new(e)))
            }
        }
    )+};
}

macro_rules! words {
    ($($ty:ty),+ $(,)?) => {$(
        impl ToSql for $ty {
            fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
                Ok(ToSqlOutput::from(self.as_str()))
            }
        }

        impl FromSql for $ty {
            fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
                let word = value.as_str()?;
                <$ty>::from_word(word).ok_or_else(|| FromSqlError::Other(format!("unknown word {word:?}").into()))
            }
        }
    )+};
}

text! {
    id::UserId, id::OrganizationId, id::GroupId, id::TokenId, id::SshKeyId, id::FileId, id::TemplateId,
    id::VersionId, id::PresetId, id::WorkspaceId, id::BuildId, id::JobId, id::ResourceId, id::AgentId,
    id::AppId, id::ScriptId, id::LogSourceId, id::SessionId, id::TerminalId, id::AuditId, id::GrantId,
    id::IdentityId, id::IdentityGrantId, id::InvitationId, id::PasskeyId, id::RoleId,
    id::AuditFilterId, id::CodeId, id::RotationId, id::OverrideId, id::RecordingId, id::RequestId,
    id::BreakGlassId,
    name::UserName, name::WorkspaceName, name::TemplateName, name::GroupName, name::RoleName,
}

words! {
    user::UserStatus, user::UserKind, user::LoginType, user::SiteRole, user::OrganizationRole, user::TokenKind,
    user::GroupSource, template::TemplateRole, provider::ProviderKind, set_sync::SyncKind,
    log::LogLevel, log::LogSource, build::Transition, build::JobKind, build::JobStatus, build::BuildReason,
    agent::Lifecycle, app::AppHealth, session::SessionKind, session::EndReason,
    audit::AuditAction, audit::AuditTarget, audit::AuditActor, audit::checkpoint::CheckpointKind, verb::Verb, grant::Reason, grant::Via,
    grant::EndedWhy, grant::Mode, access_review::ReviewOf,
    recording::RecordingKind, recording::RecordingStatus, recording::RecordingReason,
    recording::transfers::TransferKind,
    request::RequestState, request::Verdict, health::State, health::series::Step,
}

impl ToSql for time::Timestamp {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::from(self.0))
    }
}

impl FromSql for time::Timestamp {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        value.as_i64().map(Self)
    }
}

impl ToSql for secret::TokenHash {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::from(self.0.as_slice()))
    }
}

impl FromSql for secret::TokenHash {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        <[u8; 32]>::column_result(value).map(Self)
    }
}

/// A column of JSON, for what is never queried.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Json<T>(pub T);

impl<T: serde::Serialize> ToSql for Json<T> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        serde_json::to_string(&self.0)
            .map(ToSqlOutput::from)
            .map_err(|e| rusqlite::Error::ToSqlConversionFailure(Box::new(e)))
    }
}

impl<T: serde::de::DeserializeOwned> FromSql for Json<T> {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        serde_json::from_str(value.as_str()?)
            .map(Self)
            .map_err(|e| FromSqlError::Other(Box::new(e)))
    }
}
