//! Health in words: what is wrong, and what to do about it.

use std::time::Duration;

use super::{Figures, State, Trouble};
use crate::model::time::words;

impl State {
    /// The state as a badge says it.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Ok => "OK",
            Self::Degraded => "Degraded",
            Self::Lost => "Lost",
        }
    }
}

impl Trouble {
    /// What is wrong, in a few words.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Disk => "disk almost full",
            Self::Inodes => "hardly room for more files",
            Self::Memory => "memory almost used up",
            Self::Load => "overloaded",
            Self::Temperature => "too hot",
            Self::Throttled => "slowed down",
            Self::UnderVoltage => "supply too weak",
            Self::Clock => "clock is off",
        }
    }

    /// What is wrong, in a sentence, by the last figures.
    #[must_use]
    pub fn said(self, figures: &Figures) -> String {
        match self {
            Self::Disk => {
                format!("The disk of its home directory is {} full.", percent(figures.disk()))
            }
            Self::Inodes => format!(
                "The disk of its home directory has {} of its inodes in use.",
                percent(figures.inodes())
            ),
            Self::Memory => format!("{} of its memory is in use.", percent(figures.memory())),
            Self::Load => format!(
                "For each core {:.1} programs run or wait to.",
                figures.load_a_core().unwrap_or_default()
            ),
            Self::Temperature => {
                format!("It is {:.0} °C hot.", figures.temperature.unwrap_or_default())
            }
            Self::Throttled => "It has slowed itself down.".to_owned(),
            Self::UnderVoltage => "The voltage of its supply is too low.".to_owned(),
            Self::Clock => clock(figures.ahead_ms.unwrap_or_default()),
        }
    }

    /// What to do about it.
    #[must_use]
    pub const fn advice(self) -> &'static str {
        match self {
            Self::Disk => {
                "Remove what is not needed, caches first, or give it a larger disk: when it is full, \
                 what programs write is lost."
            }
            Self::Inodes => {
                "Remove directories of many small files, caches first: then no file can be made, \
                 whatever room there is."
            }
            Self::Memory => {
                "End what is not needed, or give it more memory: the system ends programs when there \
                 is none left."
            }
            Self::Load => "End what is not needed, or wait for it: everything there is slow.",
            Self::Temperature => {
                "See to its fan, its heat sink and the air around it: it slows down, then switches off."
            }
            Self::Throttled => "It is too hot or its supply is too weak: see to both.",
            Self::UnderVoltage => {
                "Use the supply and the cable that its maker names: it slows down, and its card may \
                 lose what is written."
            }
            Self::Clock => {
                "Have it keep time, with timedatectl set-ntp true where there is systemd. If every \
                 machine is off by as much, it is the server's clock."
            }
        }
    }
}

/// What to do about a machine that is lost.
pub const LOST_ADVICE: &str =
    "See whether it has power and network. It comes back by itself when it reaches the server.";

/// What is wrong with a clock that is as many milliseconds ahead of the server's, or behind.
fn clock(ahead_ms: i64) -> String {
    format!("Its clock is {}.", offset(ahead_ms))
}

fn offset(ahead_ms: i64) -> String {
    let off = words(Duration::from_millis(ahead_ms.unsigned_abs()));
    let side = if ahead_ms < 0 { "behind" } else { "ahead of" };
    format!("{off} {side} the server's")
}

/// What the machine's own log is told of its clock.
#[must_use]
pub fn clock_for_machine(ahead_ms: i64) -> String {
    format!(
        "This machine's clock is {}. Certificates, tokens and builds go by time: have it keep time, \
         with timedatectl set-ntp true where there is systemd.",
        offset(ahead_ms)
    )
}

/// A share as a percentage.
#[must_use]
pub fn percent(share: Option<f64>) -> String {
    format!("{:.0} %", share.unwrap_or_default() * 100.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_is_said_with_its_figure() {
        let figures = Figures {
            disk_used: 94,
            disk_total: 100,
            temperature: Some(84.7),
            ahead_ms: Some(-7_200_000),
            cores: 4.0,
            load: Some(25.0),
            ..Figures::default()
        };
        let said = |trouble: Trouble| trouble.said(&figures);
        assert_eq!(said(Trouble::Disk), "The disk of its home directory is 94 % full.");
        assert_eq!(said(Trouble::Temperature), "It is 85 °C hot.");
        assert_eq!(said(Trouble::Clock), "Its clock is 2 h behind the server's.");
        assert_eq!(said(Trouble::Load), "For each core 6.2 programs run or wait to.");
        for trouble in Trouble::ALL {
            assert!(said(*trouble).ends_with('.') && trouble.advice().ends_with('.'));
        }
        assert!(clock_for_machine(31_000).starts_with("This machine's clock is 31 s ahead of"));
    }
}
