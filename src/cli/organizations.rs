//! `organizations`: who belongs where, and the roles there.

use http::Method;

use super::api::organizations::sync_path;
use super::args::organizations::{Members, Organizations, PutRole, Roles, Setting, Settings};
use super::context::Context;
use super::table::Table;
use super::{prompt, times};
use crate::wire::coder::organizations::{
    Organization, OrganizationMember, PatchWorkspaceSharing, UpdateOrganization,
};
use crate::wire::coder::roles::{AssignableRole, Permission, PutRole as NewRole};
use crate::wire::requests::RequestHook;

/// Longest settings of a sync read from standard input, in bytes.
const MAX_SYNC: u64 = 256 << 10;
/// Longest role read from standard input, in bytes.
const MAX_ROLE: u64 = 64 << 10;

/// Runs the command.
///
/// # Errors
/// When the server cannot be reached, or refuses.
pub async fn run(ctx: &Context, command: Organizations) -> anyhow::Result<()> {
    let client = ctx.client()?;
    match command {
        Organizations::List(listing) => {
            let all = client.organizations().await?;
            ctx.out.list(&listing, &all, || table(&all))
        }
        Organizations::Show { organization, only_id, listing } => {
            let key = organization.as_deref().unwrap_or("default");
            let found = client.organization_named(key).await?;
            if only_id {
                return ctx.out.line(&found.id.to_string());
            }
            ctx.out.list(&listing, &found, || table(std::slice::from_ref(&found)))
        }
        Organizations::Create { name, display_name, description, yes } => {
            if !yes && prompt::is_interactive() {
                prompt::confirm(&format!("Create the organization {name}?"))?;
            }
            let new =
                UpdateOrganization { name: Some(name), display_name, description, icon: None };
            let made = client.create_organization(&new).await?;
            ctx.out.note(&format!("Created the organization {}; you keep it.", made.name));
            Ok(())
        }
        Organizations::Delete { organization, yes } => {
            if !yes {
                prompt::confirm(&format!("Delete the organization {organization}?"))?;
            }
            client.delete_organization(&organization).await?;
            ctx.out.note(&format!("Deleted the organization {organization}."));
            Ok(())
        }
        Organizations::Members(command) => members(ctx, command).await,
        Organizations::Roles(command) => roles(ctx, command).await,
        Organizations::Settings(command) => settings(ctx, command).await,
    }
}

async fn settings(ctx: &Context, command: Settings) -> anyhow::Result<()> {
    let client = ctx.client()?;
    let (Settings::Show(at) | Settings::Set(at) | Settings::Unset(at)) = &command;
    let (place, provider) = (at.within.organization(), at.provider.as_deref());
    let path = match at.setting {
        Setting::RequestHook => return request_hook(ctx, &command, place).await,
        Setting::WorkspaceSharing => return sharing(ctx, &command, place).await,
        Setting::GroupSync => sync_path(Some((place, "groups")), provider),
        Setting::RoleSync => sync_path(Some((place, "roles")), provider),
        Setting::OrganizationSync => sync_path(None, provider),
    };
    let now = match command {
        Settings::Show(_) => client.idp_sync(&path).await?,
        Settings::Set(_) => {
            let new = serde_json::from_str(&prompt::text_from_stdin(MAX_SYNC)?)?;
            client.set_idp_sync(&path, &new).await?
        }
        Settings::Unset(_) => client.unset_idp_sync(&path).await?,
    };
    ctx.out.json(&now)
}

async fn sharing(ctx: &Context, command: &Settings, place: &str) -> anyhow::Result<()> {
    let client = ctx.client()?;
    let new = match command {
        Settings::Show(_) => return ctx.out.json(&client.workspace_sharing(place).await?),
        Settings::Set(_) => serde_json::from_str(&prompt::text_from_stdin(MAX_SYNC)?)?,
        Settings::Unset(_) => PatchWorkspaceSharing {
            sharing_disabled: None,
            shareable_workspace_owners: Some("everyone".to_owned()),
        },
    };
    ctx.out.json(&client.set_workspace_sharing(place, &new).await?)
}

async fn request_hook(ctx: &Context, command: &Settings, place: &str) -> anyhow::Result<()> {
    let client = ctx.client()?;
    let now = match command {
        Settings::Show(_) => client.request_hook(place).await?,
        Settings::Set(_) => {
            let new = serde_json::from_str(&prompt::text_from_stdin(MAX_SYNC)?)?;
            let set = client.set_request_hook(place, &new).await?;
            ctx.out.note("The secret is shown this once.");
            set
        }
        Settings::Unset(_) => {
            client.unset_request_hook(place).await?;
            RequestHook::default()
        }
    };
    ctx.out.json(&now)
}

async fn members(ctx: &Context, command: Members) -> anyhow::Result<()> {
    let client = ctx.client()?;
    match command {
        Members::List { listing, within } => {
            let all = client.members(within.organization()).await?;
            ctx.out.list(&listing, &all, || member_table(&all))
        }
        Members::Add { user, within } => {
            let member = client.add_member(within.organization(), &user).await?;
            let place = within.organization();
            ctx.out.note(&format!("{} belongs to {place} now.", member.username));
            Ok(())
        }
        Members::Remove { user, within } => {
            client.remove_member(within.organization(), &user).await?;
            ctx.out.note(&format!("{user} does not belong to {} any more.", within.organization()));
            Ok(())
        }
        Members::EditRoles { user, roles, within } => {
            let member = client.set_member_roles(within.organization(), &user, roles).await?;
            ctx.out.note(&format!("{} is now: {}.", member.username, role_names(&member)));
            Ok(())
        }
    }
}

async fn roles(ctx: &Context, command: Roles) -> anyhow::Result<()> {
    let client = ctx.client()?;
    match command {
        Roles::Show { roles, listing, within } => {
            let mut all = client.organization_roles(within.organization()).await?;
            if let Some(missing) = roles.iter().find(|name| all.iter().all(|r| r.name != **name)) {
                anyhow::bail!("There is no role {missing:?}.");
            }
            all.retain(|role| roles.is_empty() || roles.contains(&role.name));
            ctx.out.list(&listing, &all, || role_table(&all))
        }
        Roles::Create(args) => put(ctx, args, (Method::POST, "Created")).await,
        Roles::Edit(args) => put(ctx, args, (Method::PUT, "Changed")).await,
        Roles::Delete { role, within } => {
            client.delete_role(within.organization(), &role).await?;
            ctx.out.note(&format!("Deleted the role {role}."));
            Ok(())
        }
    }
}

async fn put(ctx: &Context, args: PutRole, (method, done): (Method, &str)) -> anyhow::Result<()> {
    let organization = args.within.organization().to_owned();
    let dry_run = args.dry_run;
    let role = read_role(args)?;
    if dry_run {
        return ctx.out.json(&role);
    }
    let made = ctx.client()?.put_role(method, &organization, &role).await?;
    ctx.out.note(&format!("{done} the role {}.", made.name));
    Ok(())
}

/// The role that flags or standard input describe.
fn read_role(args: PutRole) -> anyhow::Result<NewRole> {
    if !args.stdin {
        let permissions = args.permission.iter().map(|text| permission(text));
        return Ok(NewRole {
            name: args.role.unwrap_or_default(),
            display_name: args.display_name.unwrap_or_default(),
            organization_permissions: permissions.collect::<anyhow::Result<_>>()?,
            ..NewRole::default()
        });
    }
    let text = prompt::text_from_stdin(MAX_ROLE)?;
    // What `show` prints is a list; one of one role is as good as the role.
    let mut read: serde_json::Value = serde_json::from_str(&text)?;
    let list = read.as_array_mut().filter(|list| list.len() == 1);
    if let Some(one) = list.and_then(Vec::pop) {
        read = one;
    }
    let mut role: NewRole = serde_json::from_value(read)?;
    role.name = args.role.unwrap_or(role.name);
    Ok(role)
}

fn permission(text: &str) -> anyhow::Result<Permission> {
    match text.split_once(':') {
        Some((kind, action)) => Ok(Permission {
            negate: false,
            resource_type: kind.to_owned(),
            action: action.to_owned(),
        }),
        None => anyhow::bail!("{text:?} is no permission; write it as workspace:start."),
    }
}

fn table(all: &[Organization]) -> Table {
    let mut table =
        Table::new(&["NAME", "DISPLAY NAME", "ID", "DEFAULT", "DESCRIPTION", "CREATED AT"]);
    for one in all {
        table.row([
            &one.name,
            &one.display_name,
            &one.id.to_string(),
            if one.is_default { "yes" } else { "no" },
            &one.description,
            &times::or_never(one.created_at),
        ]);
    }
    table
}

fn role_names(member: &OrganizationMember) -> String {
    let names: Vec<&str> = member.roles.iter().map(|r| r.name.as_str()).collect();
    if names.is_empty() { "member".to_owned() } else { names.join(", ") }
}

fn member_table(all: &[OrganizationMember]) -> Table {
    let usual = ["USERNAME", "ORGANIZATION ROLES", "EMAIL", "STATUS", "USER ID"];
    let more = ["NAME", "ORGANIZATION ID", "CREATED AT", "UPDATED AT", "LAST SEEN AT"];
    let mut table = Table::with_more(&usual, &more);
    for member in all {
        table.row([
            &member.username,
            &role_names(member),
            &member.email,
            &member.status,
            &member.user_id.to_string(),
            &member.name,
            &member.organization_id.to_string(),
            &times::or_never(member.created_at),
            &times::or_never(member.updated_at),
            &times::or_never(member.last_seen_at),
        ]);
    }
    table
}

fn role_table(all: &[AssignableRole]) -> Table {
    let mut table = Table::new(&["NAME", "DISPLAY NAME", "BUILT IN", "PERMISSIONS"]);
    for role in all {
        let permissions = role.organization_permissions.iter();
        let words: Vec<String> =
            permissions.map(|p| format!("{}:{}", p.resource_type, p.action)).collect();
        // The built-in ones hold more than a line shows; JSON has all of them.
        let shown =
            if words.len() > 6 { format!("{} of them", words.len()) } else { words.join(", ") };
        let built_in = if role.built_in { "yes" } else { "no" };
        table.row([&role.name, &role.display_name, built_in, &shown]);
    }
    table
}
