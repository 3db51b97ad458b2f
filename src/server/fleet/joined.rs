//! A terminal by plain `ssh`: the one that others are at, or a new one that they can come to.

use std::sync::Arc;

use anyhow::{Context as _, bail};

use super::coming::{Attach, Came, Showing};
use super::cut::Cut;
use super::link::AgentLink;
use crate::model::id::{SessionId, TerminalId};
use crate::model::terminal::{Coming, OpenTerminal, Part};
use crate::ssh::Opening;

/// How it is asked for.
const USAGE: &str = "Write: ssh -t WORKSPACE@HOST -- steading:join [TERMINAL] [--watch]";

/// A window that says no size has that of a DEC VT100.
const USUAL: (u16, u16) = (80, 24);

/// What stands behind the word.
#[derive(Debug, PartialEq, Eq)]
struct Asked {
    terminal: Option<String>,
    coming: Coming,
}

impl Asked {
    fn read(words: &str) -> anyhow::Result<Self> {
        let mut asked = Self { terminal: None, coming: Coming::Join };
        for word in words.split_whitespace() {
            match word {
                "--watch" => asked.coming = Coming::Watch,
                _ if word.starts_with('-') || asked.terminal.is_some() => bail!(USAGE),
                _ => asked.terminal = Some(word.to_owned()),
            }
        }
        Ok(asked)
    }

    /// The terminal that is meant: the one that is named by the beginning of its id, else the last one
    /// that was begun. None when a new one is to be begun.
    fn find(&self, open: &[OpenTerminal]) -> anyhow::Result<Option<TerminalId>> {
        let Some(name) = &self.terminal else { return Ok(open.last().map(|one| one.id)) };
        let mut fit = open.iter().filter(|one| one.id.to_string().starts_with(name.as_str()));
        match (fit.next(), fit.next()) {
            (Some(one), None) => Ok(Some(one.id)),
            (None, _) => bail!("No terminal {name} is open here."),
            (Some(_), Some(_)) => bail!("Several terminals begin with {name}; write more of it."),
        }
    }
}

impl AgentLink {
    /// Comes to a terminal, which is drawn for the client's window.
    pub(super) async fn join(
        &self,
        words: &str,
        (cols, rows): (u16, u16),
        session: SessionId,
    ) -> anyhow::Result<Opening> {
        let asked = Asked::read(words)?;
        let began = super::lock(&self.waiting.0).remove(&session);
        let began = began.context("The session has ended")?;
        self.require_key().await?;
        let place = self.fleet.0.app.agent_to_join(&self.actor, self.agent, asked.coming).await?;
        let mut open = self.fleet.terminals(self.workspace);
        open.retain(|one| one.agent == self.agent);
        let only_looks = asked.coming == Coming::Watch || place.rank == Part::Watcher;
        let terminal = match asked.find(&open)? {
            Some(found) => found,
            None if only_looks => bail!("No terminal is open here."),
            None => TerminalId(self.fleet.0.entropy.uuid4()),
        };
        let window = if cols == 0 || rows == 0 { USUAL } else { (cols, rows) };
        let attach = Attach {
            user: self.user.clone(),
            actor: self.actor.clone(),
            place,
            coming: asked.coming,
            agent: self.agent,
            terminal,
            cols: window.0,
            rows: window.1,
            command: None,
            address: self.address.clone(),
            client: began.client,
            // A key opened it, no provider and no second factor.
            shown: self.shown(),
            showing: Showing::Drawn,
        };
        let Came { live, stream, chair } =
            self.fleet.come(attach, began.kind, Some(session)).await?;
        let drawn = self.fleet.draw((stream, &live), (chair, self.actor.clone()), window);
        Ok(Opening { stream: Box::new(Cut::new(drawn, Arc::clone(&live))), port: 0 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_terminal_and_what_one_comes_for_are_read_in_any_order() {
        let read = |words| Asked::read(words).map(|asked| (asked.terminal, asked.coming)).ok();
        let named = Some("1f".to_owned());
        assert_eq!(read(""), Some((None, Coming::Join)));
        assert_eq!(read(" --watch"), Some((None, Coming::Watch)));
        assert_eq!(read(" 1f"), Some((named.clone(), Coming::Join)));
        assert_eq!(read(" --watch  1f "), Some((named, Coming::Watch)));
        assert_eq!((read("1f 2f"), read("--type")), (None, None));
    }
}
