//! Resources: what a token is for, by URL ([RFC 8707](https://www.rfc-editor.org/rfc/rfc8707)).
//!
//! Clients spell one URL in several ways, so it is brought into a canonical form before it is compared: scheme and host in lower case, no default port, no single slash at the end.
//! The path is compared as it was sent: nothing is decoded and no dot segment is resolved.

use std::fmt;

use portcullis_base::{Origin, Slug};
use thiserror::Error;
use url::Url;

/// The longest resource, in bytes.
const MAX_LENGTH: usize = 2048;

/// What follows the slug of a toolset in the URL of its MCP endpoint.
const ENDPOINT: &str = "/mcp";

/// The parameter of an endpoint's URL by which a client asks for the tools with some tags only.
pub const TAGS: &str = "tags";

/// The longest query that is taken for a part of an endpoint's name, in bytes.
const MAX_QUERY: usize = 512;

/// Returns the query of an endpoint's URL where clients may take it for a part of the resource's name: it asks for tags, and nothing else.
///
/// A client may compare the `resource` of the metadata with the URL that it was given, to the letter (RFC 9728 §3.3), and then names that resource when it asks for a token.
/// The resource is the toolset all the same: whoever may have a token for some of its tools may have one for all.
#[must_use]
pub fn naming_query(query: Option<&str>) -> Option<&str> {
    let is_plain = |b: u8| b.is_ascii_alphanumeric() || b"-._~%,+=&".contains(&b);
    let is_tags = |pair: &str| {
        pair.strip_prefix(TAGS)
            .is_some_and(|it| it.starts_with('='))
    };
    query.filter(|query| {
        query.len() <= MAX_QUERY && query.bytes().all(is_plain) && query.split('&').all(is_tags)
    })
}

/// A resource in canonical form.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Resource(String);

/// The text is no resource.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
#[error("`resource` must be one absolute http or https URL without user information and fragment")]
pub struct InvalidResource;

impl Resource {
    /// Reads `resource`.
    ///
    /// # Errors
    ///
    /// When it is no absolute `http` or `https` URL, has user information or a fragment, or its host is not written as it would be looked up.
    pub fn parse(text: &str) -> Result<Self, InvalidResource> {
        // Whatever the reader of URLs would mend (white space, backslashes) is refused here.
        let is_plain = text
            .bytes()
            .all(|b| b.is_ascii_graphic() && !b"\\#".contains(&b));
        if text.len() > MAX_LENGTH || !is_plain {
            return Err(InvalidResource);
        }
        let (scheme, rest) = text.split_once("://").ok_or(InvalidResource)?;
        let url = Url::parse(text).map_err(|_| InvalidResource)?;
        let end = rest.find(['/', '?']).unwrap_or(rest.len());
        let (authority, path) = rest.split_at_checked(end).ok_or(InvalidResource)?;
        let is_web =
            matches!(url.scheme(), "http" | "https") && scheme.eq_ignore_ascii_case(url.scheme());
        if !is_web || !is_host(&url, authority) {
            return Err(InvalidResource);
        }
        let origin = url.origin().ascii_serialization();
        Ok(Self(format!("{origin}{}", without_slash(path))))
    }

    /// Returns the resource of a toolset: the URL of its MCP endpoint.
    #[must_use]
    pub fn of_toolset(public_url: &Origin, toolset: &Slug) -> Self {
        Self(format!("{public_url}/{toolset}{ENDPOINT}"))
    }

    /// Returns the slug of the toolset whose MCP endpoint this is; none where it is anything else.
    ///
    /// Whether there is such a toolset is not judged here.
    #[must_use]
    pub fn toolset_of(&self, public_url: &Origin) -> Option<&str> {
        let path = self
            .0
            .strip_prefix(public_url.as_str())?
            .strip_prefix('/')?;
        let path = match path.split_once('?') {
            None => path,
            Some((path, query)) => {
                naming_query(Some(query))?;
                without_slash(path)
            }
        };
        let slug = path.strip_suffix(ENDPOINT)?;
        Slug::parse(slug).is_ok().then_some(slug)
    }

    /// Returns the canonical text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Tells whether an authority is the host of the URL as it was read, but for case, and at most a port.
fn is_host(url: &Url, authority: &str) -> bool {
    let host = url.host_str().unwrap_or_default();
    let Some((seen, port)) = authority.split_at_checked(host.len()) else {
        return false;
    };
    seen.eq_ignore_ascii_case(host) && (port.is_empty() || port.starts_with(':'))
}

/// Takes the slash off the end of a path, where there is exactly one.
fn without_slash(path: &str) -> &str {
    match path.strip_suffix('/') {
        Some(shorter) if !path.contains('?') && !shorter.ends_with('/') => shorter,
        _ => path,
    }
}

impl fmt::Display for Resource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn canonical(text: &str) -> Option<String> {
        Resource::parse(text).ok().map(|resource| resource.0)
    }

    fn toolset(text: &str, public_url: &str) -> Option<String> {
        let public_url = Origin::parse(public_url).unwrap();
        let resource = Resource::parse(text).ok()?;
        resource.toolset_of(&public_url).map(str::to_owned)
    }

    #[test]
    fn one_resource_has_one_form() {
        for (text, expected) in [
            (
                "HTTPS://MCP.Example:443/pets/mcp/",
                "https://mcp.example/pets/mcp",
            ),
            ("http://mcp.example:80", "http://mcp.example"),
            ("http://mcp.example:8080/", "http://mcp.example:8080"),
            ("http://[::1]:80/A%2fb", "http://[::1]/A%2fb"),
            (
                "https://mcp.example/pets/mcp//",
                "https://mcp.example/pets/mcp//",
            ),
            (
                "https://mcp.example/pets/mcp?a=/",
                "https://mcp.example/pets/mcp?a=/",
            ),
            ("https://mcp.example?a", "https://mcp.example?a"),
            ("https://mcp.example/a/../b", "https://mcp.example/a/../b"),
        ] {
            assert_eq!(canonical(text).as_deref(), Some(expected), "{text}");
        }
    }

    #[test]
    fn j_03_what_is_no_absolute_url_is_no_resource() {
        for text in [
            "",
            "pets",
            "/pets/mcp",
            "//mcp.example/pets/mcp",
            "https:/mcp.example/pets/mcp",
            "https:mcp.example/pets/mcp",
            "https:///mcp.example/pets/mcp",
            "https://mcp.example/pets/mcp#",
            "https://mcp.example/pets/mcp#f",
            "https://u@mcp.example/pets/mcp",
            "https://@mcp.example/pets/mcp",
            "ftp://mcp.example/pets/mcp",
            "urn:pets",
            " https://mcp.example/pets/mcp",
            "https://mcp.example/pets/mcp https://mcp.example/cats/mcp",
            "https://mcp.example\\pets\\mcp",
            "https://mcp.example/pets/mcp\n",
            "https://mcp\u{3002}example/pets/mcp",
            "https://0x7f.1/pets/mcp",
            "https://mcp.example:99999/pets/mcp",
            &format!("https://mcp.example/{}", "a".repeat(2048)),
        ] {
            assert_eq!(Resource::parse(text), Err(InvalidResource), "{text:?}");
        }
    }

    #[test]
    fn j_01_j_03_only_the_exact_endpoint_names_a_toolset() {
        let ours = "https://mcp.example";
        for text in [
            "https://mcp.example/pets/mcp",
            "https://mcp.example/pets/mcp/",
            "HTTPS://MCP.EXAMPLE:443/pets/mcp",
            "https://mcp.example/pets/mcp?tags=a,b%20c",
            "https://mcp.example/pets/mcp/?tags=a&tags=b",
        ] {
            assert_eq!(toolset(text, ours).as_deref(), Some("pets"), "{text}");
        }
        for text in [
            "https://mcp.example",
            "https://mcp.example/mcp",
            "https://mcp.example//mcp",
            "https://mcp.example/pets",
            "https://mcp.example/pets/mcp-v2",
            "https://mcp.example/pets/mcp/x",
            "https://mcp.example/pets/mcp//",
            "https://mcp.example/pets/mcp?x",
            "https://mcp.example/pets/mcp?",
            "https://mcp.example/pets/mcp?tags",
            "https://mcp.example/pets/mcp?tags=a&x=1",
            "https://mcp.example/pets/mcp?tagsx=a",
            "https://mcp.example/pets/mcp//?tags=a",
            "https://mcp.example/cats/pets/mcp?tags=a",
            "https://mcp.example/cats?tags=/pets/mcp",
            "https://mcp.example/pets/mcp?tags=a?b",
            "https://mcp.example/pets/mcp?tags=\"a\"",
            "https://mcp.example/pets/MCP",
            "https://mcp.example/Pets/mcp",
            "https://mcp.example/a/pets/mcp",
            "https://mcp.example/a/../pets/mcp",
            "https://mcp.example/%70ets/mcp",
            "https://mcp.example/pets;x/mcp",
            "https://mcp.example:444/pets/mcp",
            "https://mcp.example.evil.example/pets/mcp",
            "https://evil.example/pets/mcp",
            "http://mcp.example/pets/mcp",
        ] {
            assert_eq!(toolset(text, ours), None, "{text}");
        }
        // A port that begins like ours is another port.
        assert_eq!(
            toolset("http://localhost:80801/pets/mcp", "http://localhost:8080"),
            None
        );
    }

    proptest! {
        #[test]
        fn the_canonical_form_is_its_own(text in "[hH]ttps?://[a-zA-Z0-9.:@]{0,12}[a-z./?%]{0,12}") {
            if let Ok(resource) = Resource::parse(&text) {
                prop_assert_eq!(Resource::parse(resource.as_str()), Ok(resource));
            }
        }
    }
}
