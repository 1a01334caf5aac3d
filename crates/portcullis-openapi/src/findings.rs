//! What each code of a finding means, and how to mend it: the one place where a code is declared.
//!
//! `docs/openapi.md` shows the table, and `portcullis check` prints it beside what it found; a test holds each in step.
//! A remark whose code or severity does not stand here fails every test that meets it.

use std::fmt::Write as _;

use crate::diagnostic::Severity;
use Severity::{Error, Note, Warning};

/// One kind of finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The stable word for programs.
    pub code: &'static str,
    /// How much it may cost, the least first.
    pub severities: &'static [Severity],
    /// What is found, and what comes of it.
    pub meaning: &'static str,
    /// What to do about it.
    pub remedy: &'static str,
}

/// Every finding, by code.
pub const FINDINGS: &[Finding] = &[
    Finding {
        code: "bad-collection-format",
        severities: &[Warning],
        meaning: "A `collectionFormat` of Swagger 2.0 does not exist at its place. The items are joined by commas.",
        remedy: "Take `csv`, `ssv`, `tsv` or `pipes`; in a query or form also `multi`.",
    },
    Finding {
        code: "bad-enum",
        severities: &[Warning],
        meaning: "`enum` is no list, or an empty one. It is left out, and any value is accepted.",
        remedy: "List the values that are allowed, or remove `enum`.",
    },
    Finding {
        code: "bad-parameter",
        severities: &[Warning],
        meaning: "A parameter has no `name`, or an `in` that does not exist. It is left out.",
        remedy: "Give it a `name`, and an `in` of `path`, `query`, `header` or `cookie`.",
    },
    Finding {
        code: "bad-style",
        severities: &[Warning],
        meaning: "The parameter's `style` does not exist at its place. The usual style of the place is used.",
        remedy: "Take a style that the OpenAPI specification has for this `in`.",
    },
    Finding {
        code: "body-and-form",
        severities: &[Warning],
        meaning: "An operation of Swagger 2.0 has a body and fields of a form. Only one of them is sent: the form where it has a file, else the body.",
        remedy: "Remove the parameters that the API does not read.",
    },
    Finding {
        code: "body-without-content",
        severities: &[Warning],
        meaning: "The request body names no media type. The tool sends no body.",
        remedy: "Describe the body under `content`, by its media type.",
    },
    Finding {
        code: "boolean-required",
        severities: &[Note],
        meaning: "`required` stands as `true` or `false` in a schema. It is left out.",
        remedy: "List the names of the required properties in the schema that has the `properties`.",
    },
    Finding {
        code: "circular-reference",
        severities: &[Warning, Error],
        meaning: "References lead back to where they began, with nothing between. What refers is left out, or accepts any value.",
        remedy: "Let one of the references name what is meant.",
    },
    Finding {
        code: "dangling-reference",
        severities: &[Warning, Error],
        meaning: "A `$ref` names nothing that is there. What refers is left out, or accepts any value.",
        remedy: "Correct the pointer behind `#`, or add what it names.",
    },
    Finding {
        code: "descriptions-cut",
        severities: &[Note],
        meaning: "The input schemas of some tools are larger than what a model is given. It sees them without the descriptions of what lies deep within.",
        remedy: "Nothing is to be done. To have all descriptions shown, make them shorter.",
    },
    Finding {
        code: "duplicate-key",
        severities: &[Warning],
        meaning: "A key stands twice in one object. The last one is used.",
        remedy: "Remove one of them.",
    },
    Finding {
        code: "dynamic-reference",
        severities: &[Note],
        meaning: "A `$dynamicRef` names several schemas. Any value is accepted.",
        remedy: "Refer by `$ref` to the schema that is meant.",
    },
    Finding {
        code: "external-reference",
        severities: &[Warning, Error],
        meaning: "A `$ref` leads to another origin, to a file by its absolute URL, or to a file that could not be read. Nothing is fetched for it; what refers is left out, or accepts any value.",
        remedy: "Put the file beside the document, and refer to it by a relative path; or bundle all of it into one document.",
    },
    Finding {
        code: "flow-ignored",
        severities: &[Note],
        meaning: "A scheme has the device authorization flow of OAuth, which is not used. Its other flows are.",
        remedy: "Nothing is to be done, as long as the scheme has another flow that fits.",
    },
    Finding {
        code: "missing-file",
        severities: &[Warning],
        meaning: "A file that the document refers to is not there, cannot be read, or is reached by a link out of the folder. It is told of once, at the first place that refers to it.",
        remedy: "Put the file where the reference says, below the document's folder or in its archive; where the files begin further up, name that folder by `folder`.",
    },
    Finding {
        code: "more-diagnostics",
        severities: &[Note],
        meaning: "There is more to be said of the document than is kept.",
        remedy: "Mend what is told of, and look again.",
    },
    Finding {
        code: "no-paths",
        severities: &[Note],
        meaning: "The document has no `paths`, and therefore no tools.",
        remedy: "Name the document that describes the API's paths.",
    },
    Finding {
        code: "operation-not-object",
        severities: &[Error],
        meaning: "What stands under a method is no object. It does not become a tool.",
        remedy: "Describe the operation there, or remove the method.",
    },
    Finding {
        code: "parameter-not-an-argument",
        severities: &[Note],
        meaning: "The parameter is not asked of the model: it carries authority, is a credential that Portcullis attaches, is said by another part of the operation, or has no legal name.",
        remedy: "Nothing is to be done. A value that every call shall have is set as a credential of the document.",
    },
    Finding {
        code: "path-not-object",
        severities: &[Error],
        meaning: "What stands under a path is no object. Its operations do not become tools.",
        remedy: "Describe the path's operations there, or remove the path.",
    },
    Finding {
        code: "pattern-dropped",
        severities: &[Warning],
        meaning: "A `pattern` is no regular expression that runs in linear time. It is left out, and the API judges the value; `not` around it is left out as well, and `oneOf` is read as `anyOf`.",
        remedy: "Write the pattern without look-around, back references and what only one language knows, such as `\\p{XDigit}` of Java.",
    },
    Finding {
        code: "reference-into-root",
        severities: &[Warning],
        meaning: "A `$ref` with only a fragment names nothing in its own file, but something in the document. It is read as a part of the document.",
        remedy: "Write the document's file name before `#`.",
    },
    Finding {
        code: "reference-outside",
        severities: &[Warning],
        meaning: "A `$ref` leads out of the folder, the archive or the origin of the document. It is not followed.",
        remedy: "Move the file below the folder; or name a folder that holds both by `folder`.",
    },
    Finding {
        code: "refused-by-anthropic",
        severities: &[Warning],
        meaning: "Anthropic refuses the input schemas of some tools, and with them every request that offers one. Portcullis writes schemas so that this does not happen.",
        remedy: "Report the document as a defect of Portcullis.",
    },
    Finding {
        code: "refused-by-openai",
        severities: &[Warning],
        meaning: "OpenAI refuses the input schemas of some tools, and with them every request that offers one. Portcullis writes schemas so that this does not happen.",
        remedy: "Report the document as a defect of Portcullis.",
    },
    Finding {
        code: "rewritten-for-gemini",
        severities: &[Note],
        meaning: "The input schemas of some tools have what Gemini does not take. Clients rewrite them for it; what they leave out is still held against calls.",
        remedy: "Nothing is to be done, unless a client hands schemas to Gemini as they are.",
    },
    Finding {
        code: "schema-cut",
        severities: &[Note],
        meaning: "The input schemas of some tools are larger than what a model is given. It sees them with parts left open that say so; calls are held against the whole of them.",
        remedy: "Nothing is to be done. To have all of it shown, make the schemas smaller.",
    },
    Finding {
        code: "schema-not-object",
        severities: &[Warning],
        meaning: "A schema is neither an object nor a boolean. Any value is accepted.",
        remedy: "Write a schema, for example `type: string`.",
    },
    Finding {
        code: "schemas-too-large",
        severities: &[Error],
        meaning: "The schemas of all tools together are too large. This operation does not become a tool.",
        remedy: "Split the document into several.",
    },
    Finding {
        code: "server-variable-without-default",
        severities: &[Warning],
        meaning: "A variable in a server's URL has no `default`. The address of the operations there is known only once the operator sets the variable.",
        remedy: "Give the variable a `default` in the document, or set it in the environment of the toolset; `portcullis check` names it.",
    },
    Finding {
        code: "several-bodies",
        severities: &[Warning],
        meaning: "An operation of Swagger 2.0 has several bodies. They are sent as members of one object, each by its name.",
        remedy: "Describe one body, with an object as its schema.",
    },
    Finding {
        code: "too-many-operations",
        severities: &[Error],
        meaning: "The document has more operations than a document may have. The last ones do not become tools.",
        remedy: "Split the document into several.",
    },
    Finding {
        code: "too-many-parameters",
        severities: &[Error],
        meaning: "The operation has more parameters than an operation may have, or than is left of what all operations may have together. It does not become a tool.",
        remedy: "Remove the parameters that nobody needs.",
    },
    Finding {
        code: "too-many-tags",
        severities: &[Warning],
        meaning: "The operation has more than 100 tags, or more than 16 above its own. The rest is left out, so that a selection by those does not find it.",
        remedy: "Remove the tags that nobody selects by.",
    },
    Finding {
        code: "undeclared-path-parameter",
        severities: &[Warning],
        meaning: "The path has a name in braces that no parameter declares. It becomes an argument that is text.",
        remedy: "Declare a parameter of that `name` with `in: path`.",
    },
    Finding {
        code: "unknown-scheme",
        severities: &[Warning],
        meaning: "A `security` names a scheme that the document does not declare. That alternative cannot be used.",
        remedy: "Declare the scheme under `components.securitySchemes`, or correct the name.",
    },
    Finding {
        code: "unknown-type",
        severities: &[Note, Warning],
        meaning: "A schema's `type` does not exist. It is left out, and any type is accepted.",
        remedy: "Take one of `string`, `number`, `integer`, `boolean`, `array`, `object` and `null`.",
    },
    Finding {
        code: "unsupported-method",
        severities: &[Error],
        meaning: "Operations of this method do not become tools.",
        remedy: "Nothing is to be done, unless the API offers the same by another method.",
    },
    Finding {
        code: "unsupported-scheme",
        severities: &[Warning],
        meaning: "Credentials of this security scheme cannot be attached. Operations that accept nothing else cannot be called.",
        remedy: "Take another scheme of the API, or set the header that it asks for through a scheme of the type `apiKey`.",
    },
    Finding {
        code: "unused-path-parameter",
        severities: &[Warning],
        meaning: "A parameter has `in: path`, but the path has no such name in braces. It is left out.",
        remedy: "Write the name into the path, or remove the parameter.",
    },
];

/// Returns what is known about a code.
#[must_use]
pub fn finding(code: &str) -> Option<&'static Finding> {
    let index = FINDINGS.binary_search_by(|finding| finding.code.cmp(code));
    FINDINGS.get(index.ok()?)
}

/// Writes the table of `docs/openapi.md`.
#[must_use]
pub fn findings_table() -> String {
    let mut table =
        String::from("| code | severity | what it means | what to do |\n|---|---|---|---|\n");
    for finding in FINDINGS {
        let severities: Vec<_> = finding.severities.iter().map(ToString::to_string).collect();
        let Finding {
            code,
            meaning,
            remedy,
            ..
        } = finding;
        let severities = severities.join(", ");
        writeln!(table, "| `{code}` | {severities} | {meaning} | {remedy} |")
            .expect("text is written into memory");
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_codes_are_in_order_and_each_says_what_to_do() {
        assert!(FINDINGS.is_sorted_by(|one, other| one.code < other.code));
        for Finding {
            code,
            severities,
            meaning,
            remedy,
        } in FINDINGS
        {
            assert!(!severities.is_empty() && severities.is_sorted(), "{code}");
            for text in [meaning, remedy] {
                assert!(
                    text.ends_with('.') && !text.contains(['|', '\n']),
                    "{code}: {text}"
                );
            }
            assert_eq!(finding(code).map(|it| it.code), Some(*code));
        }
        assert_eq!(finding("never-heard-of"), None);
    }

    #[test]
    fn the_page_for_operators_has_the_table() {
        let page = include_str!("../../../docs/openapi.md");
        assert!(
            page.contains(&findings_table()),
            "the table of docs/openapi.md must be\n{}",
            findings_table()
        );
    }
}
