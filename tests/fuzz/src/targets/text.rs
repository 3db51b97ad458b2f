//! Longer texts: READMEs that are drawn, and the JSON of API requests.

use steading::server::html::parts::markdown;
use steading::wire::coder::{
    builds, organizations, templates, tokens, users, versions, workspaces,
};

use super::agent::again;

/// Every tag that a README is drawn with, as it is written.
const TAGS: &[&str] = &[
    "<h3>",
    "</h3>",
    "<h4>",
    "</h4>",
    "<p>",
    "</p>",
    "<ol>",
    "</ol>",
    "<ul>",
    "</ul>",
    "<li>",
    "</li>",
    "<pre class=\"code\" tabindex=\"0\">",
    "</pre>",
    "<code>",
    "</code>",
    "<b>",
    "</b>",
    "<em>",
    "</em>",
    "<hr>",
    "<table>",
    "</table>",
    "<thead>",
    "</thead>",
    "<tbody>",
    "</tbody>",
    "<tr>",
    "</tr>",
    "<th scope=\"col\">",
    "</th>",
    "<td>",
    "</td>",
    "</a>",
    "</div>",
    "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"Table\">",
];

/// Most bytes that one byte of a README becomes: a table of one cell is long.
const GROWTH: usize = 100;

/// What is drawn holds our own tags alone, closed in order, and links that lead to the web.
pub fn markdown(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let html = markdown::draw(&text).into_string();
    assert!(html.len() <= GROWTH * (text.len() + 1), "{} bytes out of {}", html.len(), text.len());
    let mut open: Vec<&str> = Vec::new();
    for (at, _) in html.match_indices('<') {
        let rest = &html[at..];
        let end = rest.find('>').expect("a tag ends");
        let tag = &rest[..=end];
        let is_link = tag
            .strip_prefix("<a href=\"http")
            .and_then(|t| t.strip_suffix("\" rel=\"noreferrer nofollow\">"))
            .is_some_and(|url| {
                url.trim_start_matches('s').starts_with("://") && !url.contains('"')
            });
        assert!(is_link || TAGS.contains(&tag), "{tag} is not ours");
        let name = tag.trim_matches(['<', '>', '/']).split(' ').next().unwrap_or_default();
        if tag.starts_with("</") {
            assert_eq!(open.pop(), Some(name));
        } else if name != "hr" {
            open.push(name);
        }
    }
    assert!(open.is_empty(), "{open:?} stay open");
}

/// Requests say the same when they are written and read again.
pub fn requests(data: &[u8]) {
    let Some((kind, json)) = data.split_first() else { return };
    let all: &[fn(&[u8])] = &[
        again::<builds::CreateBuild>,
        again::<organizations::CreateGroup>,
        again::<organizations::UpdateGroup>,
        again::<organizations::UpdateOrganization>,
        again::<templates::CreateTemplate>,
        again::<templates::UpdateTemplate>,
        again::<tokens::CreateToken>,
        again::<tokens::CreateSshKey>,
        again::<users::CreateUser>,
        again::<users::Login>,
        again::<users::UpdateProfile>,
        again::<users::UpdatePassword>,
        again::<users::UpdateRoles>,
        again::<versions::CreateVersion>,
        again::<versions::UpdateVersion>,
        again::<versions::UpdateActiveVersion>,
        again::<workspaces::CreateWorkspace>,
        again::<workspaces::UpdateWorkspace>,
        again::<workspaces::UpdateAutostart>,
        again::<workspaces::UpdateTtl>,
        again::<workspaces::UpdateDormant>,
        again::<workspaces::UpdateAutomaticUpdates>,
    ];
    all[usize::from(*kind) % all.len()](json);
}
