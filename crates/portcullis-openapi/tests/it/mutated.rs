//! Documents with pieces torn out and put elsewhere: parsing and compiling never panic, and what becomes a tool is sound.

use portcullis_openapi::{Document, Limits};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::golden::assert_sound;

const DOCUMENTS: [&str; 9] = [
    include_str!("../documents/parameters.yaml"),
    include_str!("../documents/bodies.yaml"),
    include_str!("../documents/schemas-3.0.yaml"),
    include_str!("../documents/schemas-3.1.yaml"),
    include_str!("../documents/security.yaml"),
    include_str!("../documents/responses.yaml"),
    include_str!("../documents/broken.yaml"),
    include_str!("../documents/swagger-2.0.yaml"),
    include_str!("../documents/openapi-3.2.yaml"),
];

/// Where to, and what to put there.
type Mutation = (prop::sample::Index, prop::sample::Index, u8);

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn a_mutated_document_yields_sound_tools(
        document in 0..DOCUMENTS.len(),
        mutations in prop::collection::vec(any::<Mutation>(), 1..6),
    ) {
        let mut value: Value = serde_saphyr::from_str(DOCUMENTS[document]).unwrap();
        for mutation in mutations {
            mutate(&mut value, mutation);
        }
        if let Ok(document) = Document::parse(value.to_string().as_bytes(), &Limits::default()) {
            document.tools().0.iter().for_each(assert_sound);
        }
    }

    #[test]
    fn text_with_a_piece_missing_or_doubled_is_read_or_refused(
        document in 0..DOCUMENTS.len(),
        from in any::<prop::sample::Index>(),
        length in 0_usize..200,
        doubled: bool,
    ) {
        let text = DOCUMENTS[document].as_bytes();
        let from = from.index(text.len());
        let to = (from + length).min(text.len());
        let bytes = if doubled { [&text[..to], &text[from..]].concat() } else { [&text[..from], &text[to..]].concat() };
        if let Ok(document) = Document::parse(&bytes, &Limits::default()) {
            document.tools().0.iter().for_each(assert_sound);
        }
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = Document::parse(&bytes, &Limits::default());
    }
}

/// Replaces one value by another of the document or by one of the wrong kind.
fn mutate(document: &mut Value, (at, from, kind): Mutation) {
    let pointers = pointers(document);
    let source = from.get(&pointers).as_str();
    let new = match kind % 8 {
        0 => Value::Null,
        1 => json!(true),
        2 => json!(-7),
        3 => json!("text"),
        4 => json!([]),
        5 => json!({"$ref": format!("#{source}")}),
        _ => document.pointer(source).cloned().unwrap_or_default(),
    };
    let target = at.get(&pointers).as_str();
    if let Some(value) = document.pointer_mut(target) {
        *value = new;
    }
}

fn pointers(document: &Value) -> Vec<String> {
    let mut found = vec![String::new()];
    let mut next = 0;
    while let Some(pointer) = found.get(next).cloned() {
        next += 1;
        match document.pointer(&pointer) {
            Some(Value::Object(members)) => {
                found.extend(
                    members.keys().map(|key| {
                        format!("{pointer}/{}", key.replace('~', "~0").replace('/', "~1"))
                    }),
                );
            }
            Some(Value::Array(items)) => {
                found.extend((0..items.len()).map(|index| format!("{pointer}/{index}")));
            }
            _ => {}
        }
    }
    found
}
