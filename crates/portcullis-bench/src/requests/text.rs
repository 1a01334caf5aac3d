//! Texts by length, format and pattern.

use regex_syntax::hir::{Class, Hir, HirKind};

use super::generate::{Alphabet, Variant};
use super::random::Random;

/// How often a pattern is tried until the length fits.
const MAX_TRIES: usize = 40;
/// Texts that may be longer are not made longer than this.
const MAX_FILLED: usize = 300;
/// How far a repetition without end goes beyond what it must.
const MORE: usize = 3;

/// What a schema says of a text.
pub(super) struct Asked<'a> {
    pub(super) least: usize,
    pub(super) most: usize,
    pub(super) format: Option<&'a str>,
    pub(super) pattern: Option<&'a str>,
    pub(super) is_base64: bool,
}

impl Asked<'_> {
    fn fits(&self, text: &str) -> bool {
        (self.least..=self.most).contains(&text.chars().count())
    }
}

/// Writes a text; nothing where the pattern cannot be followed.
pub(super) fn write(
    asked: &Asked<'_>,
    variant: Variant,
    alphabet: Alphabet,
    random: &mut Random,
) -> Option<String> {
    if asked.is_base64 {
        return Some("aGVsbG8=".to_owned());
    }
    let formatted = asked.format.and_then(|format| of_format(format, variant));
    if let Some(pattern) = asked.pattern {
        let fixed = formatted.map(str::to_owned).filter(|it| asked.fits(it));
        let matches = |text: &String| {
            let schema = serde_json::json!({ "pattern": pattern });
            let validator = super::validator(&schema);
            validator.is_ok_and(|it| it.is_valid(&serde_json::json!(text)))
        };
        return fixed
            .filter(matches)
            .or_else(|| of_pattern(pattern, asked, random));
    }
    match formatted {
        Some(text) if asked.fits(text) => Some(text.to_owned()),
        _ => Some(free(asked, variant, alphabet)),
    }
}

/// A text of the right length.
fn free(asked: &Asked<'_>, variant: Variant, alphabet: Alphabet) -> String {
    let (text, least) = match (variant, alphabet) {
        (Variant::Smallest, _) => ("a", asked.least.max(1)),
        (Variant::Required | Variant::All, _) => ("text", asked.least.max(4)),
        (Variant::Largest, Alphabet::Any) => ("Käse & 50% +/?#='x'\"~ ", 22),
        (Variant::Largest, Alphabet::Segment) => ("Käse & 50% +='x'~ z", 19),
        (Variant::Largest, Alphabet::Header) => ("a-b_c.d~1", 9),
    };
    let longest = match variant {
        Variant::Largest if asked.most <= MAX_FILLED => asked.most,
        _ => least.max(asked.least),
    };
    let length = longest.min(asked.most).max(asked.least);
    text.chars().cycle().take(length).collect()
}

/// A text of a format that judges know.
fn of_format(format: &str, variant: Variant) -> Option<&'static str> {
    let late = variant == Variant::Largest;
    Some(match format {
        "date-time" if late => "2026-12-31T23:59:59.999+05:30",
        "date-time" => "2026-01-02T03:04:05Z",
        "date" if late => "2028-02-29",
        "date" => "2026-01-02",
        "time" => "03:04:05Z",
        "duration" => "P1DT2H",
        "uuid" | "guid" => "3f2504e0-4f89-41d3-9a0c-0305e82c3301",
        "email" | "idn-email" => "someone@example.com",
        "uri" | "url" | "iri" if late => "https://example.com/a%20b?c=d&e=%C3%A9#f",
        "uri" | "url" | "iri" => "https://example.com/a",
        "uri-reference" | "iri-reference" | "json-pointer" => "/a/b",
        "hostname" | "idn-hostname" => "example.com",
        "ipv4" | "ip" => "192.0.2.1",
        "ipv6" => "2001:db8::1",
        "byte" => "aGVsbG8=",
        "regex" => "^a$",
        "int64" | "int32" | "int" | "integer" | "decimal" | "number" | "uint64" | "double" => "12",
        _ => return None,
    })
}

fn of_pattern(pattern: &str, asked: &Asked<'_>, random: &mut Random) -> Option<String> {
    let hir = regex_syntax::Parser::new().parse(pattern).ok()?;
    let is_anchored = pattern.contains('^') || pattern.contains('$');
    for _ in 0..MAX_TRIES {
        let mut text = String::new();
        follow(&hir, asked, random, &mut text)?;
        if !is_anchored && text.chars().count() < asked.least {
            let missing = asked.least - text.chars().count();
            text.extend(std::iter::repeat_n('a', missing));
        }
        if asked.fits(&text) {
            return Some(text);
        }
    }
    None
}

/// Appends a text that the expression matches; what it asserts of its surroundings is not looked at.
fn follow(hir: &Hir, asked: &Asked<'_>, random: &mut Random, out: &mut String) -> Option<()> {
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => {}
        HirKind::Literal(literal) => out.push_str(std::str::from_utf8(&literal.0).ok()?),
        HirKind::Class(class) => out.push(character(class, random)?),
        HirKind::Capture(capture) => follow(&capture.sub, asked, random, out)?,
        HirKind::Repetition(repetition) => {
            let least = usize::try_from(repetition.min).ok()?;
            let most = repetition.max.and_then(|max| usize::try_from(max).ok());
            let usual = if out.chars().count() + least < asked.least {
                asked.least
            } else {
                least + MORE
            };
            let most = most.unwrap_or(usual).min(usual.max(least));
            let count = least + random.below(most.saturating_sub(least) + 1);
            for _ in 0..count {
                follow(&repetition.sub, asked, random, out)?;
            }
        }
        HirKind::Concat(parts) => {
            for part in parts {
                follow(part, asked, random, out)?;
            }
        }
        HirKind::Alternation(branches) => {
            let branch = branches.get(random.below(branches.len()))?;
            follow(branch, asked, random, out)?;
        }
    }
    Some(())
}

/// A letter or a digit of the class, else a visible character, else any.
fn character(class: &Class, random: &mut Random) -> Option<char> {
    let ranges: Vec<(char, char)> = match class {
        Class::Unicode(class) => class.iter().map(|it| (it.start(), it.end())).collect(),
        Class::Bytes(class) => {
            let range =
                |it: &regex_syntax::hir::ClassBytesRange| (it.start().into(), it.end().into());
            class.iter().map(range).collect()
        }
    };
    let holds = |it: char| {
        ranges
            .iter()
            .any(|&(start, end)| (start..=end).contains(&it))
    };
    let among = |from: char, to: char| (from..=to).filter(|&it| holds(it)).collect::<Vec<_>>();
    let mut choices: Vec<char> = among('0', 'z');
    choices.retain(char::is_ascii_alphanumeric);
    if choices.is_empty() {
        choices = among('!', '~');
    }
    choices
        .get(random.below(choices.len()))
        .copied()
        .or_else(|| ranges.first().map(|&(start, _)| start))
}
