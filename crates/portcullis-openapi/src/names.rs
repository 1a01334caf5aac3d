//! Names of tools and of their arguments, as models and clients can use them.
//!
//! A tool's name depends on its operation alone, unless another operation would have the same name; then each of them carries a digest of its own method and path.
//! So names do not change when a document is reordered or grows.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use sha2::{Digest, Sha256};

use crate::model::Parameter;

/// Longest tool name; clients put prefixes of their own before it and have limits of 64.
const MAX_TOOL_NAME: usize = 48;
/// Hexadecimal digits of a digest in a name.
const DIGEST_DIGITS: usize = 6;
/// Hexadecimal digits of the longest digest in a name.
const MAX_DIGEST_DIGITS: usize = MAX_TOOL_NAME - 8;
/// Longest argument name.
const MAX_ARGUMENT_NAME: usize = 64;
/// The name of the argument that holds the body.
const BODY: &str = "body";
/// The name of the argument that chooses the body's media type.
const CHOOSER: &str = "content_type";

/// What a tool is named after.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ToolSubject<'d> {
    pub(crate) operation_id: Option<&'d str>,
    pub(crate) method: &'d str,
    pub(crate) path: &'d str,
}

/// Names tools, each once, in the order of their subjects.
pub(crate) fn tool_names(subjects: &[ToolSubject<'_>]) -> Vec<String> {
    let plain: Vec<String> = subjects
        .iter()
        .map(|subject| shortened(subject, 0))
        .collect();
    let mut uses: HashMap<String, usize> = HashMap::new();
    for name in &plain {
        *uses.entry(name.to_ascii_lowercase()).or_default() += 1;
    }
    let mut taken = HashSet::new();
    let unique = plain.into_iter().zip(subjects).map(|(plain, subject)| {
        let clashes = uses
            .get(&plain.to_ascii_lowercase())
            .is_some_and(|&uses| uses > 1);
        if !clashes && taken.insert(plain.to_ascii_lowercase()) {
            return plain;
        }
        with_digest(subject, &mut taken)
    });
    unique.collect()
}

/// Names a tool whose plain name is not free, and takes the name; `taken` is in lower case.
///
/// More often tried, the digest has more digits, and then others: a document may call operations what digests would say, yet not all of them.
pub(crate) fn with_digest(subject: &ToolSubject<'_>, taken: &mut HashSet<String>) -> String {
    let mut times = 1;
    loop {
        let name = shortened(subject, times);
        if taken.insert(name.to_ascii_lowercase()) {
            return name;
        }
        times += 1;
    }
}

/// The operation's id, or its method and path, in the characters that names have.
fn readable(subject: &ToolSubject<'_>) -> String {
    let id = subject
        .operation_id
        .map(|id| plain(id, |c| matches!(c, '_' | '-')))
        .unwrap_or_default();
    let id = id.trim_end_matches('_');
    let name = if id.is_empty() {
        let path = plain(subject.path, |c| matches!(c, '_' | '-'));
        format!("{}_{path}", subject.method.to_ascii_lowercase())
    } else if id.starts_with(|c: char| c.is_ascii_digit()) {
        // Some models take no name that begins with a digit.
        format!("{}_{id}", subject.method.to_ascii_lowercase())
    } else {
        id.to_owned()
    };
    name.trim_end_matches('_').to_owned()
}

/// The readable name, cut to length; with a digest where it is cut or has been tried so many times.
pub(crate) fn shortened(subject: &ToolSubject<'_>, times: usize) -> String {
    let name = readable(subject);
    if name.len() <= MAX_TOOL_NAME && times == 0 {
        return name;
    }
    let digits = times.saturating_mul(DIGEST_DIGITS);
    let round = (digits > MAX_DIGEST_DIGITS + DIGEST_DIGITS).then(|| times.to_string());
    let identity = [
        subject.operation_id.unwrap_or_default(),
        subject.method,
        subject.path,
    ];
    let identity: Vec<&str> = identity.into_iter().chain(round.as_deref()).collect();
    let digest = digest(&identity, digits.clamp(DIGEST_DIGITS, MAX_DIGEST_DIGITS));
    let room = MAX_TOOL_NAME - digest.len() - 1;
    let head = name.get(..room).unwrap_or(&name);
    // Cut at the end of a word where one is near.
    let word_end = head
        .rfind(['_', '-'])
        .filter(|&end| name.len() > room && end > room / 2);
    let head = word_end.and_then(|end| head.get(..end)).unwrap_or(head);
    format!("{}_{digest}", head.trim_end_matches(['_', '-']))
}

/// What an argument is named after: its rank among names that clash (lower goes first), a word for its place, and its name on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct ArgumentSubject<'d> {
    pub(crate) rank: u8,
    pub(crate) place: &'static str,
    pub(crate) name: &'d str,
}

/// Names the arguments of one tool, each once, in the order of their subjects, whatever that order is.
pub(crate) fn argument_names(subjects: &[ArgumentSubject<'_>]) -> Vec<String> {
    let mut names: Vec<String> = subjects.iter().map(|it| argument(it.name)).collect();
    let mut order: Vec<_> = subjects.iter().zip(&mut names).collect();
    // A name that needs no change keeps itself before one that only comes to look like it.
    order.sort_by_key(|(subject, name)| (**name != subject.name, **subject));
    let mut taken = HashSet::new();
    // The number to go on at, so that many names that clash do not try each other's.
    let mut numbers: HashMap<String, u32> = HashMap::new();
    for (subject, name) in order {
        if taken.insert(name.clone()) {
            continue;
        }
        let placed = argument(&format!("{}_{name}", subject.place));
        let next = numbers.entry(name.clone()).or_insert(2);
        let numbered = std::iter::from_fn(|| {
            let number = *next;
            *next = number.checked_add(1)?;
            Some(argument(&format!("{name}_{number}")))
        });
        let free = std::iter::once(placed)
            .chain(numbered)
            .find(|name| taken.insert(name.clone()));
        *name = free.expect("numbers do not end");
    }
    names
}

/// The names of the arguments that make a body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct BodyArguments {
    /// Holds the body.
    pub(crate) body: String,
    /// Chooses its media type.
    pub(crate) chooser: String,
}

/// Names the arguments that make a body, beside those of the parameters.
pub(crate) fn body_arguments(parameters: &[Arc<Parameter>]) -> BodyArguments {
    BodyArguments {
        body: free(BODY, "request_body", parameters),
        chooser: free(CHOOSER, "body_content_type", parameters),
    }
}

fn free(name: &str, other: &str, parameters: &[Arc<Parameter>]) -> String {
    let candidates = [name.to_owned(), other.to_owned()];
    let numbered = (2_u32..).map(|number| format!("{name}_{number}"));
    let is_free = |name: &String| {
        !parameters
            .iter()
            .any(|parameter| parameter.argument == *name)
    };
    candidates
        .into_iter()
        .chain(numbered)
        .find(is_free)
        .expect("numbers do not end")
}

/// A name of an argument in the characters that all models take; `<` and `>` become words since they tell parameters apart.
fn argument(name: &str) -> String {
    let name = if name.contains(['<', '>']) {
        let name = name.replace(">=", "_gte").replace("<=", "_lte");
        Cow::Owned(name.replace('>', "_gt").replace('<', "_lt"))
    } else {
        Cow::Borrowed(name)
    };
    let plain = plain(&name, |c| matches!(c, '_' | '-' | '.'));
    if plain.is_empty() {
        return format!("argument_{}", digest(&[&name], DIGEST_DIGITS));
    }
    match plain.get(..MAX_ARGUMENT_NAME - 7) {
        Some(head) if plain.len() > MAX_ARGUMENT_NAME => {
            format!("{head}_{}", digest(&[&name], DIGEST_DIGITS))
        }
        _ => plain,
    }
}

/// Keeps ASCII letters, digits and what `also` allows, and joins the rest with one `_`; a name that needs no change is not changed.
fn plain(name: &str, also: impl Fn(char) -> bool) -> String {
    let keep = |c: char| c.is_ascii_alphanumeric() || also(c);
    if name.chars().all(keep) && name.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_') {
        return name.to_owned();
    }
    let mut plain = String::with_capacity(name.len());
    for c in name.chars() {
        if keep(c) {
            plain.push(c);
        } else if !plain.is_empty() && !plain.ends_with('_') {
            plain.push('_');
        }
    }
    plain
        .trim_matches(|c: char| !c.is_ascii_alphanumeric())
        .to_owned()
}

/// The first hexadecimal digits of a digest of the parts.
fn digest(parts: &[&str], digits: usize) -> String {
    let mut hasher = Sha256::new();
    for part in parts {
        hasher.update(part.as_bytes());
        hasher.update([0]);
    }
    let hex = hasher
        .finalize()
        .iter()
        .fold(String::new(), |hex, byte| format!("{hex}{byte:02x}"));
    hex.chars().take(digits).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn subject<'d>(
        operation_id: Option<&'d str>,
        method: &'d str,
        path: &'d str,
    ) -> ToolSubject<'d> {
        ToolSubject {
            operation_id,
            method,
            path,
        }
    }

    fn one(operation_id: Option<&str>, path: &str) -> String {
        tool_names(&[subject(operation_id, "GET", path)]).remove(0)
    }

    #[test]
    fn x_01_operations_named_like_every_digest_do_not_stop_the_naming() {
        let shops = subject(Some("list"), "GET", "/shops");
        let digests: Vec<_> = (1..=9).map(|times| shortened(&shops, times)).collect();
        let taking = digests.iter().map(|id| subject(Some(id), "POST", id));
        let mut subjects: Vec<_> = taking.collect();
        subjects.extend([shops, subject(Some("list"), "GET", "/pets")]);
        let names: HashSet<_> = tool_names(&subjects).into_iter().collect();
        assert_eq!(names.len(), subjects.len());
    }

    #[test]
    fn names_come_from_the_operation_id_or_from_method_and_path() {
        assert_eq!(one(Some("listPets"), "/pets"), "listPets");
        assert_eq!(one(Some("repos/list-for-org"), "/x"), "repos_list-for-org");
        assert_eq!(
            one(Some("get_files_id#content"), "/x"),
            "get_files_id_content"
        );
        assert_eq!(
            one(None, "/users/{user-id}/posts/{id}"),
            "get_users_user-id_posts_id"
        );
        assert_eq!(one(None, "/"), "get");
        assert_eq!(one(Some("_"), "/a"), "get_a");
        assert_eq!(one(Some("日本語"), "/a"), "get_a");
        assert_eq!(one(Some("2fa.enable"), "/a"), "get_2fa_enable");
    }

    #[test]
    fn long_names_are_cut_at_a_word_and_carry_a_digest() {
        let name = one(
            Some("users_drives_items_workbook_worksheets_charts_axes_get_value_axis"),
            "/x",
        );
        assert!(
            name.starts_with("users_drives_items_workbook_worksheets_"),
            "{name}"
        );
        assert!(name.len() <= MAX_TOOL_NAME);
    }

    #[test]
    fn names_that_clash_all_carry_a_digest_whatever_the_order() {
        let pair = [
            subject(Some("get"), "GET", "/a"),
            subject(Some("GET"), "GET", "/b"),
        ];
        let names = tool_names(&pair);
        let reversed = tool_names(&[pair[1], pair[0]]);
        assert_ne!(names[0].to_lowercase(), names[1].to_lowercase());
        assert_eq!(names, [reversed[1].clone(), reversed[0].clone()]);
        assert!(names[0].starts_with("get_") && names[1].starts_with("GET_"));
    }

    #[test]
    fn argument_names_tell_places_and_signs_apart() {
        let at = |rank, place, name| ArgumentSubject { rank, place, name };
        let subjects = [
            at(1, "query", "id"),
            at(0, "path", "id"),
            at(1, "query", "StartTime>"),
            at(1, "query", "StartTime<"),
            at(1, "query", "StartTime"),
            at(1, "query", "$filter"),
            at(1, "query", "page[first]"),
            at(1, "query", "filter"),
        ];
        assert_eq!(
            argument_names(&subjects),
            [
                "query_id",
                "id",
                "StartTime_gt",
                "StartTime_lt",
                "StartTime",
                "query_filter",
                "page_first",
                "filter"
            ]
        );
    }

    proptest! {
        #[test]
        fn every_set_of_operations_gets_unique_legal_names(ids in prop::collection::vec(prop::option::of(".{0,80}"), 1..12)) {
            let paths: Vec<String> = (0..ids.len()).map(|index| format!("/p{index}")).collect();
            let subjects: Vec<_> = ids.iter().zip(&paths).map(|(id, path)| subject(id.as_deref(), "GET", path)).collect();
            let names = tool_names(&subjects);
            let unique: HashSet<_> = names.iter().map(|name| name.to_ascii_lowercase()).collect();
            prop_assert_eq!(unique.len(), names.len());
            for name in names {
                prop_assert!(!name.is_empty() && name.len() <= MAX_TOOL_NAME);
                prop_assert!(name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-')), "{}", name);
            }
        }

        #[test]
        fn every_set_of_parameters_gets_unique_legal_names(wire in prop::collection::hash_set(".{0,80}", 1..12)) {
            let subjects: Vec<_> = wire.iter().map(|name| ArgumentSubject { rank: 1, place: "query", name }).collect();
            let names = argument_names(&subjects);
            let unique: HashSet<_> = names.iter().collect();
            prop_assert_eq!(unique.len(), names.len());
            for name in names {
                prop_assert!(!name.is_empty() && name.len() <= MAX_ARGUMENT_NAME, "{}", name);
                prop_assert!(name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.')), "{}", name);
            }
        }
    }
}
