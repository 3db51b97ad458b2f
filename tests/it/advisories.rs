//! What was published against others like this one, and the tests that show it cannot happen here.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::json;

use crate::e2e::site::Site;
use crate::harness::{Client, PASSWORD, TestServer, URL};

/// What an advisory comes down to here.
enum Here {
    /// Tests by these names.
    Tests(&'static [&'static str]),
    /// There is no such thing here yet: what it waits for.
    Later(&'static str),
}
use Here::{Later, Tests};

/// What must not be possible, where it was seen, and what shows it.
const LIST: [(&str, &str, Here); 20] = [
    (
        "a removed member keeps shared workspaces or templates",
        "Coder CVE-2026-111928",
        Tests(&[
            "who_is_removed_keeps_nothing_of_the_organization",
            "who_is_removed_suspended_or_deleted_loses_templates_by_construction",
        ]),
    ),
    (
        "who may share reads the personal data of groups' members",
        "Coder CVE-2026-111930",
        Tests(&["a_list_does_not_tell_the_addresses_of_its_members"]),
    ),
    (
        "anyone in a workspace reads the agent's environment from a port",
        "Coder CVE-2026-111926",
        Tests(&["an_agent_listens_nowhere_and_nothing_of_the_server_is_in_a_workspace"]),
    ),
    (
        "an app's address carries the session's token elsewhere",
        "Coder CVE-2026-55431",
        Later("apps are shown as links without tokens until they have a proxy"),
    ),
    (
        "a workspace registers an app wider than its template says",
        "Coder CVE-2026-55432",
        Later("agents register no apps"),
    ),
    (
        "a sign-in leads to a host that only begins like ours",
        "Coder CVE-2026-111927",
        Tests(&["a_sign_in_leads_to_no_other_host"]),
    ),
    (
        "an admin of one organization reads files of another",
        "Coder CVE-2026-111929",
        Tests(&["who_keeps_templates_of_one_organization_reads_no_files_of_another"]),
    ),
    (
        "a forged address passes limits or goes into the log",
        "Coder CVE-2026-111934",
        Tests(&[
            "a_forged_address_does_not_slip_past_the_lockout",
            "forwarded_headers_count_only_from_trusted_proxies",
            "the_rightmost_untrusted_hop_is_the_client",
        ]),
    ),
    (
        "anyone says which host this is",
        "Coder 26204",
        Tests(&["no_header_says_which_host_this_is"]),
    ),
    (
        "an app's cookie opens someone else's workspace",
        "Coder 26103, 26085",
        Later("apps have no cookies until they have a proxy"),
    ),
    (
        "an agent takes addresses that are not its own",
        "Coder 26144",
        Tests(&[
            "a_packet_with_a_foreign_source_address_is_dropped",
            "an_agent_that_lies_is_cut_short_and_named_in_the_log",
        ]),
    ),
    (
        "a user admin resets an owner's password",
        "Coder 25709",
        Tests(&["a_user_admin_gives_no_password_to_who_holds_more"]),
    ),
    (
        "markup in logs is run by a browser",
        "Coder 25808, 25804",
        Tests(&[
            "markup_in_a_name_is_text",
            "texts_of_templates_builds_and_agents_are_shown_written_out",
        ]),
    ),
    (
        "an archive unpacks to more than it says",
        "Coder 25877, 25710",
        Tests(&["archives_that_lead_elsewhere_or_grow_are_refused_by_name"]),
    ),
    (
        "a server's options run a program here",
        "Coder 26235, 26154",
        Tests(&["a_server_says_nothing_that_runs_here", "words_are_quoted_for_the_shell"]),
    ),
    (
        "a session outlives what the provider granted",
        "GHSA-3rw9-wmc8-8948",
        Tests(&["ghsa_3rw9_wmc8_8948_a_session_ends_with_a_token_that_cannot_be_renewed"]),
    ),
    (
        "a part of a domain lets in, or an address that nobody proved",
        "GHSA-7cc2-r658-7xpf, Coder 25713",
        Tests(&[
            "ghsa_7cc2_r658_7xpf_a_domain_matches_whole_or_not_at_all",
            "coder_25713_email_verified_is_true_or_it_is_not",
        ]),
    ),
    (
        "a workspace reads a token of the system's",
        "GHSA-j6xf-jwrj-v5qp",
        Tests(&[
            "an_agent_listens_nowhere_and_nothing_of_the_server_is_in_a_workspace",
            "a_token_lent_to_a_workspace_ends_with_its_stop",
        ]),
    ),
    (
        "a provider's text becomes part of our page",
        "Warpgate GHSA-vvpj-p7j8-4rv4",
        Tests(&["what_a_provider_says_is_text"]),
    ),
    (
        "a name without end goes into the log",
        "JupyterHub CVE-2026-54338",
        Tests(&["a_name_without_end_is_cut_in_the_log"]),
    ),
];

#[test]
fn each_has_its_tests() {
    let mut known = BTreeSet::new();
    for dir in ["src", "tests/it"] {
        collect(&Path::new(env!("CARGO_MANIFEST_DIR")).join(dir), &mut known);
    }
    for (what, seen, here) in &LIST {
        match here {
            Tests(names) => {
                for name in *names {
                    assert!(known.contains(*name), "{what} ({seen}): no test {name}");
                }
            }
            Later(why) => assert!(!why.is_empty(), "{what}"),
        }
    }
}

/// The names of functions that are tests.
fn collect(dir: &Path, known: &mut BTreeSet<String>) {
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() && !path.ends_with("node_modules") {
            collect(&path, known);
        } else if path.extension().is_some_and(|e| e == "rs") {
            let text = std::fs::read_to_string(&path).unwrap();
            let mut is_test = false;
            for line in text.lines().map(str::trim) {
                is_test |= line.starts_with("#[test]") || line.starts_with("#[tokio::test");
                if let Some((_, rest)) = line.split_once("fn ").filter(|_| is_test) {
                    known.insert(rest.split('(').next().unwrap_or_default().to_owned());
                    is_test = false;
                }
            }
        }
    }
}

#[test]
fn an_agent_listens_nowhere_and_nothing_of_the_server_is_in_a_workspace() {
    let mut site = Site::new();
    let secret = "a-secret-of-the-server-that-nobody-else-has";
    site.stop();
    site.env.push(("CODER_SCIM_AUTH_HEADER".into(), secret.into()));
    site.start();
    site.create_here("kiln");
    let uid = site.ssh("kiln", "id -u").ok().trim().to_owned();
    assert_ne!(uid, "0");
    let listening = ["/proc/net/tcp", "/proc/net/tcp6", "/proc/net/udp", "/proc/net/udp6"];
    for table in listening {
        let text = std::fs::read_to_string(table).unwrap();
        for line in text.lines().skip(1) {
            let columns: Vec<&str> = line.split_whitespace().collect();
            // 0A is LISTEN. What is asked by UDP is the tunnel, which knows its peers by their keys.
            assert!(!(columns[3] == "0A" && columns[7] == uid), "{table}: {line}");
        }
    }
    let seen = site.ssh("kiln", "env; cat /proc/[0-9]*/environ /proc/[0-9]*/cmdline 2>/dev/null");
    assert!(seen.out.contains("CODER_WORKSPACE_NAME=kiln"), "{seen:?}");
    assert!(!seen.out.contains(secret), "the server's settings are read in a workspace");
}

#[tokio::test]
async fn a_sign_in_leads_to_no_other_host() {
    let server = TestServer::start().await;
    let browser =
        Client { headers: vec![("sec-fetch-site", "same-origin".into())], ..Client::default() };
    for next in [
        "//evil.test/",
        "/\\evil.test/",
        "\\\\evil.test",
        "https://evil.test/",
        "http://127.0.0.1:7080.evil.test/",
        "http://127.0.0.1:7080@evil.test/",
        "/\t/evil.test",
        "/\n/evil.test",
        "javascript:alert(1)",
        " //evil.test",
        ".evil.test",
    ] {
        let fields = [("username", "ada"), ("password", PASSWORD), ("next", next)];
        let led = server.form(&browser, "/login", &fields).await.expect(303);
        assert_eq!(led.headers["location"], "/workspaces", "{next:?}");
    }
    let fields = [("username", "ada"), ("password", PASSWORD), ("next", "/templates?q=a")];
    let led = server.form(&browser, "/login", &fields).await.expect(303);
    assert_eq!(led.headers["location"], "/templates?q=a");
}

#[tokio::test]
async fn no_header_says_which_host_this_is() {
    let server = TestServer::start().await;
    let olga = server.sign_in("olga").await;
    let evil = "evil.test".to_owned();
    let headers = vec![
        ("host", evil.clone()),
        ("x-forwarded-host", evil.clone()),
        ("x-forwarded-proto", "https".to_owned()),
        ("forwarded", format!("host={evil};proto=https")),
        ("x-original-host", evil.clone()),
    ];
    let misled = Client { headers, ..olga };
    for path in ["/login", "/api/v2/buildinfo", "/api/v2/deployment/ssh", "/workspaces"] {
        let reply = server.get(&misled, path).await;
        assert!(!reply.text.contains(&evil), "{path}: {}", reply.text);
        for value in reply.headers.values() {
            assert!(!value.to_str().unwrap_or_default().contains(&evil), "{path}: {value:?}");
        }
    }
    let guest = json!({ "email": "guest@example.org" });
    let made = server.post(&misled, "/api/v2/invitations", guest).await.expect(201).json();
    assert!(made["url"].as_str().unwrap().starts_with(&format!("{URL}/invite/")), "{made}");
}

const MARKUP: &str = "<img src=x onerror=alert(1)>";

#[tokio::test]
async fn markup_in_a_name_is_text() {
    let server = TestServer::start().await;
    let (olga, ada) = (server.sign_in("olga").await, server.sign_in("ada").await);
    let named = json!({ "username": "ada", "name": MARKUP });
    server.put(&ada, "/api/v2/users/me/profile", named).await.expect(200);
    let browser = olga.in_browser(&[("sec-fetch-site", "same-origin")]);
    let page = server.get(&browser, "/people/ada").await.expect(200);
    assert!(page.text.contains("&lt;img src=x"), "{}", page.text);
    assert!(!page.text.contains("<img src=x"));
    let policy = page.headers["content-security-policy"].to_str().unwrap();
    assert!(!policy.contains("unsafe"), "{policy}");
    // In the search, which is shown again.
    let found = server.get(&browser, "/people?q=%3Cimg%20src=x%3E").await.expect(200);
    assert!(!found.text.contains("<img src=x"), "{}", found.text);
}

#[tokio::test]
async fn what_a_provider_says_is_text() {
    let server = TestServer::start().await;
    let query = "error=access_denied%3Cscript%3E&error_description=%3Cimg%20src%3Dx%3E&state=x";
    for path in [
        "/login/oidc/sso/callback",
        "/api/v2/users/oidc/callback",
        "/api/v2/users/oauth2/github/callback",
    ] {
        let reply = server.get(&Client::default(), &format!("{path}?{query}")).await;
        assert!(!reply.text.contains("<script>") && !reply.text.contains("<img"), "{}", reply.text);
    }
}

#[tokio::test]
async fn a_name_without_end_is_cut_in_the_log() {
    let server = TestServer::start().await;
    let olga = server.sign_in("olga").await;
    let long = "a".repeat(200_000);
    let login = json!({ "email": long, "password": "x" });
    server.post(&Client::default(), "/api/v2/users/login", login).await.expect(401);
    let named = json!({ "username": "ada", "name": long });
    server.put(&olga, "/api/v2/users/ada/profile", named).await.expect(400);
    let agent =
        Client { headers: vec![("user-agent", "b".repeat(20_000))], ..server.sign_in("ada").await };
    server.put(&agent, "/api/v2/users/me/profile", json!({ "username": "ada", "name": "A" })).await;
    server.app.write_refusals().await.unwrap();
    let log = server.get(&olga, "/api/v2/audit?limit=100").await.expect(200);
    assert!(!log.text.contains(&"a".repeat(1000)) && !log.text.contains(&"b".repeat(1000)));
}
