//! The change of a configuration file by which a toolset takes a provider's own tokens; comments and order stay.
//!
//! Decides about the text alone: whether the result can be used is for whoever reads it as a configuration, before it is written.

use portcullis_base::Slug;
use thiserror::Error;
use toml_edit::{Array, DocumentMut, Item, Table, TableLike, TomlError, Value};

/// What is attached to what.
#[derive(Clone, Copy, Debug)]
pub struct Attachment<'a> {
    /// The manifest.
    pub manifest: &'a Slug,
    /// Its table, with its head, for a file that does not have it yet.
    pub table: Option<&'a str>,
    /// The toolset.
    pub toolset: &'a Slug,
}

/// A file as it would be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edited {
    /// The whole text.
    pub text: String,
    /// What changes, a line for each.
    pub changes: Vec<String>,
    /// The ways in that were there and are no more.
    pub closed: Vec<String>,
}

/// Why a file cannot be changed.
#[derive(Debug, Error)]
pub enum AttachError {
    /// It is no TOML.
    #[error("the configuration file cannot be read: {0}")]
    Toml(#[from] TomlError),
    /// The toolset is not there.
    #[error("there is no table `[toolsets.{0}]` in the configuration file")]
    NoToolset(Slug),
    /// The manifest is not there, and nothing is known of it.
    #[error(
        "there is no table `[manifests.{0}]` in the configuration file; attach the file that `portcullis manifest create` wrote, or describe it there"
    )]
    NoManifest(Slug),
    /// Something stands where a table should.
    #[error("`{0}` in the configuration file is not what it should be")]
    Form(&'static str),
}

/// The ways in that do not go together with a provider's tokens.
const REPLACED: [&str; 2] = ["oauth", "open"];

/// The way in of holders of a provider's tokens.
const EXTERNAL: &str = "external";

impl Attachment<'_> {
    /// Changes the text of a configuration file.
    ///
    /// # Errors
    ///
    /// When the text is no TOML, or lacks what the change is about.
    pub fn edited(&self, text: &str) -> Result<Edited, AttachError> {
        let mut document: DocumentMut = text.parse()?;
        let mut changes = Vec::new();
        self.add_manifest(&mut document, &mut changes)?;
        let toolset = document.get_mut("toolsets");
        let toolset = toolset.and_then(|it| it.as_table_like_mut()?.get_mut(self.toolset.as_str()));
        let toolset = toolset.and_then(Item::as_table_like_mut);
        let toolset = toolset.ok_or_else(|| AttachError::NoToolset(self.toolset.clone()))?;
        let closed = self.open(toolset, &mut changes)?;
        self.name_manifest(toolset, &mut changes);
        Ok(Edited {
            text: document.to_string(),
            changes,
            closed,
        })
    }

    fn add_manifest(
        &self,
        document: &mut DocumentMut,
        changes: &mut Vec<String>,
    ) -> Result<(), AttachError> {
        let slug = self.manifest.as_str();
        let manifests = document.entry("manifests").or_insert_with(|| {
            let mut table = Table::new();
            table.set_implicit(true);
            Item::Table(table)
        });
        let manifests = manifests.as_table_like_mut();
        let manifests = manifests.ok_or(AttachError::Form("manifests"))?;
        if manifests.contains_key(slug) {
            return Ok(());
        }
        let table = self.table;
        let table = table.ok_or_else(|| AttachError::NoManifest(self.manifest.clone()))?;
        let parsed: DocumentMut = table.parse()?;
        let described = parsed.get("manifests").and_then(|it| it.get(slug));
        let described = described.ok_or(AttachError::Form("manifests"))?.clone();
        let described = described.into_table();
        let mut described = described.map_err(|_| AttachError::Form("manifests"))?;
        // Behind everything that is there, and not where it stood in its own text.
        described.set_position(None);
        described.decor_mut().set_prefix("\n");
        manifests.insert(slug, Item::Table(described));
        changes.extend(table.lines().map(|line| format!("+ {line}")));
        Ok(())
    }

    /// Adds the way in, takes those away that do not go with it, and returns them.
    fn open(
        &self,
        toolset: &mut dyn TableLike,
        changes: &mut Vec<String>,
    ) -> Result<Vec<String>, AttachError> {
        let written = toolset.entry("inbound").or_insert_with(|| {
            // What holds where nothing is said.
            Item::Value(Value::Array(Array::from_iter(["api_key"])))
        });
        let ways = written.as_array_mut();
        let ways = ways.ok_or(AttachError::Form("inbound"))?;
        let before = names(ways);
        let is_replaced = |way: &Value| way.as_str().is_some_and(|way| REPLACED.contains(&way));
        let closed = ways.iter().filter(|way| is_replaced(way));
        let closed = closed
            .filter_map(Value::as_str)
            .map(str::to_owned)
            .collect();
        ways.retain(|way| !is_replaced(way));
        if !ways.iter().any(|way| way.as_str() == Some(EXTERNAL)) {
            ways.push(EXTERNAL);
        }
        // A list on one line has nothing between its values that could be lost.
        if !ways.iter().any(|way| way.to_string().contains('\n')) {
            ways.fmt();
        }
        let after = names(ways);
        if before != after {
            changes.push(format!(
                "~ toolset {}: inbound = {after:?} instead of {before:?}",
                self.toolset
            ));
        }
        Ok(closed)
    }

    fn name_manifest(&self, toolset: &mut dyn TableLike, changes: &mut Vec<String>) {
        let slug = self.manifest.as_str();
        let named = toolset.get("manifest").and_then(Item::as_str);
        if named != Some(slug) {
            toolset.insert("manifest", toml_edit::value(slug));
            changes.push(format!("~ toolset {}: manifest = {slug:?}", self.toolset));
        }
        if let Some(provider) = toolset.remove("provider") {
            let provider = provider.as_str().unwrap_or_default();
            changes.push(format!(
                "~ toolset {}: without provider = {provider:?}",
                self.toolset
            ));
        }
    }
}

fn names(ways: &Array) -> Vec<String> {
    let names = ways.iter().filter_map(Value::as_str);
    names.map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &str =
        "[manifests.acme]\nfile = \"acme.json\"\n# by their signatures\nvalidation = \"jwt\"\n";

    fn edit(text: &str, table: Option<&str>) -> Result<Edited, AttachError> {
        let slug = |text| Slug::parse(text).unwrap();
        let attachment = Attachment {
            manifest: &slug("acme"),
            table,
            toolset: &slug("pets"),
        };
        attachment.edited(text)
    }

    #[test]
    fn comments_and_order_stay() {
        let text = "\
# what we serve
[toolsets.pets] # all of them
documents = [\"pets\"]
# people, and machines
inbound = [\"oauth\", \"api_key\"]
provider = \"idp\"

[documents.pets]
file = \"pets.yaml\" # theirs
";
        let edited = edit(text, Some(TABLE)).unwrap();
        insta::assert_snapshot!(edited.text, @r#"
        # what we serve
        [toolsets.pets] # all of them
        documents = ["pets"]
        # people, and machines
        inbound = ["api_key", "external"]
        manifest = "acme"

        [documents.pets]
        file = "pets.yaml" # theirs

        [manifests.acme]
        file = "acme.json"
        # by their signatures
        validation = "jwt"
        "#);
        assert_eq!(edited.closed, ["oauth"]);
        insta::assert_snapshot!(edited.changes.join("\n"), @r#"
        + [manifests.acme]
        + file = "acme.json"
        + # by their signatures
        + validation = "jwt"
        ~ toolset pets: inbound = ["api_key", "external"] instead of ["oauth", "api_key"]
        ~ toolset pets: manifest = "acme"
        ~ toolset pets: without provider = "idp"
        "#);
        let again = edit(&edited.text, Some(TABLE)).unwrap();
        assert_eq!(again.text, edited.text);
        assert!(again.changes.is_empty() && again.closed.is_empty());
    }

    #[test]
    fn keys_and_headers_stay_and_open_goes() {
        for (before, after, closed) in [
            ("", "[\"api_key\", \"external\"]", &[][..]),
            ("inbound = [\"open\"]", "[\"external\"]", &["open"]),
            (
                "inbound = [\"headers\"]",
                "[\"headers\", \"external\"]",
                &[],
            ),
            ("inbound = [\"external\"]", "[\"external\"]", &[]),
            (
                "inbound = [\n  \"open\", # all\n  \"headers\", # some\n]",
                "[ # all\n  \"headers\", \"external\", # some\n]",
                &["open"],
            ),
        ] {
            let text = format!("[manifests.acme]\nfile = \"a\"\n[toolsets.pets]\n{before}\n");
            let edited = edit(&text, None).unwrap();
            let expected = format!("inbound = {after}\nmanifest = \"acme\"\n");
            assert!(edited.text.contains(&expected), "{}", edited.text);
            assert_eq!(edited.closed, closed, "{before}");
            assert_eq!(edited.text.matches("[manifests").count(), 1);
        }
    }

    #[test]
    fn what_is_not_there_is_named() {
        let error = |text, table| edit(text, table).unwrap_err().to_string();
        assert!(error("[toolsets.other]", Some(TABLE)).contains("`[toolsets.pets]`"));
        assert!(error("[toolsets.pets]", None).contains("`[manifests.acme]`"));
        assert!(error("toolsets = 1", Some(TABLE)).contains("`[toolsets.pets]`"));
        assert!(error("manifests = 1", Some(TABLE)).contains("`manifests`"));
        assert!(error("[toolsets.pets]\ninbound = 1", Some(TABLE)).contains("`inbound`"));
        assert!(error("[", Some(TABLE)).contains("cannot be read"));
    }
}
