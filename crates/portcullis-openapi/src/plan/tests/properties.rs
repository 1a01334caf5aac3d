//! Whatever the arguments are, the request keeps its structure and decodes back to them.

use proptest::prelude::*;
use serde_json::{Map, Value, json};
use url::form_urlencoded;

use super::plan;
use crate::model::body::BodyEncoding;
use crate::model::{Place, Style};
use crate::sample::{parameter, styled, tool};

/// Text that hurts more often than chance would.
fn text() -> impl Strategy<Value = String> {
    let sharp = r"[./\\\\%2eEfF;&=#?+,|\\[\\]@: \r\n\t\x00a-c\u{e9}\u{2028}]{0,12}";
    prop_oneof![sharp, any::<String>()]
}

fn scalar() -> impl Strategy<Value = Value> {
    prop_oneof![
        text().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<bool>().prop_map(Value::from),
    ]
}

fn tree() -> impl Strategy<Value = Value> {
    scalar().prop_recursive(4, 32, 6, |inner| {
        let members = prop::collection::vec((text(), inner.clone()), 0..6);
        prop_oneof![
            prop::collection::vec(inner, 0..6).prop_map(Value::from),
            members.prop_map(|members| Value::from(members.into_iter().collect::<Map<_, _>>())),
        ]
    })
}

fn written(value: &Value) -> String {
    value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned)
}

fn decoded(text: &str) -> Vec<(String, String)> {
    form_urlencoded::parse(text.as_bytes())
        .into_owned()
        .collect()
}

/// Decodes as RFC 3986 §2.1 says, so that `+` stays.
fn decoded_once(text: &str) -> String {
    let mut pieces = text.split('%');
    let mut bytes = pieces.next().unwrap().as_bytes().to_vec();
    for piece in pieces {
        let (digits, rest) = piece.split_at(2);
        bytes.push(u8::from_str_radix(digits, 16).unwrap());
        bytes.extend_from_slice(rest.as_bytes());
    }
    String::from_utf8(bytes).unwrap()
}

/// The bracketed names and values that a tree must become.
fn leaves(name: &str, value: &Value, into: &mut Vec<(String, String)>) {
    match value {
        Value::Array(items) => {
            let is_plain = !items.iter().any(|item| item.is_array() || item.is_object());
            for (index, item) in items.iter().enumerate() {
                let index = if is_plain {
                    String::new()
                } else {
                    index.to_string()
                };
                leaves(&format!("{name}[{index}]"), item, into);
            }
        }
        Value::Object(members) => {
            for (member, value) in members {
                leaves(&format!("{name}[{member}]"), value, into);
            }
        }
        Value::Null => {}
        scalar => into.push((name.to_owned(), written(scalar))),
    }
}

proptest! {
    #[test]
    fn scalars_keep_their_places(p in scalar(), q in scalar(), h in scalar(), c in scalar()) {
        let tool = tool()
            .with(parameter(Place::Path, "p"))
            .with(parameter(Place::Query, "q"))
            .with(parameter(Place::Header, "h"))
            .with(parameter(Place::Cookie, "c"));
        let Ok(plan) = plan(&tool, &json!({"p": p, "q": q, "h": h, "c": c})) else {
            return Ok(());
        };
        let url = plan.url("https://api.example:8443/v1").unwrap();
        prop_assert_eq!(url.origin().ascii_serialization(), "https://api.example:8443");
        let segments: Vec<_> = url.path_segments().unwrap().collect();
        let [v1, things, segment, end] = segments[..] else { panic!("other segments: {segments:?}") };
        prop_assert_eq!((v1, things, end), ("v1", "things", "end"));
        prop_assert_eq!(decoded(segment), [(written(&p), String::new())]);
        prop_assert_eq!(decoded(url.query().unwrap()), [("q".to_owned(), written(&q))]);
        prop_assert_eq!(plan.headers, [("h".to_owned(), written(&h))]);
        let [(name, cookie)] = &plan.cookies[..] else { panic!("other cookies") };
        prop_assert_eq!(name, "c");
        prop_assert_eq!(decoded_once(cookie), written(&c));
    }

    #[test]
    fn a_path_argument_is_refused_or_decodes_back(p in text()) {
        let tool = tool().with(parameter(Place::Path, "p"));
        let Ok(plan) = plan(&tool, &json!({"p": p})) else { return Ok(()) };
        let url = plan.url("https://api.example").unwrap();
        let segments: Vec<_> = url.path_segments().unwrap().collect();
        prop_assert_eq!(segments.len(), 3);
        prop_assert_eq!(decoded(segments[1]), [(p, String::new())]);
    }

    #[test]
    fn a_header_or_cookie_argument_is_refused_or_sent_as_it_is(value in text()) {
        for (place, style) in [(Place::Header, Style::Simple), (Place::Cookie, Style::Cookie)] {
            let tool = tool().with(styled(place, "p", style, false));
            let Ok(plan) = plan(&tool, &json!({"p": value})) else { continue };
            let sent = [plan.headers, plan.cookies].concat();
            prop_assert_eq!(&sent, &[("p".to_owned(), value.clone())]);
            prop_assert!(!value.contains(|c: char| c.is_control() && c != '\t'));
        }
    }

    #[test]
    fn a_query_of_any_style_begins_with_its_own_name(
        p in tree(),
        style in prop::sample::select(&[
            Style::Form, Style::SpaceDelimited, Style::PipeDelimited, Style::DeepObject,
        ]),
        explode in any::<bool>(),
    ) {
        let tool = tool().with(styled(Place::Query, "p", style, explode));
        let Ok(plan) = plan(&tool, &json!({"p": p})) else { return Ok(()) };
        let url = plan.url("https://api.example").unwrap();
        prop_assert_eq!(url.path(), "/things");
        if !(explode && p.is_object()) || style == Style::DeepObject {
            for (name, _) in decoded(&plan.query) {
                prop_assert!(name == "p" || name.starts_with("p["), "{}", name);
            }
        }
    }

    #[test]
    fn exploded_members_decode_back(members in prop::collection::vec((text(), scalar()), 1..6)) {
        let p = Value::from(members.into_iter().collect::<Map<_, _>>());
        let tool = tool().with(parameter(Place::Query, "p"));
        let Ok(plan) = plan(&tool, &json!({"p": p})) else { return Ok(()) };
        let pairs = p.as_object().unwrap().iter();
        let expected: Vec<_> = pairs.map(|(name, value)| (name.clone(), written(value))).collect();
        prop_assert_eq!(decoded(&plan.query), expected);
    }

    #[test]
    fn deep_objects_decode_back(p in tree()) {
        let tool = tool().with(styled(Place::Query, "p", Style::DeepObject, true));
        let Ok(plan) = plan(&tool, &json!({"p": p})) else { return Ok(()) };
        let mut expected = Vec::new();
        leaves("p", &p, &mut expected);
        prop_assert_eq!(decoded(&plan.query), expected);
    }

    #[test]
    fn forms_decode_back(members in prop::collection::vec((text(), scalar()), 0..6)) {
        let body = Value::from(members.into_iter().collect::<Map<_, _>>());
        let tool = tool().sending("application/x-www-form-urlencoded", BodyEncoding::Form([].into()));
        let plan = plan(&tool, &json!({"body": body})).unwrap();
        let sent = String::from_utf8(plan.body.unwrap().bytes).unwrap();
        let pairs = body.as_object().unwrap().iter();
        let expected: Vec<_> = pairs.map(|(name, value)| (name.clone(), written(value))).collect();
        prop_assert_eq!(decoded(&sent), expected);
    }

    #[test]
    fn multipart_has_the_parts_it_was_given(members in prop::collection::vec((text(), text()), 1..6)) {
        let body: Map<_, _> = members.into_iter().map(|(name, value)| (name, Value::from(value))).collect();
        let tool = tool().sending("multipart/form-data", BodyEncoding::Multipart([].into()));
        let plan = plan(&tool, &json!({"body": body})).unwrap();
        let sent = plan.body.unwrap();
        let boundary = sent.content_type.split_once("boundary=").unwrap().1;
        let text = String::from_utf8(sent.bytes).unwrap();
        let delimiter = format!("--{boundary}");
        prop_assert_eq!(text.matches(&delimiter).count(), body.len() + 1);
        for (part, value) in text.split(&delimiter).skip(1).zip(body.values()) {
            let (head, content) = part.split_once("\r\n\r\n").unwrap();
            prop_assert_eq!(head.matches("\r\n").count(), 1);
            prop_assert_eq!(content.strip_suffix("\r\n"), value.as_str());
        }
    }
}

/// One scalar, one list or one flat object, and the argument that it is.
fn flat() -> impl Strategy<Value = Value> {
    let members = prop::collection::vec((text(), scalar()), 1..5);
    prop_oneof![
        scalar(),
        prop::collection::vec(scalar(), 1..5).prop_map(Value::from),
        members.prop_map(|members| Value::from(members.into_iter().collect::<Map<_, _>>())),
    ]
}

/// What a value comes to when it is written out flat: itself, its items, or its names and values in turn.
fn flattened(value: &Value) -> Vec<String> {
    match value {
        Value::Array(items) => items.iter().map(written).collect(),
        Value::Object(members) => {
            let pairs = members.iter();
            pairs
                .flat_map(|(name, value)| [name.clone(), written(value)])
                .collect()
        }
        scalar => vec![written(scalar)],
    }
}

/// Takes what a path's segment says apart, as a server does that knows the style.
fn read_path(segment: &str, style: Style, explode: bool, of: &Value) -> Vec<String> {
    let (lead, separator) = match (style, explode) {
        (Style::Label, true) => (".", '.'),
        (Style::Label, false) => (".", ','),
        (Style::Matrix, true) => (";", ';'),
        (Style::Matrix, false) => (";", ','),
        _ => ("", ','),
    };
    let mut rest = segment.strip_prefix(lead).unwrap();
    if style == Style::Matrix && !explode {
        rest = rest.strip_prefix('p').unwrap();
        rest = rest.strip_prefix('=').unwrap_or(rest);
    }
    let named = explode && (of.is_object() || style == Style::Matrix);
    let items = if of.is_array() || of.is_object() || style == Style::Matrix && explode {
        rest.split(separator).collect()
    } else {
        vec![rest]
    };
    let mut read = Vec::new();
    for item in items {
        let (name, value) = match item.split_once('=') {
            Some((name, value)) if named => (name, value),
            _ if named => (item, ""),
            _ => ("", item),
        };
        if named && of.is_object() {
            read.push(decoded_once(name));
        }
        read.push(decoded_once(value));
    }
    read
}

proptest! {
    #[test]
    fn a_path_of_any_style_decodes_back(
        p in flat(),
        style in prop::sample::select(&[Style::Simple, Style::Label, Style::Matrix]),
        explode in any::<bool>(),
        allow_reserved in any::<bool>(),
    ) {
        let mut parameter = styled(Place::Path, "p", style, explode);
        parameter.spelling.allow_reserved = allow_reserved;
        let tool = tool().with(parameter);
        let Ok(plan) = plan(&tool, &json!({"p": p})) else { return Ok(()) };
        let segments: Vec<_> = plan.path.split('/').collect();
        prop_assert_eq!(segments.len(), 4);
        prop_assert_eq!(read_path(segments[2], style, explode, &p), flattened(&p));
    }

    #[test]
    fn a_query_of_any_style_decodes_back(
        p in flat(),
        style in prop::sample::select(&[Style::Form, Style::SpaceDelimited, Style::PipeDelimited]),
        explode in any::<bool>(),
        allow_reserved in any::<bool>(),
    ) {
        let mut parameter = styled(Place::Query, "p", style, explode);
        parameter.spelling.allow_reserved = allow_reserved;
        let Ok(plan) = plan(&tool().with(parameter), &json!({"p": p})) else { return Ok(()) };
        let is_joined = !explode && (p.is_array() || p.is_object());
        let read: Vec<String> = if is_joined {
            let value = plan.query.strip_prefix("p=").unwrap();
            let separator = match style {
                Style::SpaceDelimited => "%20",
                Style::PipeDelimited => "%7C",
                _ => ",",
            };
            value.split(separator).map(decoded_once).collect()
        } else {
            let pairs = plan.query.split('&').map(|pair| pair.split_once('=').unwrap());
            pairs.flat_map(|(name, value)| {
                let name = p.is_object().then(|| decoded_once(name));
                name.into_iter().chain([decoded_once(value)])
            }).collect()
        };
        prop_assert_eq!(read, flattened(&p));
    }

    #[test]
    fn headers_and_cookies_of_any_style_decode_back(p in flat(), explode in any::<bool>()) {
        let header = styled(Place::Header, "p", Style::Simple, explode);
        let cookie = styled(Place::Cookie, "p", Style::Form, false);
        for (parameter, is_encoded) in [(header, false), (cookie, true)] {
            let Ok(plan) = plan(&tool().with(parameter), &json!({"p": p})) else { continue };
            let (_, sent) = plan.headers.iter().chain(&plan.cookies).next().unwrap();
            let decode = |text: &str| if is_encoded { decoded_once(text) } else { text.to_owned() };
            let read: Vec<String> = match &p {
                Value::Object(members) if explode && !is_encoded => {
                    // A name may hold the sign that stands between it and its value.
                    prop_assume!(!members.keys().any(|name| name.contains('=')));
                    sent.split(',').flat_map(|pair| pair.split_once('=').map(<[_; 2]>::from).unwrap()).map(decode).collect()
                }
                Value::Array(_) | Value::Object(_) => sent.split(',').map(decode).collect(),
                _ => vec![decode(sent)],
            };
            prop_assert_eq!(read, flattened(&p));
        }
    }
}
