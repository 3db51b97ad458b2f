//! Editors on people's own machines that open a workspace by a link.

use super::user::define_words;

define_words! {
    /// An editor that has a plug-in for Coder, or comes by plain SSH. The words are the schemes of links.
    Editor {
        /// VS Code, with Coder's extension.
        Vscode = "vscode",
        /// What VS Code will be, with the same.
        VscodeInsiders = "vscode-insiders",
        /// Cursor, with the same.
        Cursor = "cursor",
        /// Windsurf, with the same.
        Windsurf = "windsurf",
        /// JetBrains' IDEs, with Coder's plug-in for Toolbox.
        Jetbrains = "jetbrains",
        /// Zed, by plain SSH.
        Zed = "zed",
    }
}

impl Editor {
    /// Those that are not VS Code.
    pub const OTHERS: [Self; 4] = [Self::Cursor, Self::Windsurf, Self::Jetbrains, Self::Zed];

    /// The name that people know.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Vscode => "VS Code",
            Self::VscodeInsiders => "VS Code Insiders",
            Self::Cursor => "Cursor",
            Self::Windsurf => "Windsurf",
            Self::Jetbrains => "JetBrains Toolbox",
            Self::Zed => "Zed",
        }
    }

    /// Whether its plug-in signs in with a token of the link's.
    #[must_use]
    pub const fn takes_token(self) -> bool {
        !matches!(self, Self::Zed)
    }
}
