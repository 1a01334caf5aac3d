//! Which arguments page, and what answers say of the next page.

use serde_json::value::RawValue;
use serde_json::{Value, json};
use url::form_urlencoded;

use super::{Pagination, Role, link, roles};
use crate::document::Document;
use crate::limits::Limits;
use crate::model::{Place, Tool};
use crate::sample::{parameter, tool};

/// A tool with query parameters; a name with `#` behind it is a number by its schema, one with `$` a text, one with `?` a switch.
fn paging(names: &[&str]) -> Tool {
    let bare = |name: &str| name.trim_end_matches(['#', '$', '?']).to_owned();
    let properties = names.iter().map(|name| {
        let schema = match name.chars().last() {
            Some('#') => json!({"type": ["integer", "null"]}),
            Some('$') => json!({"type": "string"}),
            Some('?') => json!({"type": "boolean"}),
            _ => json!({}),
        };
        (bare(name), schema)
    });
    let properties: serde_json::Map<String, Value> = properties.collect();
    let tool = names.iter().fold(tool(), |tool, name| {
        tool.with(parameter(Place::Query, &bare(name)))
    });
    tool.checking(&json!({"type": "object", "properties": properties}))
}

fn next(tool: &Tool, link: Option<&str>, body: &str) -> Option<String> {
    let raw: Option<&RawValue> = serde_json::from_str(body).ok();
    let said = Pagination::of(tool).next(link, raw, raw)?;
    let said = said.strip_prefix("There is more: call again with ")?;
    said.strip_suffix('.').map(str::to_owned)
}

#[test]
fn the_role_of_an_argument_follows_from_its_name() {
    for (names, expected) in [
        (
            &["page", "page[number]", "pageNumber", "page_no"][..],
            Role::Page,
        ),
        (
            &["offset", "$skip", "startAt", "page[offset]"],
            Role::Offset,
        ),
        (
            &[
                "cursor",
                "after",
                "starting_after",
                "pageToken",
                "NextToken",
                "$skiptoken",
                "page[after]",
                "start_cursor",
            ],
            Role::Cursor,
        ),
        (
            &[
                "per_page",
                "limit",
                "$top",
                "PageSize",
                "page[size]",
                "maxResults",
            ],
            Role::Size,
        ),
        (&["fields", "$select", "opt_fields"], Role::Fields),
        (
            &["q", "before", "since", "owner", "page_title", "token"],
            Role::Other,
        ),
    ] {
        for name in names {
            assert_eq!(roles::role(name), expected, "{name}");
        }
    }
}

#[test]
fn a_role_that_the_type_cannot_have_is_none() {
    let tool = paging(&["$count?", "start$", "limit$", "offset#"]);
    let found = roles::arguments(&tool);
    let roles: Vec<_> = found.iter().map(|it| it.role).collect();
    let expected = [Role::Other, Role::Other, Role::Size, Role::Offset];
    assert_eq!(roles, expected);
}

#[test]
fn the_next_link_is_told_in_the_arguments_words() {
    let tool = paging(&["page#", "per_page#", "q"]);
    for (header, expected) in [
        (
            r#"<https://api.example/x?page=3&per_page=2>; rel="next""#,
            Some("`page: 3`"),
        ),
        (
            r#"</x?a=1>; rel="prev first", </x?q=a&page=4>; REL=Next; title="a, b""#,
            Some("`page: 4`"),
        ),
        (r#"<?page=5>; rel="last next""#, Some("`page: 5`")),
        (r#"</x?page=3>; rel="last""#, None),
        (r#"</x?page=3>; rel="prev"; rel="next""#, None),
        (r#"</x>; rel="next""#, None),
        (r#"</x?other=3>; rel="next""#, None),
        ("<", None),
        ("", None),
    ] {
        assert_eq!(
            next(&tool, Some(header), "[]").as_deref(),
            expected,
            "{header}"
        );
    }
    let by_mark = paging(&["since#", "per_page#"]);
    let header = r#"<https://api.example/users?per_page=2&since=135>; rel="next""#;
    assert_eq!(
        next(&by_mark, Some(header), "[]").as_deref(),
        Some("`per_page: 2`, `since: 135`")
    );
    assert_eq!(next(&self::tool(), Some(header), "[]"), None);
}

#[test]
fn a_link_is_read_to_the_comma_that_ends_it() {
    for (header, expected) in [
        (
            r#"<a>; title="\", <x>; rel=\"next\"", <b>; rel=next"#,
            Some("b"),
        ),
        ("<a,b;c>;rel=\"next\"", Some("a,b;c")),
        ("<a>; rel=\"nextest\", <b>", None),
    ] {
        assert_eq!(link::next(header), expected, "{header}");
    }
}

type Case<'a> = (&'a [&'a str], Value, Option<&'a str>);

fn check<const N: usize>(cases: [Case<'_>; N]) {
    for (names, body, expected) in cases {
        let said = next(&paging(names), None, &body.to_string());
        assert_eq!(said.as_deref(), expected, "{body}");
    }
}

#[test]
fn a_cursor_in_the_answer_becomes_an_argument() {
    check([
        (
            &["cursor", "limit"][..],
            json!({"ok": true, "response_metadata": {"next_cursor": "dXNlcjpV="}}),
            Some(r#"`cursor: "dXNlcjpV="`"#),
        ),
        (
            &["cursor"],
            json!({"response_metadata": {"next_cursor": ""}}),
            None,
        ),
        (
            &["pageToken"],
            json!({"nextPageToken": "a\"b", "items": []}),
            Some(r#"`pageToken: "a\"b"`"#),
        ),
        (
            &["after", "page_token"],
            json!({"next_page_token": "t"}),
            Some(r#"`page_token: "t"`"#),
        ),
        (
            &["nextToken"],
            json!({"NextToken": "t"}),
            Some(r#"`nextToken: "t"`"#),
        ),
        (
            &["cursor"],
            json!({"data": [], "pagination": {"cursor": "t"}}),
            Some(r#"`cursor: "t"`"#),
        ),
        (&["cursor"], json!({"items": [{"next_cursor": "no"}]}), None),
        (
            &["after"],
            json!({"page_info": {"has_next_page": false, "end_cursor": "x"}}),
            None,
        ),
        (
            &["after"],
            json!({"pageInfo": {"hasNextPage": true, "endCursor": "x"}}),
            Some(r#"`after: "x"`"#),
        ),
        (
            &["continue"],
            json!({"metadata": {"continue": "eyJ"}, "items": []}),
            Some(r#"`continue: "eyJ"`"#),
        ),
        (
            &["cursor#"],
            json!({"next_cursor": "17"}),
            Some("`cursor: 17`"),
        ),
        (
            &["cursor$"],
            json!({"next_cursor": "17"}),
            Some(r#"`cursor: "17"`"#),
        ),
        (&["q"], json!({"next_cursor": "x"}), None),
    ]);
}

#[test]
fn the_last_id_is_an_argument_where_there_is_more() {
    check([
        (
            &["starting_after", "limit"],
            json!({"has_more": true, "data": [{"id": "a"}, {"id": "b"}]}),
            Some(r#"`starting_after: "b"`"#),
        ),
        (
            &["starting_after"],
            json!({"has_more": false, "data": [{"id": "a"}]}),
            None,
        ),
        (
            &["after_id"],
            json!({"has_more": true, "last_id": "z", "data": [{"id": "y"}]}),
            Some(r#"`after_id: "z"`"#),
        ),
    ]);
}

#[test]
fn a_url_in_the_answer_becomes_an_argument() {
    check([
        (
            &["page"],
            json!({"count": 9, "next": "https://x.example/?page=2", "results": []}),
            Some("`page: 2`"),
        ),
        (
            &["$skiptoken"],
            json!({"@odata.nextLink": "https://x.example/v?$skiptoken=X%20Y", "value": []}),
            Some(r#"`$skiptoken: "X Y"`"#),
        ),
        (
            &["page"],
            json!({"_links": {"next": {"href": "/v?page=3&q=1"}}}),
            Some("`page: 3`"),
        ),
        (
            &["page"],
            json!({"links": {"pages": {"next": "https://x.example/?page=2"}}}),
            Some("`page: 2`"),
        ),
        (
            &["page[number]"],
            json!({"links": {"next": "/v?page%5Bnumber%5D=4"}, "data": []}),
            Some("`page[number]: 4`"),
        ),
        (
            &["after"],
            json!({"paging": {"next": {"after": "NTI=", "link": "?after=NTI%3D"}}}),
            Some(r#"`after: "NTI="`"#),
        ),
        (
            &["_getpagesoffset", "page"],
            json!({"link": [{"relation": "self", "url": "/?page=1"}, {"relation": "next", "url": "/?page=2"}]}),
            Some("`page: 2`"),
        ),
        (
            &["page"],
            json!({"next": "https://x.example/?page=2&api_key=secret"}),
            Some("`page: 2`"),
        ),
        (
            &["after"],
            json!({"paging": {"cursors": {"after": "x"}}}),
            None,
        ),
    ]);
}

#[test]
fn counts_in_the_answer_become_an_argument() {
    check([
        (
            &["page"],
            json!({"meta": {"next_page": 3}}),
            Some("`page: 3`"),
        ),
        (&["page#"], json!({"next_page": "3"}), Some("`page: 3`")),
        (
            &["page"],
            json!({"page": 1, "total_pages": 2}),
            Some("`page: 2`"),
        ),
        (&["page"], json!({"page": 2, "total_pages": 2}), None),
        (
            &["page"],
            json!({"meta": {"current_page": 1, "last_page": 9}}),
            Some("`page: 2`"),
        ),
        (
            &["page"],
            json!({"page": {"number": 0, "totalPages": 1}}),
            None,
        ),
        (
            &["page"],
            json!({"page": {"number": 0, "totalPages": 2}}),
            Some("`page: 1`"),
        ),
        (
            &["page"],
            json!({"number": 3, "last": false}),
            Some("`page: 4`"),
        ),
        (
            &["page"],
            json!({"page": 1, "per_page": 10, "total": 11}),
            Some("`page: 2`"),
        ),
        (
            &["page"],
            json!({"page": 1, "per_page": 10, "total": 10}),
            None,
        ),
        (
            &["offset"],
            json!({"offset": 20, "limit": 10, "total": 31}),
            Some("`offset: 30`"),
        ),
        (
            &["offset"],
            json!({"offset": 20, "limit": 10, "total": 30}),
            None,
        ),
        (
            &["offset"],
            json!({"offset": 0, "limit": 25, "more": true}),
            Some("`offset: 25`"),
        ),
        (
            &["startAt"],
            json!({"startAt": 50, "maxResults": 50, "total": 200, "isLast": false}),
            Some("`startAt: 100`"),
        ),
        (
            &["offset"],
            json!({"offset": u64::MAX, "limit": 1, "total": 3}),
            None,
        ),
        (&["page"], json!({"page": u64::MAX, "has_more": true}), None),
    ]);
}

#[test]
fn a_member_of_a_body_is_named_with_the_body() {
    let document = json!({
        "openapi": "3.1.0",
        "paths": {"/search": {"post": {"requestBody": {"content": {"application/json": {
            "schema": {"$ref": "#/components/schemas/Search"}
        }}}}}},
        "components": {"schemas": {"Search": {"type": "object", "properties": {
            "start_cursor": {"type": "string"}, "page_size": {"type": "integer"}, "query": {}
        }}}},
    });
    let document = Document::parse(document.to_string().as_bytes(), &Limits::default());
    let (tools, _) = document.unwrap().tools();
    let body = r#"{"next_cursor":"17","has_more":true}"#;
    assert_eq!(
        next(&tools[0], None, body).as_deref(),
        Some("`start_cursor: \"17\"` in `body`")
    );
    assert_eq!(
        Pagination::of(&tools[0]).fewer(None).as_deref(),
        Some(
            "ask for fewer at a time by `page_size` in `body`, and for the next by `start_cursor` in `body`"
        )
    );
}

#[test]
fn what_is_not_an_object_says_nothing() {
    let tool = paging(&["page", "cursor"]);
    for body in [
        "[]",
        "3",
        "null",
        "\"next_cursor\"",
        "{\"next\":\"\\ud800?\"}",
    ] {
        assert_eq!(next(&tool, None, body), None);
    }
}

#[test]
fn o_11_a_long_value_is_pointed_at() {
    let tool = paging(&["cursor"]);
    let body = json!({"next_cursor": "x".repeat(5000)}).to_string();
    assert_eq!(
        next(&tool, None, &body).as_deref(),
        Some("`cursor` from the answer's `next_cursor`")
    );
    let name = format!("next_\u{202e}`\ncursor{}", "-".repeat(100));
    let body = json!({name: "x".repeat(5000)}).to_string();
    let said = next(&tool, None, &body).unwrap();
    assert!(said.starts_with("`cursor` from the answer's `next_cursor---"));
    assert!(said.ends_with("-…`") && said.len() < 120, "{said}");
}

#[test]
fn a_long_value_is_pointed_at_where_the_projection_has_it() {
    let tool = paging(&["cursor"]);
    let value = "x".repeat(5000);
    let whole = crate::sample::raw(&json!({"next_cursor": value, "items": []}));
    let said = |shown: Value| {
        let shown = crate::sample::raw(&shown);
        Pagination::of(&tool).next(None, Some(&whole), Some(&shown))
    };
    assert_eq!(
        said(json!({"meta": {"go_on": value}})).as_deref(),
        Some("There is more: call again with `cursor` from the answer's `meta.go_on`.")
    );
    for shown in [
        json!([]),
        json!({"next_cursor": "x"}),
        json!({"kept": {"go_on": value}}),
    ] {
        assert_eq!(
            said(shown).as_deref(),
            Some(
                "There is more: call again with `cursor`, whose value cannot be seen at the top of the projected answer."
            )
        );
    }
}

#[test]
fn o_11_neither_long_values_nor_urls_are_repeated() {
    let tool = paging(&["starting_after", "cursor"]);
    for value in ["x".repeat(5000), "https://x.example/?key=secret".to_owned()] {
        let last = json!({"has_more": true, "last_id": value}).to_string();
        assert_eq!(next(&tool, None, &last), None);
        let listed = json!({"has_more": true, "data": [{"id": value}]}).to_string();
        assert_eq!(next(&tool, None, &listed), None);
        let query: String = form_urlencoded::byte_serialize(value.as_bytes()).collect();
        let header = format!("</v?cursor={query}>; rel=next");
        assert_eq!(next(&tool, Some(&header), "[]"), None);
    }
}

#[test]
fn the_way_to_fewer_names_what_the_tool_has() {
    for (names, expected) in [
        (
            &["page", "per_page"][..],
            Some("ask for fewer at a time by `per_page` (such as 40), and for the next by `page`"),
        ),
        (
            &["limit", "fields"],
            Some("ask for fewer by `limit`, or for less of each by `fields`"),
        ),
        (&["cursor"], Some("ask for the next by `cursor`")),
        (&["$select"], Some("ask for less of each by `$select`")),
        (&["q"], None),
    ] {
        let pagination = Pagination::of(&paging(names));
        assert_eq!(pagination.fewer(Some(40)).as_deref(), expected);
    }
}
