//! Coder's JSON (API version 2), one file a noun: the field names and the rules of null and empty
//! that its clients rely on. Plain shapes; the server translates its own words into them.
#![expect(missing_docs, reason = "the fields are Coder's and mean what their names say")]

pub mod agents;
pub mod audit;
pub mod builds;
pub mod connections;
pub mod deployment;
pub mod error;
pub mod idpsync;
pub mod jobs;
pub mod organizations;
pub mod roles;
pub mod templates;
pub mod time;
pub mod tokens;
pub mod users;
pub mod versions;
pub mod workspaces;

pub use error::Error;
pub use time::Time;

/// The version told to Coder's clients, by the server and by this program's own `version`: they
/// compare the two as text, and ask for features by number. Then comes our own version.
pub const VERSION: &str = concat!("v2.37.0+steading-", env!("CARGO_PKG_VERSION"));

/// Defines structs that are written whole and read with tolerance: unknown fields are passed over,
/// absent ones take their default.
macro_rules! shapes {
    ($($(#[$meta:meta])* pub struct $name:ident { $($body:tt)* })+) => {$(
        $(#[$meta])*
        #[derive(Clone, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize)]
        #[serde(default)]
        pub struct $name { $($body)* }
    )+};
}
use shapes;

/// Reads `null` as the default: Go's clients write an empty list so.
fn null_is_default<'de, D, T>(from: D) -> Result<T, D::Error>
where
    D: serde::Deserializer<'de>,
    T: Default + serde::Deserialize<'de>,
{
    <Option<T> as serde::Deserialize>::deserialize(from).map(Option::unwrap_or_default)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_read_with_nulls_and_without_fields() {
        let read: builds::CreateBuild = serde_json::from_str(
            r#"{"transition":"start","rich_parameter_values":null,"state":null,"new_field":1}"#,
        )
        .unwrap();
        assert!(read.rich_parameter_values.is_empty());
        assert_eq!(read.transition, "start");
    }

    #[test]
    fn absent_times_are_null_and_lists_are_never() {
        let text = serde_json::to_value(workspaces::Workspace::default()).unwrap();
        assert_eq!(text["dormant_at"], serde_json::Value::Null);
        assert_eq!(text["latest_build"]["resources"], serde_json::json!([]));
        assert_eq!(text["created_at"], "0001-01-01T00:00:00Z");
    }
}
