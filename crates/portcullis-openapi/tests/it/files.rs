//! Documents of several files.

use std::collections::BTreeMap;

use portcullis_openapi::{Bundle, Bundler, Document, FileName, Limits, ReadError, Tool, Tree};
use serde_json::Value;

use crate::golden::assert_sound;

fn name(text: &str) -> FileName {
    FileName::parse(text).unwrap()
}

/// Puts together the first of the files and those that it refers to.
fn try_bundle(files: &[(&str, &str)], tree: Tree, limits: &Limits) -> Result<Bundle, ReadError> {
    let by_name: BTreeMap<&str, &str> = files.iter().copied().collect();
    let (main, text) = files[0];
    let mut bundler = Bundler::new(name(main), tree, text.as_bytes().to_vec(), limits)?;
    loop {
        let wanted = bundler.wanted();
        if wanted.is_empty() {
            return bundler.finish();
        }
        for file in wanted {
            match by_name.get(file.as_str()) {
                Some(text) => bundler.give(&file, text.as_bytes())?,
                None => bundler.withhold(&file, "no such file")?,
            }
        }
    }
}

fn bundle(files: &[(&str, &str)]) -> Bundle {
    try_bundle(files, Tree::Folder, &Limits::default()).unwrap()
}

fn tools(bundle: &Bundle) -> (Vec<Tool>, Vec<String>) {
    let document = Document::parse(&bundle.bytes, &Limits::default()).unwrap();
    let (tools, of_tools) = document.tools();
    tools.iter().for_each(assert_sound);
    let remarks = bundle.diagnostics.iter().chain(&document.diagnostics);
    let remarks = remarks.chain(&of_tools);
    (
        tools,
        remarks
            .map(|it| format!("{} {}", it.code, it.pointer))
            .collect(),
    )
}

fn input(tool: &Tool) -> Value {
    serde_json::from_str(tool.input_schema().get()).unwrap()
}

const PETS: &[(&str, &str)] = &[
    (
        "openapi.yaml",
        "openapi: 3.0.3
info: {title: Pets, description: {$ref: docs/intro.md}}
paths:
  /pets/{id}:
    $ref: paths/pet.yml
  /pets:
    post: {$ref: 'paths/pets%20post.yml'}
components:
  schemas:
    $ref: models/_index.yml
",
    ),
    ("docs/intro.md", "# Pets\n"),
    (
        "paths/pet.yml",
        "parameters:
  - $ref: ../parameters.yml#/petId
get:
  operationId: getPet
  responses:
    '200': {$ref: ../responses.yml#/Pet}
",
    ),
    (
        "paths/pets post.yml",
        "operationId: addPet
requestBody:
  content:
    application/json:
      schema: {$ref: ../openapi.yaml#/components/schemas/Pet}
",
    ),
    (
        "parameters.yml",
        "petId: {name: id, in: path, required: true, schema: {$ref: '#/Id'}}\nId: {type: integer}\nunused: {$ref: nowhere.yml}\n",
    ),
    (
        "responses.yml",
        "Pet: {description: A pet., content: {application/json: {schema: {$ref: models/pet.yml}}}}\n",
    ),
    (
        "models/_index.yml",
        "Pet: {$ref: ./pet.yml}\nOwner: {type: object, properties: {pets: {type: array, items: {$ref: ./pet.yml}}}}\n",
    ),
    (
        "models/pet.yml",
        "type: object
properties:
  name: {type: string, pattern: '('}
  owner: {$ref: '_index.yml#/Owner'}
  parent: {$ref: '#'}
  tag: {$ref: tag.yml}
",
    ),
    ("models/tag.yml", "type: string\nmaxLength: 7\n"),
];

#[test]
fn files_become_one_document() {
    let bundle = bundle(PETS);
    let (tools, remarks) = tools(&bundle);
    let names: Vec<_> = tools.iter().map(|tool| tool.name.as_str()).collect();
    assert_eq!(names, ["getPet", "addPet"]);
    assert_eq!(
        remarks,
        ["pattern-dropped models/pet.yml#/properties/name/pattern"]
    );
    assert_eq!(input(&tools[0])["properties"]["id"]["$ref"], "#/$defs/Id");
    let body = input(&tools[1]);
    assert_eq!(body["properties"]["body"]["$ref"], "#/$defs/Pet");
    let definitions: Vec<_> = body["$defs"].as_object().unwrap().keys().collect();
    assert_eq!(definitions, ["Pet", "Owner", "tag"]);
    let document = Document::parse(&bundle.bytes, &Limits::default()).unwrap();
    assert_eq!(document.description.as_deref(), Some("# Pets"));
    let files: Vec<_> = bundle.files.iter().map(FileName::as_str).collect();
    assert!(
        !files.contains(&"nowhere.yml") && !files.contains(&"openapi.yaml"),
        "{files:?}"
    );
}

#[test]
fn the_same_files_give_the_same_bytes_in_whatever_order_they_come() {
    let by_name: BTreeMap<&str, &str> = PETS.iter().copied().collect();
    let main = PETS[0].1.as_bytes().to_vec();
    let mut bundler =
        Bundler::new(name("openapi.yaml"), Tree::Folder, main, &Limits::default()).unwrap();
    while let Some(file) = bundler.wanted().pop() {
        bundler
            .give(&file, by_name[file.as_str()].as_bytes())
            .unwrap();
    }
    assert_eq!(bundler.finish().unwrap().bytes, bundle(PETS).bytes);
}

#[test]
fn a_document_that_needs_no_file_stays_as_it_is() {
    for text in [
        "# A comment\nopenapi: 3.0.0\npaths: {/a: {get: {parameters: [{$ref: '#/components/parameters/a'}]}}}\n",
        "openapi: 3.0.0\npaths: {/a: {get: {parameters: [{$ref: 'https://example.com/a'}]}}}\n",
    ] {
        assert_eq!(bundle(&[("a.yml", text)]).bytes, text.as_bytes());
    }
}

#[test]
fn files_may_refer_to_each_other_in_a_circle() {
    let files = [
        (
            "a.json",
            r#"{"openapi":"3.1.0","paths":{"/a":{"post":{"requestBody":{"$ref":"b.json"}}}}}"#,
        ),
        (
            "b.json",
            r#"{"content":{"application/json":{"schema":{"$ref":"c.json"}}}}"#,
        ),
        (
            "c.json",
            r#"{"type":"object","properties":{"d":{"$ref":"d.json"}}}"#,
        ),
        (
            "d.json",
            r#"{"type":"object","properties":{"c":{"$ref":"c.json"},"deep":{"$ref":"c.json#/properties/d"}}}"#,
        ),
    ];
    let (tools, remarks) = tools(&bundle(&files));
    assert_eq!((tools.len(), remarks.len()), (1, 0), "{remarks:?}");
    let circle = [
        (
            "a.yml",
            "openapi: 3.0.0\npaths: {/a: {$ref: b.yml}, /c: {get: {}}}\n",
        ),
        ("b.yml", "$ref: c.yml\n"),
        ("c.yml", "$ref: b.yml\n"),
    ];
    let (tools, remarks) = self::tools(&bundle(&circle));
    assert_eq!(tools.len(), 1);
    assert!(
        remarks.contains(&"circular-reference /paths/~1a".to_owned()),
        "{remarks:?}"
    );
}

#[test]
fn files_of_one_name_are_told_apart() {
    let files = [
        (
            "a.yml",
            "openapi: 3.1.0\npaths: {/a: {get: {parameters: [{name: a, in: query, schema: {$ref: x/pet.yml}}, {name: b, in: query, schema: {$ref: y/pet.yml}}]}}}\n",
        ),
        ("x/pet.yml", "{type: integer}\n"),
        ("y/pet.yml", "{type: boolean}\n"),
    ];
    let (tools, _) = tools(&bundle(&files));
    let input = input(&tools[0]);
    let types: Vec<_> = input["$defs"]
        .as_object()
        .unwrap()
        .values()
        .map(|it| &it["type"])
        .collect();
    assert_eq!(types, ["integer", "boolean"]);
}

#[test]
fn identifiers_and_anchors_are_found() {
    let files = [
        (
            "a.yml",
            "openapi: 3.2.0
$self: https://example.com/api/a.yml
paths:
  /a:
    get:
      parameters:
        - {name: a, in: query, schema: {$ref: 'https://example.com/schemas/pet'}}
        - {name: b, in: query, schema: {$ref: 'b.yml#tag'}}
        - {name: c, in: query, schema: {$ref: 'https://example.com/api/b.yml#/c'}}
        - {name: d, in: query, schema: {$ref: 'https://example.com/api/a.yml#/components/schemas/Pet'}}
components:
  schemas:
    Pet: {$id: 'https://example.com/schemas/pet', type: integer}
",
        ),
        ("b.yml", "b: {$anchor: tag, type: boolean}\nc: {type: number}\n"),
    ];
    let (tools, remarks) = tools(&bundle(&files));
    assert_eq!(remarks, Vec::<String>::new());
    let input = input(&tools[0]);
    let type_of = |argument: &str| {
        let reference = input["properties"][argument]["$ref"].as_str().unwrap();
        input.pointer(&reference[1..]).unwrap()["type"].clone()
    };
    assert_eq!(
        ["a", "b", "c", "d"].map(type_of),
        ["integer", "boolean", "number", "integer"]
    );
}

#[test]
fn a_part_of_the_document_that_a_file_means_is_found() {
    let files = [
        (
            "a.yml",
            "openapi: 3.0.0\npaths: {/a: {$ref: b.yml}}\ncomponents: {parameters: {p: {name: p, in: query}}}\n",
        ),
        (
            "b.yml",
            "get: {parameters: [{$ref: '#/components/parameters/p'}]}\n",
        ),
    ];
    let (tools, remarks) = tools(&bundle(&files));
    assert_eq!(tools[0].request.parameters.len(), 1);
    assert_eq!(remarks, ["reference-into-root b.yml#/get/parameters/0"]);
}

#[test]
fn a_file_that_is_missing_or_broken_costs_what_needs_it() {
    let files = [
        (
            "a.yml",
            "openapi: 3.0.0\npaths: {/a: {$ref: gone.yml}, /b: {get: {parameters: [{name: a, in: query, schema: {$ref: bad.yml}}]}}, /c: {$ref: gone.yml}}\n",
        ),
        ("bad.yml", "a: [\n"),
    ];
    let bundle = bundle(&files);
    let (tools, remarks) = tools(&bundle);
    assert_eq!(tools.len(), 1);
    for remark in [
        "missing-file /paths/~1a",
        "missing-file /paths/~1b/get/parameters/0/schema",
        "external-reference /paths/~1c",
    ] {
        assert!(
            remarks.contains(&remark.to_owned()),
            "{remark} in {remarks:?}"
        );
    }
    let messages: Vec<_> = bundle
        .diagnostics
        .iter()
        .map(|it| it.message.as_str())
        .collect();
    assert_eq!(
        messages[0],
        "the file `gone.yml` is not there: no such file"
    );
    assert!(
        messages[1]
            .contains("`bad.yml` is not there: it cannot be read: the document is not valid YAML"),
        "{messages:?}"
    );
}

#[test]
fn s_07_references_out_of_the_folder_are_refused_and_no_file_is_asked_for() {
    for reference in [
        "http://169.254.169.254/latest/meta-data",
        "https://example.com/pet.yml",
        "file:///etc/passwd",
        "FILE:/etc/passwd",
        "//host/pet.yml",
        "\\\\host\\pet.yml",
        "/etc/passwd",
        "../secret.yml",
        "..%2fsecret.yml",
        "%2e%2e/secret.yml",
        "..\\secret.yml",
        "models/../../secret.yml",
        "a%00b.yml",
        "a.yml?b=c",
    ] {
        let text = serde_json::json!({
            "openapi": "3.0.0",
            "paths": {"/a": {"$ref": reference}, "/b": {"get": {"parameters": [{"name": "a", "in": "query", "schema": {"$ref": reference}}]}}},
        })
        .to_string();
        let main = Bundler::new(
            name("a.json"),
            Tree::Folder,
            text.into_bytes(),
            &Limits::default(),
        )
        .unwrap();
        assert_eq!(main.wanted(), [], "{reference}");
        let (tools, remarks) = tools(&main.finish().unwrap());
        assert_eq!(tools.len(), 1, "{reference}");
        for place in ["/paths/~1a", "/paths/~1b/get/parameters/0/schema"] {
            let told =
                ["external-reference", "reference-outside"].map(|code| format!("{code} {place}"));
            assert!(
                told.iter().any(|it| remarks.contains(it)),
                "{reference}: {remarks:?}"
            );
        }
    }
}

#[test]
fn s_07_from_an_origin_only_that_origin_is_asked() {
    let tree = || Tree::Origin("https://example.com/".parse().unwrap());
    let wanted = |reference: &str| {
        let text = format!("openapi: 3.0.0\npaths: {{/a: {{$ref: '{reference}'}}}}\n");
        let main = name("api/v1/openapi.yaml");
        let bundler = Bundler::new(main, tree(), text.into_bytes(), &Limits::default()).unwrap();
        bundler
            .wanted()
            .first()
            .map(|name| name.as_str().to_owned())
    };
    for (reference, file) in [
        ("a.yml", "api/v1/a.yml"),
        ("../a.yml", "api/a.yml"),
        ("/a.yml", "a.yml"),
        ("https://example.com/a%20b.yml", "a b.yml"),
        ("https://EXAMPLE.com:443/a.yml#/x", "a.yml"),
        ("//example.com/a.yml", "a.yml"),
    ] {
        assert_eq!(wanted(reference).as_deref(), Some(file), "{reference}");
    }
    for reference in [
        "http://example.com/a.yml",
        "https://example.com:8443/a.yml",
        "https://example.com.evil.example/a.yml",
        "https://user:secret@example.com/a.yml",
        "https://example.com@evil.example/a.yml",
        "//evil.example/a.yml",
        "\\\\evil.example\\a.yml",
        "https://example.com/a.yml?x=1",
        "../../../a.yml",
        "file:///a.yml",
    ] {
        assert_eq!(wanted(reference), None, "{reference}");
    }
}

#[test]
fn x_01_files_are_bounded_in_number_size_and_depth() {
    let limits = |change: fn(&mut Limits)| {
        let mut limits = Limits::default();
        change(&mut limits);
        limits
    };
    let files = [
        (
            "a.yml",
            "openapi: 3.0.0\npaths: {/a: {$ref: b.yml}, /b: {$ref: c.yml}}\n",
        ),
        (
            "b.yml",
            "get: {description: a text of some length that counts, tags: [a, b, c, d, e, f, g, h]}\n",
        ),
        ("c.yml", "get: {}\n"),
    ];
    let of = |limits: &Limits| try_bundle(&files, Tree::Folder, limits).unwrap_err();
    assert_eq!(
        of(&limits(|it| it.max_files = 1)),
        ReadError::TooManyFiles { limit: 1 }
    );
    assert_eq!(
        of(&limits(|it| it.max_bytes = 100)),
        ReadError::FilesTooLarge { limit: 100 }
    );
    assert!(matches!(
        of(&limits(|it| it.max_nodes = 15)),
        ReadError::TooManyValues { .. }
    ));
    // Each file puts the next into itself.
    let chain: Vec<_> = (0..200)
        .map(|file| {
            (
                format!("{file}.yml"),
                format!("a: {{$ref: {}.yml}}\n", file + 1),
            )
        })
        .collect();
    let mut chain: Vec<_> = chain
        .iter()
        .map(|(name, text)| (name.as_str(), text.as_str()))
        .collect();
    chain.insert(0, ("a.yml", "openapi: 3.0.0\ntags: {$ref: 0.yml}\n"));
    let error = try_bundle(&chain, Tree::Folder, &Limits::default()).unwrap_err();
    assert_eq!(error, ReadError::TooDeep { limit: 100 });
}

#[test]
fn x_01_a_file_that_is_put_into_many_places_is_bounded() {
    let levels: Vec<_> = (0..8)
        .map(|level| {
            let item = format!("{{$ref: {}.yml}}", level + 1);
            (
                format!("{level}.yml"),
                format!("[{}]\n", [item.as_str(); 10].join(", ")),
            )
        })
        .collect();
    let mut files: Vec<_> = levels
        .iter()
        .map(|(name, text)| (name.as_str(), text.as_str()))
        .collect();
    files.insert(0, ("a.yml", "openapi: 3.0.0\ntags: {$ref: 0.yml}\n"));
    let limits = Limits {
        max_nodes: 100_000,
        ..Limits::default()
    };
    assert!(matches!(
        try_bundle(&files, Tree::Folder, &limits),
        Err(ReadError::TooManyValues { .. })
    ));
}

#[test]
fn pieces_of_swagger_2_become_definitions() {
    let files = [
        (
            "a.yml",
            "swagger: '2.0'\npaths: {/a: {post: {parameters: [{$ref: 'p.yml#/body'}]}}}\n",
        ),
        (
            "p.yml",
            "body: {in: body, name: body, schema: {$ref: pet.yml}}\n",
        ),
        ("pet.yml", "{type: object}\n"),
    ];
    let value: Value = serde_json::from_slice(&bundle(&files).bytes).unwrap();
    assert_eq!(
        value["paths"]["/a"]["post"]["parameters"][0]["$ref"],
        "#/parameters/body"
    );
    assert_eq!(
        value["parameters"]["body"]["schema"]["$ref"],
        "#/definitions/pet"
    );
    assert_eq!(value["definitions"]["pet"]["type"], "object");
}
