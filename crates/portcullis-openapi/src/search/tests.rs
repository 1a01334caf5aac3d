//! The order in which tools are found, on a small document.

use super::*;
use crate::{Document, Limits};

const SHOP: &str = r#"{"openapi": "3.1.0", "paths": {
    "/orders": {
        "get": {"operationId": "orders_list", "summary": "List orders", "tags": ["orders"]},
        "post": {"operationId": "orders_create", "summary": "Create an order", "tags": ["orders"]}},
    "/orders/{id}": {
        "parameters": [{"name": "id", "in": "path", "required": true, "schema": {"type": "string"}}],
        "get": {"operationId": "orders_get", "summary": "Get an order", "tags": ["orders"]},
        "patch": {"operationId": "orders_edit", "summary": "Amend an order", "requestBody": {"content": {
            "application/json": {"schema": {"type": "object", "properties": {
                "state": {"type": "string", "enum": ["open", "cancelled"]}}}}}}},
        "delete": {"operationId": "ordersZap", "summary": "Take an order away"}},
    "/orders/{id}/notes": {
        "parameters": [{"name": "id", "in": "path", "required": true, "schema": {"type": "string"}}],
        "get": {"operationId": "notes_list", "summary": "List notes of an order"},
        "post": {"operationId": "notes_create", "summary": "Create a note for an order"}},
    "/customers/search": {
        "get": {"operationId": "customers_search", "description": "Finds customers by their e-mail address. Old customers too."}},
    "/legacy/orders": {
        "get": {"operationId": "legacy_list", "summary": "List orders", "deprecated": true}}
}}"#;

fn index() -> ToolIndex {
    let document = Document::parse(SHOP.as_bytes(), &Limits::default()).unwrap();
    let (tools, _) = document.tools();
    ToolIndex::new(tools.iter().map(|tool| (tool.name.as_str(), tool)))
}

fn first(query: &str) -> String {
    let index = index();
    let found = index.search(query, 1, |_| true);
    found.first().copied().unwrap_or_default().to_owned()
}

#[test]
fn tools_are_found_by_what_is_done_and_to_what() {
    for (query, expected) in [
        ("list all orders", "orders_list"),
        ("create a new order", "orders_create"),
        ("add a note to an order", "notes_create"),
        ("show the notes", "notes_list"),
        ("change an order", "orders_edit"),
        ("find a customer by e-mail", "customers_search"),
        ("customers", "customers_search"),
    ] {
        assert_eq!(first(query), expected, "{query}");
    }
}

#[test]
fn tools_are_found_by_what_people_call_things() {
    for (query, expected) in [
        ("Get rid of order 17, it came twice", "ordersZap"),
        ("Take the last order off", "ordersZap"),
        ("Leave a remark on the order", "notes_create"),
        ("Which client is jane@example.com?", "customers_search"),
        ("Can you fix an order for me?", "orders_edit"),
    ] {
        assert_eq!(first(query), expected, "{query}");
    }
}

#[test]
fn of_tools_that_fit_alike_the_one_that_says_little_else_comes_first() {
    let index = index();
    let found = index.search("order", 9, |_| true);
    let place = |name: &str| found.iter().position(|it| *it == name);
    assert!(place("orders_get") < place("notes_create"), "{found:?}");
}

#[test]
fn a_method_says_what_the_words_do_not() {
    assert_eq!(first("remove an order"), "ordersZap");
    assert_eq!(first("remove"), "ordersZap");
}

#[test]
fn a_tool_is_found_by_what_its_arguments_may_be() {
    assert_eq!(first("cancelled"), "orders_edit");
}

#[test]
fn a_name_that_is_given_comes_first() {
    assert_eq!(first("orders_list legacy_list"), "legacy_list");
    assert_eq!(first("create orders with `ordersZap`"), "ordersZap");
}

#[test]
fn what_the_document_advises_against_comes_after_what_it_does_not() {
    let index = index();
    let found = index.search("list orders", 9, |_| true);
    let place = |name: &str| found.iter().position(|it| *it == name);
    assert!(place("orders_list") < place("legacy_list"), "{found:?}");
}

#[test]
fn only_what_is_admitted_is_found_and_no_more_than_asked_for() {
    let index = index();
    let found = index.search("orders", 3, |name| name.starts_with("orders"));
    assert_eq!(found.len(), 3);
    assert!(found.iter().all(|name| name.starts_with("orders")));
    assert_eq!(index.search("zebra", 5, |_| true), [""; 0]);
    assert_eq!(index.search("Where is the zebra?", 5, |_| true), [""; 0]);
    assert_eq!(index.search("", 5, |_| true), [""; 0]);
    assert_eq!(ToolIndex::default().search("orders", 5, |_| true), [""; 0]);
}

#[test]
fn the_order_is_the_same_each_time() {
    let query = "order note list";
    let once: Vec<String> = index()
        .search(query, 9, |_| true)
        .iter()
        .map(|it| (*it).to_owned())
        .collect();
    for _ in 0..5 {
        assert_eq!(index().search(query, 9, |_| true), once);
    }
}

#[test]
fn a_name_that_does_not_exist_has_nearest_ones() {
    let index = index();
    let nearest = index.nearest("create_order", 2, |_| true);
    assert_eq!(nearest.first(), Some(&"orders_create"));
    let nearest = index.nearest("orderscreate", 1, |_| true);
    assert_eq!(nearest, ["orders_create"]);
    let nearest = index.nearest("orderscreate", 1, |name| name != "orders_create");
    assert!(!nearest.contains(&"orders_create"));
}

#[test]
fn names_are_left_uncompared_only_where_their_lengths_make_them_unlike() {
    for one in 1..=64 {
        for other in 1..=64 {
            let likeness = strsim::jaro_winkler(&"a".repeat(one), &"a".repeat(other));
            let may_be = may_be_misspelled(one, other);
            assert!(may_be || likeness < MISSPELLED, "{one} {other}");
            let is_close = likeness > MISSPELLED - 0.001 || one.min(other) < 4;
            assert!(!may_be || is_close, "{one} {other}");
        }
    }
}

#[test]
fn a_tool_is_told_in_one_line_with_its_arguments() {
    let document = Document::parse(SHOP.as_bytes(), &Limits::default()).unwrap();
    let (tools, _) = document.tools();
    let line = |name: &str| {
        let tool = tools.iter().find(|tool| tool.name == name).unwrap();
        signature(name, tool)
    };
    assert_eq!(
        line("orders_edit"),
        "orders_edit(id*, body{state}) - Amend an order"
    );
    assert_eq!(
        line("customers_search"),
        "customers_search() - Finds customers by their e-mail address"
    );
}

#[test]
fn x_08_a_query_costs_no_more_than_a_long_one() {
    let words: Vec<String> = (0..200_000).map(|number| format!("w{number}")).collect();
    let long = format!("{} orders_list", words.join(" "));
    let index = index();
    assert_eq!(index.search(&long, 5, |_| true), [""; 0]);
    let wide = "\u{20ac}".repeat(500);
    assert_eq!(index.search(&wide, 5, |_| true), [""; 0]);
}
