//! Names of tools over a whole document.

use std::collections::{BTreeMap, BTreeSet};

use portcullis_openapi::{Document, Limits};

fn names(text: &str) -> BTreeMap<String, String> {
    let (tools, _) = Document::parse(text.as_bytes(), &Limits::default())
        .unwrap()
        .tools();
    tools
        .into_iter()
        .map(|tool| (tool.pointer, tool.name))
        .collect()
}

#[test]
fn names_do_not_depend_on_the_order_of_the_document() {
    let lines = [
        "  /a: {get: {operationId: same}, post: {}}\n",
        "  /b: {get: {operationId: same}}\n",
        "  /b/: {get: {operationId: Same}}\n",
        "  /c/{d}: {get: {}}\n",
        "  /c/d: {get: {}}\n",
    ];
    let forward = names(&format!("openapi: 3.0.0\npaths:\n{}", lines.concat()));
    let mut reversed = lines;
    reversed.reverse();
    assert_eq!(
        forward,
        names(&format!("openapi: 3.0.0\npaths:\n{}", reversed.concat()))
    );
    let unique: BTreeSet<_> = forward.values().map(|name| name.to_lowercase()).collect();
    assert_eq!(unique.len(), 6);
}
