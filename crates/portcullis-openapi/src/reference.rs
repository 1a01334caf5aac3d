//! `$ref`s within the document; what lies outside of it is refused, never fetched.

use serde_json::Value;

use crate::pointer::{from_fragment, resolve};

/// `$ref`s of `$ref`s that are followed.
const MAX_HOPS: usize = 32;

/// Why a `$ref` leads nowhere.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ReferenceError {
    #[error("`{0}` is outside of this document and was not taken into it")]
    External(String),
    #[error("`{0}` names nothing in this document")]
    Dangling(String),
    #[error("`{0}` leads back to itself")]
    Circular(String),
}

impl ReferenceError {
    /// Returns the code of the diagnostic.
    pub(crate) fn code(&self) -> &'static str {
        match self {
            Self::External(_) => "external-reference",
            Self::Dangling(_) => "dangling-reference",
            Self::Circular(_) => "circular-reference",
        }
    }
}

/// What a `$ref` leads to.
#[derive(Clone, Debug)]
pub(crate) struct Target<'d> {
    pub(crate) value: &'d Value,
    pub(crate) pointer: String,
}

/// Returns the text of a value's `$ref`, where it has one.
pub(crate) fn reference(value: &Value) -> Option<&str> {
    value.get("$ref")?.as_str()
}

/// Finds what one local reference names.
pub(crate) fn target<'d>(root: &'d Value, reference: &str) -> Result<Target<'d>, ReferenceError> {
    let Some(fragment) = reference.strip_prefix('#') else {
        return Err(ReferenceError::External(reference.to_owned()));
    };
    from_fragment(fragment)
        .and_then(|pointer| {
            Some(Target {
                value: resolve(root, &pointer)?,
                pointer,
            })
        })
        .ok_or_else(|| ReferenceError::Dangling(reference.to_owned()))
}

/// A schema that references are tried in which name nothing in the document: `#/$defs/…` of schemas that were written for themselves.
#[derive(Clone, Debug)]
pub(crate) struct Base<'d> {
    pub(crate) schema: &'d Value,
    pub(crate) pointer: String,
}

/// Finds what a reference of a schema names, in the document or else in the schema's base.
pub(crate) fn target_near<'d>(
    root: &'d Value,
    base: &Base<'d>,
    reference: &str,
) -> Result<(Target<'d>, Found), ReferenceError> {
    let error = match target(root, reference) {
        Ok(target) => return Ok((target, Found::InDocument)),
        Err(error) => error,
    };
    let mut near = target(base.schema, reference).map_err(|_| error)?;
    near.pointer.insert_str(0, &base.pointer);
    Ok((near, Found::InBase))
}

/// Where a reference was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Found {
    InDocument,
    InBase,
}

/// Follows a value's `$ref`s to the end; a value without one is its own end, at `pointer`.
pub(crate) fn follow<'d>(
    root: &'d Value,
    value: &'d Value,
    pointer: String,
) -> Result<Target<'d>, ReferenceError> {
    let mut end = Target { value, pointer };
    for _ in 0..MAX_HOPS {
        match reference(end.value) {
            None => return Ok(end),
            Some(text) => end = target(root, text)?,
        }
    }
    Err(ReferenceError::Circular(
        reference(value).unwrap_or_default().to_owned(),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn s_07_a_reference_to_another_place_is_refused() {
        let root = json!({});
        for text in [
            "http://169.254.169.254/x",
            "file:///etc/passwd",
            "other.yaml#/a",
            "//host/a",
            "",
        ] {
            assert_eq!(
                target(&root, text).unwrap_err().code(),
                "external-reference",
                "{text}"
            );
        }
    }

    #[test]
    fn references_are_followed_to_the_end() {
        let root = json!({"a": {"$ref": "#/b"}, "b": {"$ref": "#/c~1d"}, "c/d": {"x": 1}});
        let end = follow(&root, &root["a"], "/a".to_owned()).unwrap();
        assert_eq!(
            (end.value, end.pointer.as_str()),
            (&json!({"x": 1}), "/c~1d")
        );
    }

    #[test]
    fn references_in_a_circle_end() {
        let root = json!({"a": {"$ref": "#/b"}, "b": {"$ref": "#/a"}});
        assert_eq!(
            follow(&root, &root["a"], String::new()).unwrap_err().code(),
            "circular-reference"
        );
    }
}
