//! `join`, `terminals`: a terminal that others are at, in this one.

use anyhow::{Context as _, bail};
use bytes::BytesMut;
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::sync::mpsc;
use uuid::Uuid;

use super::args::connect::Wait;
use super::args::workspaces::{Join, Terminals};
use super::console::{Raw, Resized, size};
use super::context::Context;
use super::reach::{Way, reach};
use super::reference::Reference;
use super::table::Table;
use super::times;
use crate::net::websocket::{Incoming, Lost, Message};
use crate::ssh::view::View;
use crate::tasks::OnPanic;
use crate::wire::terminals::{Terminal, TerminalSeat};

/// Bytes of input taken at once: a paste of some pages. The server bounds what it reads at once.
const INPUT: usize = 4 << 10;
/// Messages that wait for the socket.
const QUEUE: usize = 16;

/// `join`
///
/// # Errors
/// When the workspace cannot be reached, or there is no such terminal.
pub async fn join(ctx: &Context, args: Join) -> anyhow::Result<()> {
    let client = ctx.client()?;
    let reference: Reference = args.workspace.parse()?;
    let way = Way { wait: Wait::No, autostart: !args.watch, reason: "ssh_connection" };
    let (workspace, agent) = reach(ctx, &client, (&reference, way)).await?;
    let mut open = client.terminals(workspace.id).await?;
    open.retain(|one| one.agent_id == agent.id);
    let terminal = match choose(&open, args.terminal.as_deref())? {
        Some(found) => found,
        None if args.watch => bail!("No terminal is open in {reference}."),
        None => ctx.entropy.uuid4(),
    };
    let (cols, rows) = size();
    let (id, cols, rows) = (terminal.to_string(), cols.to_string(), rows.to_string());
    let mut query = vec![("reconnect", id.as_str()), ("width", &cols), ("height", &rows)];
    query.push(("drawn", "true"));
    if args.watch {
        query.push(("watch", "true"));
    }
    let url = client.address(&format!("/api/v2/workspaceagents/{}/pty", agent.id), &query);
    let connecting = client.dialer().connect(&url, client.headers()).await;
    let (out, incoming) =
        connecting.with_context(|| format!("Joining a terminal of {reference}"))?;
    let (to, queue) = mpsc::channel(QUEUE);
    ctx.tasks.spawn("join", OnPanic::Lose, async move {
        out.run(queue).await;
    });
    ctx.out.note("Type Enter, then ~. to leave.");
    let raw = Raw::enter();
    let ended = converse(incoming, to, raw.is_some()).await;
    drop(raw);
    ended
}

/// The terminal that is meant: by the beginning of its id, else the last that was begun. None when
/// none is open.
fn choose(open: &[Terminal], name: Option<&str>) -> anyhow::Result<Option<Uuid>> {
    let Some(name) = name else { return Ok(open.last().map(|one| one.id)) };
    let mut fit = open.iter().filter(|one| one.id.to_string().starts_with(name));
    match (fit.next(), fit.next()) {
        (Some(one), None) => Ok(Some(one.id)),
        (None, _) => bail!("No terminal {name} is open there. `steading terminals` lists them."),
        (Some(_), Some(_)) => bail!("Several terminals begin with {name}; write more of it."),
    }
}

async fn converse(
    mut incoming: Incoming,
    to: mpsc::Sender<Message>,
    is_raw: bool,
) -> anyhow::Result<()> {
    let mut stdout = tokio::io::stdout();
    let feeding = feed(to, is_raw);
    tokio::pin!(feeding);
    let mut is_drawn = false;
    let lost = loop {
        let message = tokio::select! {
            () = &mut feeding => break Lost::Closed,
            message = incoming.next() => message,
        };
        match message {
            Ok(Message::Binary(bytes)) => {
                let has = |mark: &[u8]| bytes.windows(mark.len()).any(|part| part == mark);
                is_drawn = (is_drawn || has(b"\x1b[?1049h")) && !has(b"\x1b[?1049l");
                stdout.write_all(&bytes).await?;
                stdout.flush().await?;
            }
            Ok(Message::Text(_)) => {}
            Err(lost) => break lost,
        }
    };
    // Where it ended otherwise than by itself, nobody has given the window back.
    if is_drawn {
        stdout.write_all(View::leave()).await?;
        stdout.flush().await?;
    }
    match lost {
        Lost::Closed => Ok(()),
        other @ (Lost::Silent | Lost::Broken(_)) => {
            Err(other).context("The connection to the terminal broke")
        }
    }
}

/// Sends what is typed and the window's size, until the person wants to leave.
async fn feed(to: mpsc::Sender<Message>, is_raw: bool) {
    let mut stdin = tokio::io::stdin();
    let Ok(mut resized) = Resized::listen() else { return };
    let (mut buffer, mut keys) = (BytesMut::new(), Keys::default());
    let mut is_open = true;
    loop {
        buffer.reserve(INPUT);
        let said = tokio::select! {
            read = stdin.read_buf(&mut buffer), if is_open => {
                is_open = read.unwrap_or(0) > 0;
                match keys.take(&buffer.split()) {
                    Some(data) if data.is_empty() => continue,
                    Some(data) => json!({ "data": data }),
                    None => return,
                }
            }
            () = resized.recv(), if is_raw => {
                let (cols, rows) = size();
                json!({ "width": cols, "height": rows })
            }
        };
        if to.send(Message::Text(said.to_string())).await.is_err() {
            // What the server said last is still on its way.
            return std::future::pending().await;
        }
    }
}

/// Keys on their way: whole characters, and the two that leave at the beginning of a line.
#[derive(Default)]
struct Keys {
    /// Bytes of a character that is not whole yet.
    rest: Vec<u8>,
    is_within: bool,
    has_tilde: bool,
}

impl Keys {
    /// What goes to the terminal; none when the person leaves.
    fn take(&mut self, bytes: &[u8]) -> Option<String> {
        self.rest.extend_from_slice(bytes);
        let whole = match std::str::from_utf8(&self.rest) {
            // A character has four bytes at most; what is none is not waited for.
            Err(error) if error.error_len().is_none() => error.valid_up_to(),
            Ok(_) | Err(_) => self.rest.len(),
        };
        let rest = self.rest.split_off(whole);
        let text = std::mem::replace(&mut self.rest, rest);
        let mut out = String::new();
        for key in String::from_utf8_lossy(&text).chars() {
            match key {
                '.' if self.has_tilde => return None,
                '~' if !self.is_within && !self.has_tilde => {
                    self.has_tilde = true;
                    continue;
                }
                _ => {}
            }
            if std::mem::take(&mut self.has_tilde) && key != '~' {
                out.push('~');
            }
            out.push(key);
            self.is_within = !matches!(key, '\r' | '\n');
        }
        Some(out)
    }
}

/// `terminals`
///
/// # Errors
/// When the server cannot be reached, or refuses.
pub async fn list(ctx: &Context, args: Terminals) -> anyhow::Result<()> {
    let client = ctx.client()?;
    let workspace = client.workspace(&args.workspace.parse()?).await?;
    let all = client.terminals(workspace.id).await?;
    ctx.out.list(&args.listing, &all, || table(&all, ctx.clock.now_ms()))?;
    if all.is_empty() {
        ctx.out.note("No terminal is open there. `steading join` begins one.");
    }
    Ok(())
}

fn table(all: &[Terminal], now_ms: i64) -> Table {
    let mut table = Table::new(&["ID", "BEGUN BY", "SINCE", "SIZE", "WHO IS THERE", "LAST"]);
    for one in all {
        let seats: Vec<String> = one.seats.iter().map(|at| seat(one, at)).collect();
        table.row([
            &one.id.to_string(),
            &one.began_by.username,
            &times::ago(one.began_at, now_ms),
            &format!("{} x {}", one.cols, one.rows),
            &seats.join(", "),
            &one.said,
        ]);
    }
    table
}

/// Someone who is there: what they do, and what it is that they may do where one types at a time.
fn seat(terminal: &Terminal, seat: &TerminalSeat) -> String {
    let marks = [
        (terminal.one_at_a_time && seat.may_type, "has control"),
        (seat.asks, "asks for control"),
        (seat.was_quieted, "made to look on"),
    ];
    let marks = marks.into_iter().filter(|(is_so, _)| *is_so).map(|(_, words)| words);
    let said: Vec<&str> = std::iter::once(seat.doing.as_str()).chain(marks).collect();
    format!("{} ({})", seat.user.username, said.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_go_on_whole_and_two_of_them_leave() {
        let mut keys = Keys::default();
        assert_eq!(keys.take(b"ls ~.\r~x~.\r").as_deref(), Some("ls ~.\r~x~.\r"));
        assert_eq!(keys.take(b"~").as_deref(), Some(""));
        assert_eq!(keys.take(b"~a\xe4\xb8").as_deref(), Some("~a"));
        assert_eq!(keys.take(b"\x96\xff\r").as_deref(), Some("\u{4e16}\u{fffd}\r"));
        assert_eq!(keys.take(b"~").as_deref(), Some(""));
        assert_eq!(keys.take(b"."), None);
        assert_eq!(Keys::default().take(b"~."), None);
    }
}
