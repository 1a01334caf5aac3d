//! Says for people what separates two revisions.

use std::fmt;

use super::{ChangedTool, RenamedTool, ToolChange, ToolDifference};

impl ToolDifference {
    /// Tells whether nothing differs that anybody sees.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Tells whether callers may have to change something.
    #[must_use]
    pub fn breaks(&self) -> bool {
        !self.removed.is_empty()
            || !self.renamed.is_empty()
            || self.breaking_tools() > 0
            || self.document.iter().any(|it| it.breaks)
    }

    /// Counts the changed tools that break callers.
    fn breaking_tools(&self) -> usize {
        let breaks = |tool: &&ChangedTool| tool.changes.iter().any(|it| it.breaks);
        self.changed.iter().filter(breaks).count()
    }

    /// Says in one line how much differs.
    #[must_use]
    pub fn summary(&self) -> String {
        let mut parts = Vec::new();
        let mut count = |sign: &str, count: usize, what: &str| {
            if count > 0 {
                let plural = if count == 1 { "" } else { "s" };
                parts.push(format!("{sign} {count} tool{plural}{what}"));
            }
        };
        count("+", self.added.len(), "");
        let breaking = match self.breaking_tools() {
            0 => " changed".to_owned(),
            1 => " changed (1 breaks callers)".to_owned(),
            some => format!(" changed ({some} break callers)"),
        };
        count("~", self.changed.len(), &breaking);
        count(">", self.renamed.len(), " renamed");
        count("-", self.removed.len(), "");
        if parts.is_empty() {
            let itself = ", but what the document says of itself";
            let itself = if self.document.is_empty() { "" } else { itself };
            return format!("no tool changed{itself}");
        }
        parts.join(", ")
    }
}

/// Writes it for people, a line for each tool and each change.
impl fmt::Display for ToolDifference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for change in &self.document {
            writeln!(f, "~ document")?;
            writeln!(f, "{change}")?;
        }
        for name in &self.added {
            writeln!(f, "+ {name}")?;
        }
        for RenamedTool { from, to } in &self.renamed {
            writeln!(f, "> {from} is called {to}")?;
        }
        for ChangedTool { name, changes } in &self.changed {
            writeln!(f, "~ {name}")?;
            for change in changes {
                writeln!(f, "{change}")?;
            }
        }
        for name in &self.removed {
            writeln!(f, "- {name}")?;
        }
        Ok(())
    }
}

impl fmt::Display for ToolChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = if self.breaks { "breaks" } else { "" };
        write!(f, "    {word:<7}{}", self.text)
    }
}
