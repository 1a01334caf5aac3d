//! Every style in every place.

use serde_json::{Value, json};

use super::{cause, plan, plan_text};
use crate::model::body::{BodyEncoding, FieldEncoding};
use crate::model::{Parameter, Place, Spelling, Style};
use crate::plan::Unsendable;
use crate::sample::{parameter, styled, tool};

fn query(parameter: Parameter, value: &Value) -> String {
    let tool = tool().with(parameter);
    plan(&tool, &json!({"p": value})).unwrap().query
}

#[test]
fn nothing_is_written_for_null_members_and_empty_lists() {
    for style in [
        Style::Form,
        Style::SpaceDelimited,
        Style::PipeDelimited,
        Style::DeepObject,
    ] {
        for explode in [false, true] {
            let parameter = || styled(Place::Query, "p", style, explode);
            assert_eq!(query(parameter(), &json!([])), "");
            assert_eq!(query(parameter(), &json!({})), "");
            assert_eq!(query(parameter(), &json!({"a": null})), "");
        }
    }
}

#[test]
fn deep_objects_nest_and_count() {
    let parameter = styled(Place::Query, "p", Style::DeepObject, true);
    let written = query(parameter, &json!({"a": {"b": [{"c": 1}, "x"]}, "d": true}));
    let plain = written.replace("%5B", "[").replace("%5D", "]");
    assert_eq!(plain, "p[a][b][0][c]=1&p[a][b][1]=x&p[d]=true");
    let parameter = styled(Place::Query, "p", Style::DeepObject, true);
    let written = query(parameter, &json!({"ids": [1, 2], "of": [[3]]}));
    let plain = written.replace("%5B", "[").replace("%5D", "]");
    assert_eq!(plain, "p[ids][]=1&p[ids][]=2&p[of][0][]=3");
}

#[test]
fn a_deep_object_ends_somewhere() {
    let tool = tool().with(styled(Place::Query, "p", Style::DeepObject, true));
    let value = format!("{}1{}", "[".repeat(50), "]".repeat(50));
    let refused = plan_text(&tool, &format!("{{\"p\":{value}}}")).unwrap_err();
    assert_eq!(refused.to_string(), "argument `p` is nested too deeply");
}

#[test]
fn what_a_style_cannot_keep_apart_is_refused() {
    let in_query = |style, explode| tool().with(styled(Place::Query, "p", style, explode));
    assert_eq!(
        cause(
            &in_query(Style::SpaceDelimited, false),
            &json!({"p": ["a b"]})
        ),
        Unsendable::Separator(' ')
    );
    assert_eq!(
        cause(
            &in_query(Style::PipeDelimited, false),
            &json!({"p": ["a|b"]})
        ),
        Unsendable::Separator('|')
    );
    let comma = in_query(Style::Form, false);
    assert_eq!(
        plan(&comma, &json!({"p": ["a,b", "c"]})).unwrap().query,
        "p=a%2Cb,c"
    );
    let label = tool().with(styled(Place::Path, "p", Style::Label, true));
    assert_eq!(
        cause(&label, &json!({"p": ["1.5", "2"]})),
        Unsendable::Separator('.')
    );
    let header = tool().with(parameter(Place::Header, "p"));
    assert_eq!(
        cause(&header, &json!({"p": ["a,b"]})),
        Unsendable::Separator(',')
    );
}

#[test]
fn headers_and_cookies_join_with_commas_or_repeat() {
    let value = json!({"p": ["a", 1], "q": {"k": "v", "n": 2}});
    let headers = |explode| {
        let p = styled(Place::Header, "p", Style::Simple, explode);
        let q = styled(Place::Header, "q", Style::Simple, explode);
        let plan = plan(&tool().with(p).with(q), &value).unwrap();
        plan.headers
            .into_iter()
            .map(|(_, value)| value)
            .collect::<Vec<_>>()
    };
    assert_eq!(headers(false), ["a,1", "k,v,n,2"]);
    assert_eq!(headers(true), ["a,1", "k=v,n=2"]);
    let cookies = |explode, value: &Value| {
        let tool = tool().with(styled(Place::Cookie, "p", Style::Form, explode));
        let plan = plan(&tool, &json!({"p": value})).unwrap();
        let pairs = plan
            .cookies
            .into_iter()
            .map(|(name, value)| format!("{name}={value}"));
        pairs.collect::<Vec<_>>()
    };
    assert_eq!(cookies(true, &json!(["a", 1])), ["p=a", "p=1"]);
    assert_eq!(cookies(false, &json!(["a", 1])), ["p=a,1"]);
    assert_eq!(cookies(false, &json!(["a,b", 1])), ["p=a%2Cb,1"]);
    assert_eq!(cookies(false, &json!({"k": "v"})), ["p=k,v"]);
    assert_eq!(cookies(true, &json!({"k": "v w"})), ["k=v%20w"]);
}

#[test]
fn names_on_the_wire_are_encoded() {
    let mut ids = parameter(Place::Query, "ids[]");
    ids.argument = "p".to_owned();
    assert_eq!(query(ids, &json!([1, 2])), "ids%5B%5D=1&ids%5B%5D=2");
}

#[test]
fn structure_inside_an_item_is_json_in_a_query_and_refused_elsewhere() {
    let value = json!([{"a": 1}, [2], "x"]);
    for (explode, expected) in [
        (true, r#"p={"a":1}&p=[2]&p=x"#),
        (false, r#"p={"a":1},[2],x"#),
    ] {
        let written = query(styled(Place::Query, "p", Style::Form, explode), &value);
        let plain = written
            .replace("%7B", "{")
            .replace("%7D", "}")
            .replace("%22", "\"");
        let plain = plain
            .replace("%3A", ":")
            .replace("%5B", "[")
            .replace("%5D", "]");
        assert_eq!(plain, expected);
    }
    for place in [Place::Path, Place::Header, Place::Cookie] {
        let tool = tool().with(parameter(place, "p"));
        assert_eq!(cause(&tool, &json!({"p": [[1]]})), Unsendable::Nested);
    }
}

#[test]
fn reserved_characters_go_out_as_they_are_where_the_document_says_so() {
    let mut reserved = parameter(Place::Query, "p");
    reserved.spelling.allow_reserved = true;
    let text = json!("http://a/?x=1&y=[2]#f, 100%+;");
    assert_eq!(
        query(reserved.clone(), &text),
        "p=http://a/?x%3D1%26y%3D%5B2%5D%23f,%20100%25%2B%3B"
    );
    reserved.spelling.explode = false;
    assert_eq!(query(reserved, &json!(["a/b,c", "d"])), "p=a/b%2Cc,d");
    let mut in_path = parameter(Place::Path, "p");
    in_path.spelling.allow_reserved = true;
    let tool = tool().with(in_path);
    let plan = plan(&tool, &json!({"p": "a:b@c/d?e#f;g,h"})).unwrap();
    assert_eq!(plan.path, "/things/a:b@c%2Fd%3Fe%23f%3Bg%2Ch/end");
}

#[test]
fn a_name_without_a_value_is_sent_where_it_means_something() {
    let mut flag = parameter(Place::Query, "p");
    assert_eq!(query(flag.clone(), &json!([])), "");
    assert_eq!(query(flag.clone(), &json!("")), "p=");
    flag.allow_empty = true;
    for empty in [json!(""), json!([]), json!({})] {
        assert_eq!(query(flag.clone(), &empty), "p=");
    }
    assert_eq!(query(flag, &json!(["a"])), "p=a");
}

#[test]
fn content_is_json_text_wherever_it_goes() {
    let value = json!({"p": {"a": ["é ü", 1]}});
    let sent = |place| {
        let mut whole = parameter(place, "p");
        whole.content = Some(BodyEncoding::Json);
        plan(&tool().with(whole), &value).unwrap()
    };
    let encoded = "%7B%22a%22%3A%5B%22%C3%A9%20%C3%BC%22%2C1%5D%7D";
    assert_eq!(sent(Place::Path).path, format!("/things/{encoded}/end"));
    assert_eq!(sent(Place::Query).query, format!("p={encoded}"));
    assert_eq!(sent(Place::QueryString).query, encoded);
    assert_eq!(
        sent(Place::Header).headers[0].1,
        r#"{"a":["\u00e9 \u00fc",1]}"#
    );
    let cookie = &sent(Place::Cookie).cookies[0].1;
    assert_eq!(cookie, "{%22a%22:[%22%C3%A9%20%C3%BC%22%2C1]}");
}

#[test]
fn white_space_between_the_tokens_of_json_content_is_not_sent() {
    let mut whole = parameter(Place::Header, "p");
    whole.content = Some(BodyEncoding::Json);
    let plan = plan_text(&tool().with(whole), "{\"p\": {\n \"a\": 1.10\n}}").unwrap();
    assert_eq!(plan.headers[0].1, r#"{"a":1.10}"#);
}

#[test]
fn a_whole_query_is_a_form_or_one_text() {
    let sent = |content, value: &Value| {
        let mut whole = parameter(Place::QueryString, "p");
        whole.content = Some(content);
        plan(&tool().with(whole), &json!({"p": value}))
            .unwrap()
            .query
    };
    let deep = FieldEncoding {
        spelling: Some(Spelling::of(Style::DeepObject)),
        ..FieldEncoding::default()
    };
    let form = || BodyEncoding::Form([("f".to_owned(), deep.clone())].into());
    let value = json!({"foo": "a + b", "bar": true, "f": {"x": 1}});
    assert_eq!(sent(form(), &value), "foo=a%20%2B%20b&bar=true&f%5Bx%5D=1");
    assert_eq!(sent(form(), &json!({})), "");
    let path = json!("$.a.b[1:1]");
    assert_eq!(sent(BodyEncoding::Text, &path), "%24.a.b%5B1%3A1%5D");
}
