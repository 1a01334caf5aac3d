//! The tables "Style Examples" of OpenAPI 3.0.4, 3.1.1 and 3.2.0, one row for each cell, and what becomes of the cells that are not defined there.

use serde_json::{Value, json};

use super::{cause, plan};
use crate::model::{Place, Style};
use crate::plan::Unsendable;
use crate::sample::{styled, tool};

/// What is sent of `color`: the path's segment, the query, the header's value or the cookies.
fn sent(place: Place, style: Style, explode: bool, value: &Value) -> String {
    let mut color = styled(place, "color", style, explode);
    color.required = true;
    let plan = plan(&tool().with(color), &json!({"color": value})).unwrap();
    match place {
        Place::Path => {
            let path = plan.path.strip_prefix("/things/").unwrap();
            path.strip_suffix("/end").unwrap().to_owned()
        }
        Place::Query | Place::QueryString => plan.query,
        Place::Header => plan.headers[0].1.clone(),
        Place::Cookie => {
            let pairs = plan.cookies.iter();
            let pairs: Vec<_> = pairs
                .map(|(name, value)| format!("{name}={value}"))
                .collect();
            pairs.join("; ")
        }
    }
}

fn values() -> [Value; 4] {
    [
        json!(null),
        json!("blue"),
        json!(["blue", "black", "brown"]),
        json!({"R": 100, "G": 200, "B": 150}),
    ]
}

fn check(place: Place, style: Style, explode: bool, cells: [&str; 4]) {
    for (value, cell) in values().iter().zip(cells) {
        let row = format!("{place:?} {style:?} {explode} {value}");
        assert_eq!(sent(place, style, explode, value), cell, "{row}");
    }
}

#[test]
fn each_cell_of_the_table_for_paths() {
    let lists = ["blue,black,brown", "R,100,G,200,B,150"];
    for (style, explode, cells) in [
        (
            Style::Matrix,
            false,
            [
                ";color",
                ";color=blue",
                ";color=blue,black,brown",
                ";color=R,100,G,200,B,150",
            ],
        ),
        (
            Style::Matrix,
            true,
            [
                ";color",
                ";color=blue",
                ";color=blue;color=black;color=brown",
                ";R=100;G=200;B=150",
            ],
        ),
    ] {
        check(Place::Path, style, explode, cells);
    }
    for (style, explode, cells) in [
        (
            Style::Label,
            false,
            [".blue", ".blue,black,brown", ".R,100,G,200,B,150"],
        ),
        (
            Style::Label,
            true,
            [".blue", ".blue.black.brown", ".R=100.G=200.B=150"],
        ),
        (Style::Simple, false, ["blue", lists[0], lists[1]]),
        (Style::Simple, true, ["blue", lists[0], "R=100,G=200,B=150"]),
    ] {
        for (value, cell) in values().iter().skip(1).zip(cells) {
            assert_eq!(
                sent(Place::Path, style, explode, value),
                cell,
                "{style:?} {explode}"
            );
        }
        // `.` and nothing are what the table shows; as a segment of a path they lead elsewhere (O-01).
        let tool = tool().with(styled(Place::Path, "color", style, explode));
        assert_eq!(
            cause(&tool, &json!({"color": null})),
            Unsendable::EmptyInPath
        );
    }
}

#[test]
fn each_cell_of_the_table_for_queries() {
    let exploded = "color=blue&color=black&color=brown";
    for (style, explode, cells) in [
        (
            Style::Form,
            false,
            [
                "color=",
                "color=blue",
                "color=blue,black,brown",
                "color=R,100,G,200,B,150",
            ],
        ),
        (
            Style::Form,
            true,
            ["color=", "color=blue", exploded, "R=100&G=200&B=150"],
        ),
        (
            Style::SpaceDelimited,
            false,
            [
                "",
                "color=blue",
                "color=blue%20black%20brown",
                "color=R%20100%20G%20200%20B%20150",
            ],
        ),
        (
            Style::PipeDelimited,
            false,
            [
                "",
                "color=blue",
                "color=blue%7Cblack%7Cbrown",
                "color=R%7C100%7CG%7C200%7CB%7C150",
            ],
        ),
        // Not defined: exploded, they are `form`.
        (
            Style::SpaceDelimited,
            true,
            ["", "color=blue", exploded, "R=100&G=200&B=150"],
        ),
        (
            Style::PipeDelimited,
            true,
            ["", "color=blue", exploded, "R=100&G=200&B=150"],
        ),
    ] {
        check(Place::Query, style, explode, cells);
    }
    for explode in [false, true] {
        let object = "color%5BR%5D=100&color%5BG%5D=200&color%5BB%5D=150";
        // Not defined: lists and plain values.
        let list = "color%5B%5D=blue&color%5B%5D=black&color%5B%5D=brown";
        let cells = ["", "color=blue", list, object];
        check(Place::Query, Style::DeepObject, explode, cells);
    }
}

#[test]
fn each_cell_of_the_table_for_headers() {
    let list = "blue,black,brown";
    let cells = ["", "blue", list, "R,100,G,200,B,150"];
    check(Place::Header, Style::Simple, false, cells);
    let cells = ["", "blue", list, "R=100,G=200,B=150"];
    check(Place::Header, Style::Simple, true, cells);
}

#[test]
fn each_cell_of_the_table_for_cookies() {
    for style in [Style::Form, Style::Cookie] {
        let cells = [
            "color=",
            "color=blue",
            "color=blue,black,brown",
            "color=R,100,G,200,B,150",
        ];
        check(Place::Cookie, style, false, cells);
        // For `form` the table has `&` in between, which Appendix D calls the wrong delimiter for cookies.
        let exploded = "color=blue; color=black; color=brown";
        let cells = ["color=", "color=blue", exploded, "R=100; G=200; B=150"];
        check(Place::Cookie, style, true, cells);
    }
}

#[test]
fn empty_texts_and_lists_are_written_as_rfc_6570_shows() {
    for (place, style, value, expected) in [
        (Place::Path, Style::Matrix, json!(""), ";color"),
        (Place::Path, Style::Matrix, json!([""]), ";color"),
        (
            Place::Path,
            Style::Matrix,
            json!(["a", ""]),
            ";color=a;color",
        ),
        (
            Place::Path,
            Style::Matrix,
            json!({"a": "", "b": 1}),
            ";a;b=1",
        ),
        (Place::Path, Style::Simple, json!(["", "a"]), ",a"),
        (Place::Query, Style::Form, json!(""), "color="),
        (Place::Query, Style::Form, json!([""]), "color="),
        (Place::Query, Style::Form, json!([]), ""),
        (Place::Query, Style::Form, json!({}), ""),
        (
            Place::Query,
            Style::DeepObject,
            json!({"a": ""}),
            "color%5Ba%5D=",
        ),
        (Place::Header, Style::Simple, json!([]), ""),
        (Place::Cookie, Style::Cookie, json!(""), "color="),
        (Place::Cookie, Style::Form, json!([]), ""),
    ] {
        assert_eq!(
            sent(place, style, true, &value),
            expected,
            "{style:?} {value}"
        );
    }
}
