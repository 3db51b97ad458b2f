//! What a decision costs with many people, groups and grants, and what signing in costs others.

use std::time::Instant;

use argon2::{Algorithm, Argon2, Params, PasswordHash, PasswordVerifier as _, Version};
use rusqlite::{Connection, named_params};
use steading::clock::{Clock, Entropy};
use steading::model::grant;
use steading::model::id::{TemplateId, UserId, WorkspaceId};
use steading::model::policy::{
    self, Action, Context, Object, Permissions, ResourceType, Scope, Subject,
};
use steading::model::verb::Verb;
use steading::server::app::access;
use steading::server::db::{self, Db, template_grants, users};

use super::http::{token, wrk};
use super::seed::{self, Each};
use super::site::Site;
use super::table::{Better, Line, Table};

/// A thousand people.
const WORKSPACES: u32 = 10_000;
const EACH: Each = Each { builds: 2, sessions: 0, lines: 0 };
const TEMPLATES: u32 = 50;
const GROUPS: u32 = 200;
/// Of each template's hundred grants half are to people, half to groups.
const GRANTS_OF_EACH: u32 = 50;
/// Workspaces that are shared, each ten times.
const SHARED: u32 = 500;
const SHARES_OF_EACH: u32 = 10;
const PEOPLE: u32 = WORKSPACES / seed::WORKSPACES_A_USER;
const DECISIONS: u32 = 20_000;
const ROUNDS: usize = 5;
/// Microseconds of a decision with all that it reads.
const GOAL: f64 = 50.0;

const GUESTS: usize = 50;
const PASSWORD: &str = "correct horse 7";
/// Of the hashes by which the server keeps passwords.
const MEMORY_KIB: u32 = 19_456;
const PASSES: u32 = 2;
const HASHES: usize = 40;

pub fn run(table: &mut Table) {
    decisions(table);
    logins(table);
}

fn decisions(table: &mut Table) {
    let mut site = Site::new();
    site.stop();
    let path = site.dir.path().join("data/steading.db");
    let clock = Clock::machine();
    seed::seed(&path, &(0..WORKSPACES), clock.now().0, &EACH);
    fill(&path, clock.now().0);
    let db = Db::open(&path, clock, Entropy::machine()).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let mut timed = |what: &str, decide: fn(&db::ReadTx<'_>, u32) -> bool| {
        let mut took = Vec::new();
        for _ in 0..ROUNDS {
            let allowed = |tx: &db::ReadTx<'_>| {
                let began = Instant::now();
                let n = (0..DECISIONS).filter(|n| decide(tx, *n)).count();
                Ok::<_, db::Error>((n, began.elapsed()))
            };
            let (n, elapsed) = runtime.block_on(db.read(allowed)).unwrap();
            assert!(n > 0 && n < DECISIONS as usize, "{what}: {n} of {DECISIONS} allowed");
            took.push(elapsed.as_secs_f64() * 1e6 / f64::from(DECISIONS));
        }
        let (reference, better) = (("asked for", vec![GOAL]), Better::Less);
        table.line(&Line { what, unit: "us", ours: took, reference, goal: 1.0, better });
    };
    timed("a decision on a template and what it reads", on_a_template);
    timed("a decision on a workspace and what it reads", on_a_workspace);
    timed("a decision on a shared workspace and what it reads", on_a_shared_workspace);
}

fn id(kind: &str, n: u32) -> String {
    format!("00000000-{kind}-7000-8000-{n:012x}")
}

/// Any of the people and any of the things: what is near in the file is not asked one after another.
fn mixed(n: u32, below: u32) -> u32 {
    (n.wrapping_mul(2_654_435_761) >> 7) % below
}

fn on_a_template(tx: &db::ReadTx<'_>, n: u32) -> bool {
    let user: UserId = id("0005", mixed(n, PEOPLE)).parse().unwrap();
    let template: TemplateId = id("0013", mixed(n + 1, TEMPLATES)).parse().unwrap();
    let user = users::find(tx, user).unwrap().unwrap();
    let place = user.organizations[0];
    let held = template_grants::held(tx, user.id, template).unwrap();
    let granted = held.iter().fold(Permissions::EMPTY, |all, role| all.union(role.permissions()));
    let object = Object::site(ResourceType::Template).id(template).within(place).granting(granted);
    let subject = Subject::of(&user, &[], Scope::ALL);
    let context = Context { now: tx.now, ip: None, mfa_at: None, conditions: &[] };
    policy::decide(&subject, Action::Use, &object, &context).is_ok()
}

fn on_a_workspace(tx: &db::ReadTx<'_>, n: u32) -> bool {
    let workspace = mixed(n, WORKSPACES);
    // Every other one is asked for by its owner.
    let person = if n.is_multiple_of(2) {
        workspace / seed::WORKSPACES_A_USER
    } else {
        mixed(n + 1, PEOPLE)
    };
    let user: UserId = id("0005", person).parse().unwrap();
    let workspace: WorkspaceId = id("0006", workspace).parse().unwrap();
    let held = access::rights(tx, user, workspace).unwrap();
    let context = Context { now: tx.now, ip: None, mfa_at: None, conditions: &[] };
    grant::may(&held, Verb::Connect, &context)
}

/// Shared workspaces: a person who has them by themselves, by a group, or not at all.
fn on_a_shared_workspace(tx: &db::ReadTx<'_>, n: u32) -> bool {
    let user: UserId = id("0005", mixed(n + 1, PEOPLE)).parse().unwrap();
    let workspace: WorkspaceId = id("0006", mixed(n, SHARED)).parse().unwrap();
    let held = access::rights(tx, user, workspace).unwrap();
    let context = Context { now: tx.now, ip: None, mfa_at: None, conditions: &[] };
    grant::may(&held, Verb::Connect, &context)
}

/// Half of the grants are to people, half to groups.
fn share(tx: &Connection, now: i64) {
    for n in 0..SHARED * SHARES_OF_EACH {
        let (user, group) = if n % 2 == 0 {
            (Some(id("0005", mixed(n, PEOPLE))), None)
        } else {
            (None, Some(id("0014", mixed(n, GROUPS))))
        };
        let sql = "INSERT INTO grants (id, workspace_id, organization_id, user_id, group_id, verbs, from_at, hours,
                 networks, needs_mfa, is_recorded, reason, granted_at, via)
             VALUES (:id, :workspace, (SELECT organization_id FROM workspaces
                 WHERE id = :workspace), :user, :group, 23, 0, '', '', 0, 0, '', :now, 'direct')";
        let workspace = id("0006", n / SHARES_OF_EACH);
        let params = named_params! {
            ":id": id("0015", n), ":workspace": workspace, ":user": user, ":group": group,
            ":now": now,
        };
        tx.execute(sql, params).unwrap();
    }
}

/// Templates, groups with twenty members each, and grants to both.
fn fill(path: &std::path::Path, now: i64) {
    let mut conn = Connection::open(path).unwrap();
    let tx = conn.transaction().unwrap();
    for n in 0..TEMPLATES {
        let sql =
            "INSERT INTO templates (id, organization_id, name, display_name, description, icon,
                 active_version_id, deprecation, default_ttl_s, created_by, created_at, updated_at)
             SELECT :id, organization_id, :name, '', '', '', active_version_id, '', 0, created_by,
                 :now, :now FROM templates WHERE name = 'grown'";
        let name = format!("kiln{n}");
        tx.execute(sql, named_params! { ":id": id("0013", n), ":name": name, ":now": now })
            .unwrap();
    }
    for n in 0..GROUPS {
        let sql = "INSERT INTO groups (id, organization_id, name, display_name, created_at, updated_at)
             SELECT :id, organization_id, :name, '', :now, :now FROM templates WHERE name = 'grown'";
        let name = format!("group{n}");
        tx.execute(sql, named_params! { ":id": id("0014", n), ":name": name, ":now": now })
            .unwrap();
        for member in 0..20 {
            let sql = "INSERT OR IGNORE INTO group_members (group_id, user_id, created_at)
                 VALUES (:group, :user, :now)";
            let user = id("0005", mixed(n * 20 + member, PEOPLE));
            let group = id("0014", n);
            tx.execute(sql, named_params! { ":group": group, ":user": user, ":now": now }).unwrap();
        }
    }
    for n in 0..TEMPLATES * GRANTS_OF_EACH {
        let sql = "INSERT OR IGNORE INTO template_grants (template_id, user_id, group_id, role,
                 created_at) VALUES (:template, :user, :group, 'use', :now)";
        let template = id("0013", n / GRANTS_OF_EACH);
        let none: Option<String> = None;
        let user = Some(id("0005", mixed(n, PEOPLE)));
        let group = Some(id("0014", (n / GRANTS_OF_EACH + n * 3) % GROUPS));
        for (user, group) in [(&user, &none), (&none, &group)] {
            tx.execute(
                sql,
                named_params! { ":template": template, ":user": user, ":group": group, ":now": now },
            )
            .unwrap();
        }
    }
    share(&tx, now);
    tx.commit().unwrap();
    let grants: i64 =
        conn.query_row("SELECT count(*) FROM template_grants", [], |row| row.get(0)).unwrap();
    assert!(grants > 4_500, "{grants} grants");
}

/// Fifty people who sign in again and again, each from a network of their own: first with both cores
/// for themselves, as the hashes they are compared with have them, then with someone beside.
fn logins(table: &mut Table) {
    let site = Site::with(&["--trusted-proxy", "127.0.0.0/8"]);
    for n in 0..GUESTS {
        let (name, mail) = (format!("guest{n}"), format!("guest{n}@example.org"));
        let args =
            ["users", "create", "--username", &name, "--email", &mail, "--password", PASSWORD];
        site.cli(&args).ok();
    }
    let get = format!("{}/api/v2/users/me", site.url);
    let own = token(&site);
    let login = format!("{}/api/v2/users/login", site.url);
    let mut script = String::from(SIGN_IN);
    script = script.replace("PASSWORD", PASSWORD).replace("GUESTS", &GUESTS.to_string());
    let crowd = u32::try_from(GUESTS).unwrap();
    let (mut rates, mut hashes) = (vec![], vec![]);
    let (mut alone, mut crowded, mut beside) = (vec![], vec![], vec![]);
    for _ in 0..3 {
        hashes.push(raw());
        alone.push(wrk(&get, Some(&own), "", 1).p99);
        let spinners = Spinners::start();
        crowded.push(wrk(&get, Some(&own), "", 1).p99);
        drop(spinners);
        rates.push(wrk(&login, None, &script, crowd).rate);
        std::thread::scope(|scope| {
            let signing_in = scope.spawn(|| wrk(&login, None, &script, crowd));
            beside.push(wrk(&get, Some(&own), "", 1).p99);
            signing_in.join().unwrap();
        });
    }
    let (reference, better) = (("argon2", hashes), Better::More);
    let what = "50 people sign in, again and again";
    table.line(&Line { what, unit: "/s", ours: rates, reference, goal: 0.8, better });
    let (reference, better) = (("alone", alone), Better::Less);
    let what = "get a user meanwhile, p99";
    let ours = beside.clone();
    table.line(&Line { what, unit: "ms", ours, reference, goal: 2.0, better });
    // How much of that is the machine's, whose cores are never idle then.
    let (reference, better) = (("spinners", crowded), Better::Less);
    let what = "the same beside idle programs";
    table.line(&Line { what, unit: "ms", ours: beside, reference, goal: 2.0, better });
}

/// A program on each of two cores that only counts, of the lowest priority there is.
struct Spinners(Vec<std::process::Child>);

impl Spinners {
    fn start() -> Self {
        let spinner = || {
            let mut command = std::process::Command::new("nice");
            command.args(["-n", "19", "sh", "-c", "while :; do :; done"]).spawn().unwrap()
        };
        Self((0..2).map(|_| spinner()).collect())
    }
}

impl Drop for Spinners {
    fn drop(&mut self) {
        for spinner in &mut self.0 {
            let _ = spinner.kill();
            let _ = spinner.wait();
        }
    }
}

const SIGN_IN: &str = r#"
wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"
local n = 0
request = function()
  n = n + 1
  wrk.headers["X-Forwarded-For"] = string.format("198.%d.%d.7", n / 250 % 250, n % 250)
  local body = '{"email":"guest%d","password":"PASSWORD"}'
  return wrk.format(nil, nil, nil, string.format(body, n % GUESTS))
end
"#;

/// Passwords checked in a second by both cores, and nothing else.
fn raw() -> f64 {
    let params = Params::new(MEMORY_KIB, PASSES, 1, None).unwrap();
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    let hash = format!(
        "$argon2id$v=19$m={MEMORY_KIB},t={PASSES},p=1$AAECAwQFBgcICQoLDA0ODw${}",
        "A".repeat(43)
    );
    let began = Instant::now();
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                let hash = PasswordHash::new(&hash).unwrap();
                for _ in 0..HASHES / 2 {
                    assert!(argon2.verify_password(PASSWORD.as_bytes(), &hash).is_err());
                }
            });
        }
    });
    f64::from(u32::try_from(HASHES).unwrap()) / began.elapsed().as_secs_f64()
}
