//! What a value of a document is, by its place: that decides whether a `$ref` there is followed, and how.
//!
//! From the objects of the specifications 2.0 and 3.0 to 3.2, as far as tools are made of them.

/// What stands at a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Kind {
    Document,
    Components,
    PathItem,
    Operation,
    Parameter,
    Header,
    RequestBody,
    MediaType,
    Encoding,
    Response,
    Schema,
    Discriminator,
    /// A value of a discriminator's `mapping`.
    Mapped,
    /// An object whose members are all of one kind, by names that the author chose.
    Map(Member),
    /// An array of parameters.
    Parameters,
    /// Text and lists that belong to no reference of the specification; authors put `$ref`s there all the same.
    Plain,
    /// What is left as it is: examples, extensions, values, and what no tool is made of.
    Literal,
}

/// What the members of a map are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Member {
    PathItem,
    Operation,
    Parameter,
    Header,
    RequestBody,
    MediaType,
    Encoding,
    Response,
    Schema,
    Mapped,
}

/// What becomes of a `$ref`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Follow {
    /// It stays a reference, to a component.
    Refer,
    /// What it names is put in its place.
    Splice,
}

impl Kind {
    /// Says what becomes of a `$ref` here.
    pub(super) fn follow(self) -> Follow {
        match self {
            Self::Schema | Self::Parameter | Self::Header | Self::RequestBody | Self::Response => {
                Follow::Refer
            }
            _ => Follow::Splice,
        }
    }

    /// Returns what the items of an array here are.
    pub(super) fn item(self) -> Self {
        match self {
            Self::Parameters => Self::Parameter,
            Self::Schema => Self::Schema,
            Self::Plain => Self::Plain,
            _ => Self::Literal,
        }
    }

    /// Returns what the member `key` of an object here is.
    pub(super) fn child(self, key: &str) -> Self {
        let is_named = matches!(
            self,
            Self::Map(Member::Schema | Member::Header | Member::Parameter)
        );
        if key.starts_with("x-") && !is_named {
            return Self::Literal;
        }
        match self {
            Self::Document => document(key),
            Self::Components => component(key),
            Self::PathItem => path_item(key),
            Self::Operation => operation(key),
            Self::Parameter | Self::Header => parameter(key),
            Self::RequestBody => match key {
                "content" => Self::Map(Member::MediaType),
                _ => Self::Plain,
            },
            Self::MediaType => media_type(key),
            Self::Encoding => match key {
                "headers" => Self::Map(Member::Header),
                _ => Self::Plain,
            },
            Self::Response => response(key),
            Self::Schema => schema(key),
            Self::Discriminator => match key {
                "mapping" => Self::Map(Member::Mapped),
                _ => Self::Literal,
            },
            Self::Map(member) => member.kind(),
            Self::Plain => Self::Plain,
            Self::Parameters | Self::Mapped | Self::Literal => Self::Literal,
        }
    }
}

impl Member {
    fn kind(self) -> Kind {
        match self {
            Self::PathItem => Kind::PathItem,
            Self::Operation => Kind::Operation,
            Self::Parameter => Kind::Parameter,
            Self::Header => Kind::Header,
            Self::RequestBody => Kind::RequestBody,
            Self::MediaType => Kind::MediaType,
            Self::Encoding => Kind::Encoding,
            Self::Response => Kind::Response,
            Self::Schema => Kind::Schema,
            Self::Mapped => Kind::Mapped,
        }
    }
}

fn document(key: &str) -> Kind {
    match key {
        "paths" => Kind::Map(Member::PathItem),
        "components" => Kind::Components,
        "definitions" | "$defs" => Kind::Map(Member::Schema),
        "parameters" => Kind::Map(Member::Parameter),
        "responses" => Kind::Map(Member::Response),
        "webhooks" => Kind::Literal,
        _ => Kind::Plain,
    }
}

fn component(key: &str) -> Kind {
    Kind::Map(match key {
        "schemas" => Member::Schema,
        "parameters" => Member::Parameter,
        "headers" => Member::Header,
        "requestBodies" => Member::RequestBody,
        "responses" => Member::Response,
        "pathItems" => Member::PathItem,
        "mediaTypes" => Member::MediaType,
        "securitySchemes" => return Kind::Plain,
        _ => return Kind::Literal,
    })
}

fn path_item(key: &str) -> Kind {
    match key {
        "get" | "head" | "options" | "post" | "put" | "patch" | "delete" | "trace" | "query" => {
            Kind::Operation
        }
        "additionalOperations" => Kind::Map(Member::Operation),
        "parameters" => Kind::Parameters,
        _ => Kind::Plain,
    }
}

fn operation(key: &str) -> Kind {
    match key {
        "parameters" => Kind::Parameters,
        "requestBody" => Kind::RequestBody,
        "responses" => Kind::Map(Member::Response),
        "callbacks" => Kind::Literal,
        _ => Kind::Plain,
    }
}

fn parameter(key: &str) -> Kind {
    match key {
        "schema" | "items" => Kind::Schema,
        "content" => Kind::Map(Member::MediaType),
        "example" | "examples" | "x-example" | "default" => Kind::Literal,
        _ => Kind::Plain,
    }
}

fn media_type(key: &str) -> Kind {
    match key {
        "schema" | "itemSchema" => Kind::Schema,
        "encoding" => Kind::Map(Member::Encoding),
        "itemEncoding" => Kind::Encoding,
        _ => Kind::Literal,
    }
}

fn response(key: &str) -> Kind {
    match key {
        "headers" => Kind::Map(Member::Header),
        "content" => Kind::Map(Member::MediaType),
        "schema" => Kind::Schema,
        "examples" | "links" => Kind::Literal,
        _ => Kind::Plain,
    }
}

fn schema(key: &str) -> Kind {
    match key {
        "properties" | "patternProperties" | "$defs" | "definitions" | "dependentSchemas" => {
            Kind::Map(Member::Schema)
        }
        "items"
        | "prefixItems"
        | "additionalItems"
        | "allOf"
        | "anyOf"
        | "oneOf"
        | "not"
        | "if"
        | "then"
        | "else"
        | "additionalProperties"
        | "unevaluatedProperties"
        | "unevaluatedItems"
        | "propertyNames"
        | "contains"
        | "contentSchema" => Kind::Schema,
        "discriminator" => Kind::Discriminator,
        "title" | "description" | "required" | "enum" | "type" | "format" | "pattern" => {
            Kind::Plain
        }
        _ => Kind::Literal,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(path: &str) -> Kind {
        path.split(' ').fold(Kind::Document, Kind::child)
    }

    #[test]
    fn a_place_decides_what_a_reference_is() {
        let response = "paths /a get responses default";
        assert_eq!(at(response), Kind::Response);
        assert_eq!(at("components schemas default"), Kind::Schema);
        assert_eq!(at("components schemas A properties example"), Kind::Schema);
        assert_eq!(at("components schemas A example"), Kind::Literal);
        assert_eq!(at("components schemas A default"), Kind::Literal);
        assert_eq!(at("components schemas x-a"), Kind::Schema);
        assert_eq!(at("components schemas A x-a"), Kind::Literal);
        assert_eq!(at("paths x-a"), Kind::Literal);
        assert_eq!(at("paths /a get callbacks"), Kind::Literal);
        assert_eq!(at("tags"), Kind::Plain);
        assert_eq!(
            at("components schemas A discriminator mapping a"),
            Kind::Mapped
        );
        assert_eq!(at("paths /a parameters").item(), Kind::Parameter);
        assert_eq!(at("components schemas A allOf").item(), Kind::Schema);
    }
}
