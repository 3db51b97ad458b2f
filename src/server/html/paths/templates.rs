//! Pages of templates. Those of the organization of the start are at the root, as its other pages are.

use super::{TEMPLATES, organization, segment};
use crate::model::name::TemplateName;
use crate::model::template::Template;
use crate::model::workspace::Workspace;

/// The page of the template `name` of an organization; an empty one for that of the start.
#[must_use]
pub fn template_at(home: &str, name: &TemplateName) -> String {
    let home = if home.is_empty() { String::new() } else { organization(home) };
    format!("{home}{TEMPLATES}/{name}")
}

/// The page of a version of a template of an organization.
#[must_use]
pub fn version_at(home: &str, name: &TemplateName, version: &str) -> String {
    format!("{}/versions/{}", template_at(home, name), segment(version))
}

/// A template's page.
#[must_use]
pub fn template(template: &Template) -> String {
    template_at(&template.home, &template.name)
}

/// The page of a workspace's template.
#[must_use]
pub fn template_of(workspace: &Workspace) -> String {
    template_at(&workspace.template_home, &workspace.template_name)
}

/// The form that makes a workspace from a template.
#[must_use]
pub fn create(template: &Template) -> String {
    format!("{}/workspace", self::template(template))
}

/// A template version's page.
#[must_use]
pub fn version(template: &Template, version: &str) -> String {
    version_at(&template.home, &template.name, version)
}

/// The page of a version of a workspace's template.
#[must_use]
pub fn version_of(workspace: &Workspace, version: &str) -> String {
    version_at(&workspace.template_home, &workspace.template_name, version)
}

/// An import's live stream, from line `after` of its log on.
#[must_use]
pub fn version_live(template: &Template, version: &str, after: i64) -> String {
    format!("{}/live?after={after}", self::version(template, version))
}

/// Makes a version the one that new workspaces use.
#[must_use]
pub fn promote(template: &Template, version: &str) -> String {
    format!("{}/promote", self::version(template, version))
}

/// Stops offering a version.
#[must_use]
pub fn archive(template: &Template, version: &str) -> String {
    format!("{}/archive", self::version(template, version))
}

/// Removes a template.
#[must_use]
pub fn delete_template(template: &Template) -> String {
    format!("{}/delete", self::template(template))
}

/// Who may use and keep a template.
#[must_use]
pub fn permissions(template: &Template) -> String {
    format!("{}/permissions", self::template(template))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn templates_of_the_start_are_at_the_root() {
        let kiln = TemplateName::parse("kiln").unwrap();
        assert_eq!(template_at("", &kiln), "/templates/kiln");
        let version = version_at("clay", &kiln, "v 1");
        assert_eq!(version, "/organizations/clay/templates/kiln/versions/v%201");
    }
}
