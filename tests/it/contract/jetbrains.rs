//! JetBrains' two plug-ins: Toolbox' from its download to an IDE in a workspace, and what Gateway's does
//! otherwise.

use std::process::Stdio;

use serde_json::json;

use super::plugin::{Fetch, PlugIn, Running, fetched, free_port, is_network_info, network_info};
use crate::e2e::site::Ran;

const PREFIX: &str = "coder-jetbrains-toolbox-127.0.0.1--";
const HOST: &str = "coder-jetbrains-toolbox-127.0.0.1--ada--kiln.main";

#[tokio::test(flavor = "multi_thread")]
async fn toolbox_comes_from_its_download_to_an_ide() {
    let plug_in = PlugIn::install(Fetch::Packed).await;
    let world = &plug_in.world;
    let (url, token) = (&world.caller.url, &world.caller.token);
    plug_in.run(&["login", url, "--token", token, "--global-config", &plug_in.config]).ok();
    // Without `--use-token-as-session` it gets a session of its own.
    assert!(&plug_in.kept("session") != token && plug_in.kept("url") == *url);

    // What it polls, and a stop and a start by its buttons.
    let list = world.caller.get("/api/v2/workspaces?q=").await.expect(200).json();
    let kiln = &list["workspaces"][0];
    let template = format!("/api/v2/templates/{}", kiln["template_id"].as_str().unwrap());
    let template = world.caller.get(&template).await.expect(200).json();
    plug_in
        .stop(json!({ "template_version_id": template["active_version_id"], "transition": "stop",
            "orphan": null, "reason": "jetbrains_connection" }))
        .await;
    assert_eq!(plug_in.build().await["reason"], "jetbrains_connection");
    let config = ["--global-config", &*plug_in.config];
    let start = ["start", "--yes", "--reason", "jetbrains_connection", "--", "ada/kiln"];
    plug_in.run(&[&config[..], &start[..]].concat()).ok();
    assert_eq!(plug_in.build().await["reason"], "jetbrains_connection");

    // The block for all workspaces, with a header of the operator's own.
    let network = world.site.path("network");
    std::fs::create_dir(&network).unwrap();
    let proxy = format!(
        "{} --global-config {} --url {url} --header-command \"printf X-Team=clay\" ssh --stdio \
         --disable-autostart --network-info-dir {network} --usage-app=jetbrains --ssh-host-prefix \
         {PREFIX} -- %h",
        plug_in.program, plug_in.config
    );
    plug_in.configure(&format!("{PREFIX}*"), &proxy, "JetBrains");
    let said = Ran::new(plug_in.ssh(&["-T", HOST, "uname -s"]).stdin(Stdio::null()));
    assert_eq!(said.ok(), "Linux\n");

    // The IDE's backend comes by SFTP, and its window by a forwarded port.
    let backend = world.site.path("backend.py");
    let serve = "import http.server as h\ns = h.HTTPServer(('127.0.0.1', 0), \
                 h.SimpleHTTPRequestHandler)\nprint(s.server_port, flush=True)\ns.serve_forever()\n";
    std::fs::write(&backend, serve).unwrap();
    let to = format!("{HOST}:backend.py");
    let mut scp = world.site.command("scp");
    scp.env_remove("CODER_CONFIG_DIR").args(["-q", "-F", &plug_in.ssh_config, &backend, &to]);
    Ran::new(&mut scp).ok();
    let run = plug_in.ssh(&["-T", HOST, "cd; exec python3 backend.py 2>/dev/null"]);
    let (ide, port) = super::plugin::scripted(run, b"", "");
    let port: u16 = port.trim().parse().unwrap();
    let local = free_port();
    let mut window = plug_in.ssh(&["-N", "-L", &format!("{local}:127.0.0.1:{port}"), HOST]);
    let _window = Running(window.stdin(Stdio::null()).spawn().unwrap());
    let answer = fetched(|| std::net::TcpStream::connect(("127.0.0.1", local)).ok());
    assert!(answer.contains("backend.py"), "{answer}");
    is_network_info(&network_info(&network, &ide.0));
    let here = plug_in.connections("type:jetbrains status:ongoing").await;
    assert_eq!(here[0]["workspace_owner_username"], "ada", "{here:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn gateway_has_a_host_for_each_workspace_and_one_for_the_background() {
    let plug_in = PlugIn::install(Fetch::Packed).await;
    let world = &plug_in.world;
    let url = &world.caller.url;
    let config = ["--global-config", &*plug_in.config];
    let mut login = plug_in.command(&config);
    login.args(["login", "--use-token-as-session", url]);
    Ran::new(login.env("CODER_SESSION_TOKEN", &world.caller.token)).ok();
    let version = plug_in.build().await["template_version_id"].as_str().unwrap().to_owned();
    let resources = format!("/api/v2/templateversions/{version}/resources");
    world.caller.get(&resources).await.expect(200);
    let host = "coder-jetbrains--ada--kiln.main--127.0.0.1";
    for (host, app) in [(host.to_owned(), "jetbrains"), (format!("{host}--bg"), "disable")] {
        let proxy = format!(
            "{} --global-config {} --url {url} ssh --stdio --disable-autostart --usage-app={app} \
             ada/kiln.main",
            plug_in.program, plug_in.config
        );
        plug_in.configure(&host, &proxy, "JetBrains");
        let said = Ran::new(plug_in.ssh(&["-T", &host, "pwd"]).stdin(Stdio::null()));
        assert!(said.ok().starts_with('/'), "{host}");
    }
}
