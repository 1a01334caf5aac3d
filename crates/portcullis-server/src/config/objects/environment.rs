//! Reads environments: which variable each key means, and whether its value may stand where it does.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use portcullis_base::{SafeUrl, Secret, Slug};
use portcullis_openapi::variables::{Purpose, VariableSpec};
use portcullis_store::VariableValue;
use toml::Spanned;

use super::{DocumentObject, EnvironmentObject};
use crate::catalogue::PROCESS_ENVIRONMENT;
use crate::config::file::Named;
use crate::config::problem::did_you_mean;
use crate::config::reading::Reading;

type Keys = BTreeMap<Spanned<String>, Spanned<String>>;

/// Where a key of an environment says that the value is.
#[derive(Clone, Copy)]
enum Form {
    Literal,
    File,
    Process,
}

/// Reads every environment of the file.
pub(in crate::config) fn environments(
    reading: &mut Reading<'_>,
    tables: &Named<Keys>,
    documents: &BTreeMap<Slug, DocumentObject>,
) -> BTreeMap<Slug, EnvironmentObject> {
    let specs: Vec<&VariableSpec> = documents
        .values()
        .flat_map(|document| &document.variables)
        .collect();
    let mut environments = BTreeMap::new();
    for (name, keys) in tables {
        if let Some(slug) = reading.any_slug(name) {
            if slug.as_str() == PROCESS_ENVIRONMENT {
                reading.refuse(
                    name.span(),
                    format!("`{slug}` is what the variables of the process are called where a document is served alone"),
                    "choose another name",
                );
                continue;
            }
            environments.insert(slug, environment(reading, keys, &specs));
        }
    }
    environments
}

fn environment(
    reading: &mut Reading<'_>,
    keys: &Keys,
    specs: &[&VariableSpec],
) -> EnvironmentObject {
    let mut variables = BTreeMap::new();
    let mut set: HashMap<&str, &str> = HashMap::new();
    for (key, value) in keys {
        let (name, form) = split(key.get_ref());
        let Some(spec) = specs.iter().find(|spec| spec.names().any(|it| it == name)) else {
            let names = specs.iter().flat_map(|spec| spec.names());
            reading.refuse(
                key.span(),
                format!("no document reads a variable `{name}`"),
                did_you_mean(name, names.collect::<Vec<_>>()),
            );
            continue;
        };
        if let Some(before) = set.insert(&spec.name, key.get_ref()) {
            reading.refuse(
                key.span(),
                format!("`{}` was set by `{before}` already", spec.name),
                "keep one of the two",
            );
            continue;
        }
        if let Some(value) = read_value(reading, name, form, value, spec) {
            variables.insert(name.to_owned(), value);
        }
    }
    EnvironmentObject { variables }
}

fn split(key: &str) -> (&str, Form) {
    if let Some(name) = key.strip_suffix("_file") {
        (name, Form::File)
    } else if let Some(name) = key.strip_suffix("_env") {
        (name, Form::Process)
    } else {
        (key, Form::Literal)
    }
}

fn read_value(
    reading: &mut Reading<'_>,
    name: &str,
    form: Form,
    value: &Spanned<String>,
    spec: &VariableSpec,
) -> Option<VariableValue> {
    let purpose = spec.purpose;
    let (text, span) = (value.get_ref(), value.span());
    let secret = match form {
        Form::File => reading.secret_in_file(Path::new(text), span.clone())?,
        Form::Process => reading.secret_in_process(text, span.clone())?,
        Form::Literal => Secret::new(text.clone()),
    };
    // An empty password is no secret: it says that there is none.
    if matches!(form, Form::Literal) && purpose.is_secret() && !text.is_empty() {
        reading.refuse(
            span,
            format!("`{name}` is a secret and must not stand in this file"),
            format!("write `{name}_env = \"{name}\"` or `{name}_file = \"path\"`"),
        );
        return None;
    }
    if let Err(fault) = judge(secret.expose(), spec) {
        reading.refuse(
            span,
            format!("the value of `{name}` {fault}"),
            advice(purpose),
        );
        return None;
    }
    Some(match form {
        Form::Literal => VariableValue::Plain(text.clone()),
        Form::File | Form::Process => VariableValue::Secret(secret),
    })
}

/// Says what is wrong with a value, without the value.
pub(super) fn judge(value: &str, spec: &VariableSpec) -> Result<(), String> {
    let purpose = spec.purpose;
    if value.is_empty() && !may_be_empty(purpose) {
        return Err("is empty".to_owned());
    }
    if purpose != Purpose::PrivateKey && value.contains(char::is_control) {
        return Err("contains a line break or another control character".to_owned());
    }
    if let Some(variable) = &spec.server_variable {
        variable.judge(value).map_err(|fault| fault.to_string())?;
    }
    if purpose.is_url() {
        SafeUrl::parse(value).map_err(|error| format!("cannot be used: {error}"))?;
    }
    Ok(())
}

/// Tells whether an empty value is one: APIs whose key is one half of `basic` leave the other empty.
pub(super) fn may_be_empty(purpose: Purpose) -> bool {
    matches!(purpose, Purpose::Username | Purpose::Password)
}

fn advice(purpose: Purpose) -> &'static str {
    match purpose {
        Purpose::ServerUrl => "for example `https://api.example.com/v1`",
        Purpose::TokenUrl => "for example `https://login.example.com/oauth/token`",
        _ => "give the value itself, or leave the variable out",
    }
}
