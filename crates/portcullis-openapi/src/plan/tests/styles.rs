//! Every style in every place.

use serde_json::{Value, json};

use super::{cause, plan, plan_text};
use crate::model::{Parameter, Place, Style};
use crate::plan::Unsendable;
use crate::sample::{parameter, styled, tool};

fn path(parameter: Parameter, value: &Value) -> String {
    let tool = tool().with(parameter);
    plan(&tool, &json!({"p": value})).unwrap().path
}

fn query(parameter: Parameter, value: &Value) -> String {
    let tool = tool().with(parameter);
    plan(&tool, &json!({"p": value})).unwrap().query
}

#[test]
fn path_styles_write_what_openapi_shows() {
    let array = json!(["blue", "black"]);
    let object = json!({"R": 100, "G": 200});
    for (style, explode, of_scalar, of_array, of_object) in [
        (Style::Simple, false, "blue", "blue,black", "R,100,G,200"),
        (Style::Simple, true, "blue", "blue,black", "R=100,G=200"),
        (Style::Label, false, ".blue", ".blue,black", ".R,100,G,200"),
        (Style::Label, true, ".blue", ".blue.black", ".R=100.G=200"),
        (
            Style::Matrix,
            false,
            ";p=blue",
            ";p=blue,black",
            ";p=R,100,G,200",
        ),
        (
            Style::Matrix,
            true,
            ";p=blue",
            ";p=blue;p=black",
            ";R=100;G=200",
        ),
    ] {
        let parameter = || styled(Place::Path, "p", style, explode);
        assert_eq!(
            path(parameter(), &json!("blue")),
            format!("/things/{of_scalar}/end")
        );
        assert_eq!(path(parameter(), &array), format!("/things/{of_array}/end"));
        assert_eq!(
            path(parameter(), &object),
            format!("/things/{of_object}/end")
        );
    }
}

#[test]
fn query_styles_write_what_openapi_shows() {
    let array = json!(["blue", "black"]);
    let object = json!({"R": 100, "G": 200});
    for (style, explode, of_array, of_object) in [
        (Style::Form, false, "p=blue,black", "p=R,100,G,200"),
        (Style::Form, true, "p=blue&p=black", "R=100&G=200"),
        (
            Style::SpaceDelimited,
            false,
            "p=blue%20black",
            "p=R%20100%20G%20200",
        ),
        (
            Style::PipeDelimited,
            false,
            "p=blue%7Cblack",
            "p=R%7C100%7CG%7C200",
        ),
        (
            Style::DeepObject,
            true,
            "p%5B0%5D=blue&p%5B1%5D=black",
            "p%5BR%5D=100&p%5BG%5D=200",
        ),
    ] {
        let parameter = || styled(Place::Query, "p", style, explode);
        assert_eq!(query(parameter(), &json!(true)), "p=true");
        assert_eq!(query(parameter(), &array), of_array);
        assert_eq!(query(parameter(), &object), of_object);
    }
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
    assert_eq!(cookies(false, &json!(["a", 1])), ["p=a%2C1"]);
    assert_eq!(cookies(false, &json!({"k": "v"})), ["p=k%2Cv"]);
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
