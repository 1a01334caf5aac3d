//! XML bodies: what the hints of a schema make of an argument.

use std::fmt::Write as _;

use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::{cause, plan};
use crate::model::Tool;
use crate::plan::Unsendable;
use crate::{Document, Limits};

/// A tool whose body is XML of a schema that is the component `Pet`, beside the others of `components`.
fn tool(schema: &Value, components: &Value) -> Tool {
    let mut schemas = components.as_object().unwrap().clone();
    schemas.insert("Pet".to_owned(), schema.clone());
    let content = json!({"application/xml": {"schema": {"$ref": "#/components/schemas/Pet"}}});
    let document = json!({
        "openapi": "3.2.0",
        "paths": {"/pets": {"post": {"requestBody": {"required": true, "content": content}}}},
        "components": {"schemas": schemas},
    });
    let document = Document::parse(document.to_string().as_bytes(), &Limits::default()).unwrap();
    document.tools().0.remove(0)
}

fn sent(schema: &Value, body: &Value) -> String {
    let plan = plan(&tool(schema, &json!({})), &json!({"body": body})).unwrap();
    let body = plan.body.unwrap();
    assert_eq!(body.content_type, "application/xml");
    let text = String::from_utf8(body.bytes).unwrap();
    let declaration = r#"<?xml version="1.0" encoding="UTF-8"?>"#;
    text.strip_prefix(declaration).unwrap().to_owned()
}

fn object(name: &str, property: &Value) -> Value {
    json!({"type": "object", "properties": {name: property}})
}

#[test]
fn names_come_from_the_component_the_property_and_the_hints() {
    let text = json!({"type": "string"});
    let renamed = json!({"type": "string", "xml": {"name": "animal"}});
    assert_eq!(
        sent(&object("a", &text), &json!({"a": "b"})),
        "<Pet><a>b</a></Pet>"
    );
    assert_eq!(
        sent(&object("a", &renamed), &json!({"a": "b"})),
        "<Pet><animal>b</animal></Pet>"
    );
    let mut root = object("a", &json!({"type": "number"}));
    root["xml"] = json!({"name": "pet"});
    assert_eq!(sent(&root, &json!({"a": 1.5})), "<pet><a>1.5</a></pet>");
}

#[test]
fn lists_repeat_their_name_or_are_wrapped() {
    let list = json!(["dog", "cat"]);
    for (hints, of_items, expected) in [
        (json!({}), json!({}), "<l>dog</l><l>cat</l>"),
        (json!({}), json!({"name": "i"}), "<i>dog</i><i>cat</i>"),
        (json!({"name": "n"}), json!({}), "<l>dog</l><l>cat</l>"),
        (
            json!({"name": "n"}),
            json!({"name": "i"}),
            "<i>dog</i><i>cat</i>",
        ),
        (
            json!({"wrapped": true}),
            json!({}),
            "<l><l>dog</l><l>cat</l></l>",
        ),
        (
            json!({"nodeType": "element"}),
            json!({"name": "i"}),
            "<l><i>dog</i><i>cat</i></l>",
        ),
        (
            json!({"wrapped": true, "name": "n"}),
            json!({"name": "i"}),
            "<n><i>dog</i><i>cat</i></n>",
        ),
        (
            json!({"wrapped": true, "name": "n"}),
            json!({}),
            "<n><n>dog</n><n>cat</n></n>",
        ),
    ] {
        let property =
            json!({"type": "array", "xml": hints, "items": {"type": "string", "xml": of_items}});
        let written = sent(&object("l", &property), &json!({"l": list}));
        assert_eq!(
            written,
            format!("<Pet>{expected}</Pet>"),
            "{hints} {of_items}"
        );
    }
    let root = json!({"type": "array", "items": {"type": "string", "xml": {"name": "i"}}});
    assert_eq!(sent(&root, &list), "<Pet><i>dog</i><i>cat</i></Pet>");
}

#[test]
fn attributes_namespaces_and_texts_are_written_as_the_hints_say() {
    let schema = json!({
        "type": "object",
        "xml": {"namespace": "urn:a", "prefix": "p"},
        "properties": {
            "name": {"type": "string", "xml": {"namespace": "urn:b", "prefix": "q"}},
            "id": {"type": "integer", "xml": {"attribute": true}},
            "kind": {"type": "string", "xml": {"nodeType": "attribute", "prefix": "p", "namespace": "urn:a"}},
            "again": {"type": "string", "xml": {"prefix": "p", "namespace": "urn:a"}},
        },
    });
    assert_eq!(
        sent(
            &schema,
            &json!({"id": 7, "name": "n", "kind": "k", "again": "x"})
        ),
        "<p:Pet xmlns:p=\"urn:a\" id=\"7\" p:kind=\"k\">\
         <q:name xmlns:q=\"urn:b\">n</q:name><p:again>x</p:again></p:Pet>"
    );
    let text = json!({"type": "object", "properties": {
        "kind": {"type": "string", "xml": {"nodeType": "attribute"}},
        "text": {"type": "string", "xml": {"nodeType": "text"}},
    }});
    assert_eq!(
        sent(&text, &json!({"text": "a<b", "kind": "k"})),
        "<Pet kind=\"k\">a&lt;b</Pet>"
    );
    let cdata = object(
        "t",
        &json!({"type": "string", "xml": {"nodeType": "cdata"}}),
    );
    assert_eq!(
        sent(&cdata, &json!({"t": "a]]>b"})),
        "<Pet><![CDATA[a]]]]><![CDATA[>b]]></Pet>"
    );
    let none = object(
        "o",
        &json!({"xml": {"nodeType": "none"}, "type": "object", "properties": {"a": {}}}),
    );
    assert_eq!(sent(&none, &json!({"o": {"a": 1}})), "<Pet><a>1</a></Pet>");
}

#[test]
fn o_07_a_namespace_and_an_attribute_are_written_once() {
    let schema = json!({
        "type": "object",
        "xml": {"namespace": "urn:a"},
        "properties": {
            "id": {"xml": {"attribute": true, "namespace": "urn:b"}},
            "inner": {"type": ["object", "null"], "xml": {"prefix": "xsi", "namespace": "http://www.w3.org/2001/XMLSchema-instance"}},
        },
    });
    assert_eq!(
        sent(&schema, &json!({"id": 7, "inner": null})),
        "<Pet xmlns=\"urn:a\" id=\"7\"><xsi:inner xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" xsi:nil=\"true\"/></Pet>"
    );
    let twice = json!({"type": "object", "properties": {
        "a": {"xml": {"attribute": true}},
        "b": {"xml": {"attribute": true, "name": "a"}},
    }});
    let refused = cause(
        &tool(&twice, &json!({})),
        &json!({"body": {"a": 1, "b": 2}}),
    );
    assert_eq!(refused, Unsendable::NotXmlName);
}

#[test]
fn an_attribute_without_an_element_is_refused() {
    let inner = json!({"type": "object", "xml": {"nodeType": "none"}, "properties": {
        "a": {"xml": {"attribute": true}}, "b": {},
    }});
    let schema = object("o", &inner);
    assert_eq!(
        sent(&schema, &json!({"o": {"b": 1}})),
        "<Pet><b>1</b></Pet>"
    );
    let refused = cause(
        &tool(&schema, &json!({})),
        &json!({"body": {"o": {"a": 1}}}),
    );
    assert_eq!(refused, Unsendable::AttributeWithoutElement);
}

#[test]
fn members_follow_the_order_of_the_schema() {
    let schema = json!({"type": "object", "properties": {"a": {}, "b": {}, "c": {}}});
    assert_eq!(
        sent(&schema, &json!({"x": 1, "c": 2, "a": {"z": [3]}})),
        "<Pet><a><z>3</z></a><c>2</c><x>1</x></Pet>"
    );
}

#[test]
fn null_is_an_empty_element_and_no_attribute() {
    let schema = json!({"type": "object", "properties": {
        "a": {"xml": {"attribute": true}}, "b": {}, "c": {"type": "string"},
    }});
    assert_eq!(
        sent(&schema, &json!({"a": null, "b": null, "c": ""})),
        "<Pet><b xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" xsi:nil=\"true\"/><c></c></Pet>"
    );
}

#[test]
fn schemas_that_refer_to_themselves_are_written_as_deep_as_the_argument_is() {
    let pet = json!({"type": "object", "properties": {
        "name": {"type": "string", "xml": {"attribute": true}},
        "friends": {"type": "array", "items": {"$ref": "#/components/schemas/Pet"}, "xml": {"wrapped": true}},
        "tag": {"$ref": "#/components/schemas/Tag"},
    }});
    let tag =
        json!({"allOf": [{"type": "object", "xml": {"name": "label"}, "properties": {"id": {}}}]});
    let tool = tool(&pet, &json!({"Tag": tag}));
    let body = json!({"name": "a", "friends": [{"name": "b", "tag": {"id": 1}}]});
    let plan = plan(&tool, &json!({"body": body})).unwrap();
    let text = String::from_utf8(plan.body.unwrap().bytes).unwrap();
    assert!(
        text.ends_with(
            "<Pet name=\"a\"><friends><friends name=\"b\"><label><id>1</id></label></friends></friends></Pet>"
        ),
        "{text}"
    );
}

#[test]
fn xml_that_no_schema_describes_is_text() {
    for content in [
        json!({}),
        json!({"schema": {"type": "string"}}),
        json!({"schema": {"type": "object", "properties": {"a": {}}}}),
    ] {
        let document = json!({
            "openapi": "3.0.3",
            "paths": {"/pets": {"post": {"requestBody": {"content": {"text/xml": content}}}}},
        });
        let document =
            Document::parse(document.to_string().as_bytes(), &Limits::default()).unwrap();
        let tool = document.tools().0.remove(0);
        let body = plan(&tool, &json!({"body": "<a/>"})).unwrap().body.unwrap();
        assert_eq!(
            (body.content_type.as_str(), &body.bytes[..]),
            ("text/xml", &b"<a/>"[..])
        );
    }
}

#[test]
fn o_07_no_argument_is_markup() {
    let schema = json!({"type": "object", "properties": {
        "a": {"type": "string", "xml": {"attribute": true}}, "b": {"type": "string"},
    }});
    let sharp = "\"><x y='z'>&e;]]><!DOCTYPE\r\n\t";
    assert_eq!(
        sent(&schema, &json!({"a": sharp, "b": sharp})),
        "<Pet a=\"&quot;&gt;&lt;x y='z'&gt;&amp;e;]]&gt;&lt;!DOCTYPE&#13;&#10;&#9;\">\
         <b>&quot;&gt;&lt;x y='z'&gt;&amp;e;]]&gt;&lt;!DOCTYPE&#13;&#10;&#9;</b></Pet>"
    );
    let tool = tool(&schema, &json!({}));
    for name in [
        "x y", "x/", "", "1a", "a:b", "x=\"1\"", "-a", "<a", "a\n", "ª", "Ⓐ",
    ] {
        let refused = cause(&tool, &json!({"body": {name: 1}}));
        assert_eq!(refused, Unsendable::NotXmlName, "{name:?}");
    }
    for text in ["\0", "\u{1b}", "\u{fffe}"] {
        for member in ["a", "b"] {
            let refused = cause(&tool, &json!({"body": {member: text}}));
            assert_eq!(refused, Unsendable::NotXmlText, "{text:?}");
        }
    }
    let tool = self::tool(
        &object("a", &json!({"xml": {"attribute": true}})),
        &json!({}),
    );
    let refused = cause(&tool, &json!({"body": {"a": {"b": 1}}}));
    assert_eq!(refused, Unsendable::Nested);
}

/// A reader of the little that is written: elements with text or elements in them.
fn read(text: &str) -> (String, &str) {
    let rest = text.strip_prefix('<').unwrap();
    let (name, mut rest) = rest.split_once('>').unwrap();
    let mut out = format!("{name}{{");
    loop {
        if let Some(after) = rest.strip_prefix(&format!("</{name}>")) {
            out.push('}');
            return (out, after);
        }
        if rest.starts_with('<') {
            let (inner, after) = read(rest);
            out.push_str(&inner);
            rest = after;
            continue;
        }
        let (piece, after) = rest.split_at(rest.find('<').unwrap());
        out.push_str(&plain(piece));
        rest = after;
    }
}

fn plain(text: &str) -> String {
    let mut pieces = text.split('&');
    let mut out = pieces.next().unwrap().to_owned();
    for piece in pieces {
        let (entity, rest) = piece.split_once(';').unwrap();
        out.push(match entity {
            "amp" => '&',
            "lt" => '<',
            "gt" => '>',
            "quot" => '"',
            "#9" => '\t',
            "#10" => '\n',
            "#13" => '\r',
            other => panic!("another entity: {other}"),
        });
        out.push_str(rest);
    }
    out
}

fn expected(name: &str, value: &Value, out: &mut String) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| expected(name, item, out)),
        Value::Object(members) => {
            write!(out, "{name}{{").unwrap();
            members
                .iter()
                .for_each(|(name, value)| expected(name, value, out));
            out.push('}');
        }
        Value::String(text) => write!(out, "{name}{{{text}}}").unwrap(),
        other => write!(out, "{name}{{{other}}}").unwrap(),
    }
}

proptest! {
    #[test]
    fn xml_reads_back(members in prop::collection::vec(("[a-zA-Z_é][a-z0-9._é-]{0,4}", tree()), 0..5)) {
        let members: Map<_, _> = members.into_iter().collect();
        let body = Value::from(members);
        let tool = tool(&json!({"type": "object"}), &json!({}));
        let Ok(plan) = plan(&tool, &json!({"body": body})) else { return Ok(()) };
        let text = String::from_utf8(plan.body.unwrap().bytes).unwrap();
        let (read, rest) = read(text.split_once("?>").unwrap().1);
        prop_assert_eq!(rest, "");
        let mut of_body = String::new();
        expected("Pet", &body, &mut of_body);
        prop_assert_eq!(read, of_body);
    }
}

fn tree() -> impl Strategy<Value = Value> {
    let text = prop_oneof!["[<>&\"' \r\n\t\\]a;é]{0,10}", any::<String>()];
    let scalar = prop_oneof![
        text.prop_map(Value::from),
        any::<i64>().prop_map(Value::from)
    ];
    scalar.prop_recursive(3, 16, 4, |inner| {
        let members = prop::collection::vec(("[a-z]{1,3}", inner.clone()), 0..4);
        prop_oneof![
            prop::collection::vec(inner, 0..4).prop_map(Value::from),
            members.prop_map(|members| Value::from(members.into_iter().collect::<Map<_, _>>())),
        ]
    })
}
