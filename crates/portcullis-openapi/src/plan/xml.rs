//! An argument becomes an XML document by its schema's hints.
//!
//! Nothing of an argument is markup: texts and attributes are escaped, names are held against what XML allows, and there is no document type and so no entity.
//! Members are written in the order of the schema, since most readers of XML go by one; `null` is an empty element with `xsi:nil` (OpenAPI 3.2, "Handling `null` Values").

use std::borrow::Cow;

use serde_json::value::RawValue;

use super::Unsendable;
use super::shape::Shape;
use crate::model::body::{Xml, XmlKind, XmlNode};

const DECLARATION: &str = r#"<?xml version="1.0" encoding="UTF-8"?>"#;
const INSTANCE: &str = "http://www.w3.org/2001/XMLSchema-instance";

/// Writes a document.
pub(super) fn write(schema: &Xml, raw: &RawValue) -> Result<String, Unsendable> {
    let mut writer = Writer {
        nodes: &schema.nodes,
        out: DECLARATION.to_owned(),
        scope: Vec::new(),
    };
    let plain = XmlNode::default();
    let node = schema.nodes.get(schema.root).unwrap_or(&plain);
    // A document has one element, so a list at its root has one around it, whatever the hints say.
    let root = XmlNode {
        kind: XmlKind::Element,
        wrapped: true,
        ..node.clone()
    };
    writer.value(&root, &schema.name, raw)?;
    Ok(writer.out)
}

struct Writer<'x> {
    nodes: &'x [XmlNode],
    out: String,
    /// The namespaces that are declared here, by their prefixes; a later one counts more.
    scope: Vec<(String, String)>,
}

impl Writer<'_> {
    /// Writes what a value becomes under the name that its place gives it.
    fn value(&mut self, node: &XmlNode, inferred: &str, raw: &RawValue) -> Result<(), Unsendable> {
        let name = node.name.as_deref().unwrap_or(inferred);
        match (node.kind, Shape::of(raw)) {
            (XmlKind::Attribute, _)
            | (XmlKind::Text | XmlKind::Cdata | XmlKind::None, Shape::Null) => Ok(()),
            (XmlKind::Text | XmlKind::None, Shape::Scalar(text)) => self.text(&text),
            (XmlKind::Cdata, Shape::Scalar(text)) => self.cdata(&text),
            (XmlKind::Text | XmlKind::Cdata, _) => Err(Unsendable::Nested),
            (XmlKind::Element, Shape::Array(items)) if node.wrapped => {
                self.element(node, name, &[], |writer| writer.items(node, name, &items))
            }
            (_, Shape::Array(items)) => self.items(node, name, &items),
            (XmlKind::None, Shape::Object(members)) => {
                self.refuse_attributes(node, &members)?;
                self.members(node, &members)
            }
            (XmlKind::Element, Shape::Object(members)) => {
                self.element(node, name, &members, |writer| {
                    writer.members(node, &members)
                })
            }
            (XmlKind::Element, Shape::Scalar(text)) => {
                self.element(node, name, &[], |writer| writer.text(&text))
            }
            (XmlKind::Element, Shape::Null) => self.nil(node, name),
        }
    }

    /// Writes the items of a list, each under its own name or the list's.
    fn items(&mut self, list: &XmlNode, name: &str, items: &[&RawValue]) -> Result<(), Unsendable> {
        let plain = XmlNode::default();
        let nodes = self.nodes;
        let node = list
            .items
            .and_then(|items| nodes.get(items))
            .unwrap_or(&plain);
        items
            .iter()
            .try_for_each(|item| self.value(node, name, item))
    }

    /// Writes an object's members, those of the schema first and in its order.
    fn members(
        &mut self,
        node: &XmlNode,
        members: &[(Cow<'_, str>, &RawValue)],
    ) -> Result<(), Unsendable> {
        let nodes = self.nodes;
        let plain = XmlNode::default();
        for (name, index) in &node.members {
            let given = members.iter().find(|(given, _)| given == name);
            if let Some((_, raw)) = given {
                self.value(nodes.get(*index).unwrap_or(&plain), name, raw)?;
            }
        }
        let others = node
            .others
            .and_then(|others| nodes.get(others))
            .unwrap_or(&plain);
        let unknown = |name: &str| !node.members.contains_key(name);
        members
            .iter()
            .filter(|(name, _)| unknown(name))
            .try_for_each(|(name, raw)| {
                // The caller chose this name, so that no prefix of the document's may be in it.
                if name.contains(':') {
                    return Err(Unsendable::NotXmlName);
                }
                self.value(others, name, raw)
            })
    }

    /// Refuses members that are attributes where there is no element to bear them.
    fn refuse_attributes(
        &self,
        node: &XmlNode,
        members: &[(Cow<'_, str>, &RawValue)],
    ) -> Result<(), Unsendable> {
        let is_lost = |(name, raw): &(Cow<'_, str>, &RawValue)| {
            let index = node.members.get(name.as_ref());
            let of = index.and_then(|&index| self.nodes.get(index));
            of.is_some_and(|of| of.kind == XmlKind::Attribute)
                && !matches!(Shape::of(raw), Shape::Null)
        };
        let lost = members.iter().any(is_lost);
        (!lost)
            .then_some(())
            .ok_or(Unsendable::AttributeWithoutElement)
    }

    fn element(
        &mut self,
        node: &XmlNode,
        name: &str,
        members: &[(Cow<'_, str>, &RawValue)],
        content: impl FnOnce(&mut Self) -> Result<(), Unsendable>,
    ) -> Result<(), Unsendable> {
        let tag = qualified(node, name)?;
        let outer = self.scope.len();
        self.out.push('<');
        self.out.push_str(&tag);
        self.declare(node)?;
        self.attributes(node, members)?;
        self.out.push('>');
        content(self)?;
        self.scope.truncate(outer);
        self.out.push_str("</");
        self.out.push_str(&tag);
        self.out.push('>');
        Ok(())
    }

    fn nil(&mut self, node: &XmlNode, name: &str) -> Result<(), Unsendable> {
        let tag = qualified(node, name)?;
        let outer = self.scope.len();
        self.out.push('<');
        self.out.push_str(&tag);
        self.declare(node)?;
        self.bind("xsi", INSTANCE)?;
        self.attribute("xsi:nil", "true")?;
        self.out.push_str("/>");
        self.scope.truncate(outer);
        Ok(())
    }

    /// Writes the members that are attributes; `null` is left out.
    fn attributes(
        &mut self,
        node: &XmlNode,
        members: &[(Cow<'_, str>, &RawValue)],
    ) -> Result<(), Unsendable> {
        let nodes = self.nodes;
        let mut written = Vec::new();
        for (name, index) in &node.members {
            let given = members.iter().find(|(given, _)| given == name);
            let of = nodes
                .get(*index)
                .filter(|node| node.kind == XmlKind::Attribute);
            let (Some((_, raw)), Some(of)) = (given, of) else {
                continue;
            };
            let tag = qualified(of, of.name.as_deref().unwrap_or(name))?;
            match Shape::of(raw) {
                Shape::Null => {}
                // XML 1.0, "Unique Att Spec".
                Shape::Scalar(_) if written.contains(&tag) => return Err(Unsendable::NotXmlName),
                Shape::Scalar(text) => {
                    // An attribute without a prefix has no namespace (Namespaces in XML 1.0, §6.2).
                    if of.prefix.is_some() {
                        self.declare(of)?;
                    }
                    self.attribute(&tag, &text)?;
                    written.push(tag);
                }
                Shape::Array(_) | Shape::Object(_) => return Err(Unsendable::Nested),
            }
        }
        Ok(())
    }

    /// Declares a node's namespace where it is not declared yet.
    fn declare(&mut self, node: &XmlNode) -> Result<(), Unsendable> {
        let Some(namespace) = &node.namespace else {
            return Ok(());
        };
        self.bind(node.prefix.as_deref().unwrap_or_default(), namespace)
    }

    /// Gives a prefix its namespace where it does not have it here already.
    fn bind(&mut self, prefix: &str, namespace: &str) -> Result<(), Unsendable> {
        let known = self.scope.iter().rev().find(|(known, _)| known == prefix);
        if known.is_some_and(|(_, known)| known == namespace) {
            return Ok(());
        }
        let name = if prefix.is_empty() {
            "xmlns".to_owned()
        } else {
            format!("xmlns:{prefix}")
        };
        self.attribute(&name, namespace)?;
        self.scope.push((prefix.to_owned(), namespace.to_owned()));
        Ok(())
    }

    fn attribute(&mut self, name: &str, value: &str) -> Result<(), Unsendable> {
        self.out.push(' ');
        self.out.push_str(name);
        self.out.push_str("=\"");
        self.text(value)?;
        self.out.push('"');
        Ok(())
    }

    /// Writes text so that it reads the same in an element and in an attribute.
    fn text(&mut self, text: &str) -> Result<(), Unsendable> {
        for c in text.chars() {
            match c {
                '&' => self.out.push_str("&amp;"),
                '<' => self.out.push_str("&lt;"),
                '>' => self.out.push_str("&gt;"),
                '"' => self.out.push_str("&quot;"),
                '\t' => self.out.push_str("&#9;"),
                '\n' => self.out.push_str("&#10;"),
                '\r' => self.out.push_str("&#13;"),
                c if is_character(c) => self.out.push(c),
                _ => return Err(Unsendable::NotXmlText),
            }
        }
        Ok(())
    }

    /// Writes a CDATA section, or several where the text has the sign of their end; a carriage return would be read as a line's end there.
    fn cdata(&mut self, text: &str) -> Result<(), Unsendable> {
        if !text.chars().all(|c| is_character(c) && c != '\r') {
            return Err(Unsendable::NotXmlText);
        }
        self.out.push_str("<![CDATA[");
        self.out.push_str(&text.replace("]]>", "]]]]><![CDATA[>"));
        self.out.push_str("]]>");
        Ok(())
    }
}

/// A node's name with its prefix.
fn qualified(node: &XmlNode, name: &str) -> Result<String, Unsendable> {
    let tag = match &node.prefix {
        Some(prefix) => format!("{prefix}:{name}"),
        None => name.to_owned(),
    };
    let mut pieces = tag.split(':');
    let is_sound = pieces.clone().count() <= 2 && pieces.all(is_name);
    is_sound.then_some(tag).ok_or(Unsendable::NotXmlName)
}

/// Namespaces in XML 1.0, `NCName`: XML 1.0's `Name` without colons.
fn is_name(name: &str) -> bool {
    let begins = |c: char| {
        matches!(c, '_' | 'A'..='Z' | 'a'..='z' | '\u{c0}'..='\u{d6}' | '\u{d8}'..='\u{f6}'
            | '\u{f8}'..='\u{2ff}' | '\u{370}'..='\u{37d}' | '\u{37f}'..='\u{1fff}'
            | '\u{200c}'..='\u{200d}' | '\u{2070}'..='\u{218f}' | '\u{2c00}'..='\u{2fef}'
            | '\u{3001}'..='\u{d7ff}' | '\u{f900}'..='\u{fdcf}' | '\u{fdf0}'..='\u{fffd}'
            | '\u{10000}'..='\u{effff}')
    };
    let goes_on = |c: char| {
        begins(c)
            || matches!(c, '-' | '.' | '0'..='9' | '\u{b7}' | '\u{300}'..='\u{36f}'
                | '\u{203f}'..='\u{2040}')
    };
    name.starts_with(begins) && name.chars().all(goes_on)
}

/// XML 1.0, `Char`
fn is_character(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..)
}
