//! The keys of the configuration file, each documented once: where it is declared.
//!
//! [`table!`] makes of one declaration the type that the file is read into and the text that `docs/configuration.md` is made from.

use std::fmt::Write as _;

/// A table of the configuration file, for people.
#[derive(Clone, Copy, Debug)]
pub(super) struct Table {
    /// The header, such as `listener.tls`; empty for the top of the file.
    pub(super) path: &'static str,
    /// What it is for.
    pub(super) about: &'static str,
    /// Its keys, without the tables in it.
    pub(super) keys: &'static [Key],
}

/// A key of a [`Table`], for people.
#[derive(Clone, Copy, Debug)]
pub(super) struct Key {
    /// The name.
    pub(super) name: &'static str,
    /// A value as it could stand in the file.
    pub(super) example: &'static str,
    /// What it decides, and what holds where it is absent.
    pub(super) about: &'static str,
}

/// Declares a table of the configuration file: each key with its documentation, its type, and a value for the example; then the tables in it.
macro_rules! table {
    (
        $(#[doc = $about:literal])+
        $name:ident = $path:literal {
            $($(#[doc = $doc:literal])+ $key:ident: $type:ty = $example:literal,)*
        }
        $(tables { $($(#[doc = $table_doc:literal])+ $table:ident: $table_type:ty,)* })?
    ) => {
        $(#[doc = $about])+
        #[derive(Debug, Default, serde::Deserialize)]
        #[serde(default, deny_unknown_fields)]
        pub(in crate::config) struct $name {
            $($(#[doc = $doc])+ pub(in crate::config) $key: $type,)*
            $($($(#[doc = $table_doc])+ pub(in crate::config) $table: $table_type,)*)?
        }

        impl $name {
            /// What people read about the table.
            pub(in crate::config) const REFERENCE: $crate::config::reference::Table =
                $crate::config::reference::Table {
                    path: $path,
                    about: concat!($($about, "\n"),+),
                    keys: &[$($crate::config::reference::Key {
                        name: stringify!($key),
                        example: $example,
                        about: concat!($($doc, "\n"),+),
                    }),*],
                };
        }
    };
}
pub(super) use table;

/// Returns the reference of the configuration file in Markdown: `docs/configuration.md`.
#[must_use]
pub fn markdown() -> String {
    let mut text = INTRODUCTION.to_owned();
    text.push_str("\n```toml\n");
    for table in super::file::TABLES {
        if !table.path.is_empty() {
            let _ = writeln!(text, "\n[{}]", table.path);
        }
        for key in table.keys {
            let _ = writeln!(text, "{} = {}", key.name, key.example);
        }
    }
    text.push_str("```\n");
    for table in super::file::TABLES {
        let title = match table.path {
            "" => "The top of the file".to_owned(),
            path => format!("`[{path}]`"),
        };
        let _ = writeln!(text, "\n## {title}\n\n{}", trimmed(table.about));
        for key in table.keys {
            let about = trimmed(key.about);
            let _ = writeln!(text, "\n### `{}`\n\n{about}", key.name);
        }
    }
    text
}

/// Takes away the blank with which each line of a doc comment begins.
fn trimmed(about: &str) -> String {
    let lines: Vec<&str> = about.trim().lines().map(str::trim).collect();
    lines.join("\n")
}

const INTRODUCTION: &str = include_str!("introduction.md");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_in_docs_is_the_one_that_the_keys_make() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/configuration.md");
        let page = std::fs::read_to_string(path).unwrap_or_default();
        assert!(
            page == markdown(),
            "write it anew: cargo run -- reference > docs/configuration.md"
        );
    }
}
