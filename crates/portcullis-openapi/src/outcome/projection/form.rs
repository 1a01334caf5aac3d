//! The form of an expression: what it can cost, and what in it can never work.

use jmespath::ast::Ast;

use super::InvalidProjection;

/// The largest step of a slice; the evaluator counts beyond the end in 32 bits.
const MAX_STEP: i32 = 1_000_000;

/// The functions of `JMESPath`, each with how many arguments it takes.
const FUNCTIONS: [(&str, usize, usize); 26] = [
    ("abs", 1, 1),
    ("avg", 1, 1),
    ("ceil", 1, 1),
    ("contains", 2, 2),
    ("ends_with", 2, 2),
    ("floor", 1, 1),
    ("join", 2, 2),
    ("keys", 1, 1),
    ("length", 1, 1),
    ("map", 2, 2),
    ("max", 1, 1),
    ("max_by", 2, 2),
    ("merge", 1, usize::MAX),
    ("min", 1, 1),
    ("min_by", 2, 2),
    ("not_null", 1, usize::MAX),
    ("reverse", 1, 1),
    ("sort", 1, 1),
    ("sort_by", 2, 2),
    ("starts_with", 2, 2),
    ("sum", 1, 1),
    ("to_array", 1, 1),
    ("to_number", 1, 1),
    ("to_string", 1, 1),
    ("type", 1, 1),
    ("values", 1, 1),
];

/// What an expression can cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Form {
    /// How many times as large as the input a result can be.
    pub(super) copies: usize,
    /// Its parts; a literal counts by its length.
    pub(super) parts: usize,
    /// Whether it works through the members of objects, and not the items of lists alone.
    pub(super) opens_objects: bool,
}

/// Finds the place from which on an expression nests deeper than `most`, before it is parsed: chains nest as brackets do.
pub(super) fn nesting_beyond(text: &str, most: usize) -> Option<usize> {
    let mut outer = Vec::new();
    let mut depth = 0usize;
    let mut quote = None;
    let mut is_escaped = false;
    for (at, byte) in text.bytes().enumerate() {
        match (quote, byte) {
            (Some(_), _) if is_escaped => is_escaped = false,
            (Some(_), b'\\') => is_escaped = true,
            (Some(open), _) if open == byte => quote = None,
            (None, b'"' | b'\'' | b'`') => quote = Some(byte),
            (None, b'[' | b'{' | b'(') => {
                depth += 1;
                outer.push(depth);
            }
            (None, b']' | b'}' | b')') => depth = outer.pop().unwrap_or(depth),
            (None, b',') => depth = outer.last().copied().unwrap_or(0),
            (None, b'.' | b'|' | b'&' | b'!' | b'=' | b'<' | b'>' | b'*') => depth += 1,
            _ => {}
        }
        if depth > most {
            return Some(at);
        }
    }
    None
}

impl Form {
    /// Walks through an expression, whose depth is bounded.
    pub(super) fn of(ast: &Ast) -> Result<Self, InvalidProjection> {
        match ast {
            Ast::Identity { .. } | Ast::Field { .. } | Ast::Index { .. } => Ok(Self::plain()),
            Ast::Literal { value, .. } => Ok(Self {
                parts: 1 + value.to_string().len() / 8,
                ..Self::plain()
            }),
            Ast::Slice { step, offset, .. } => slice(*step, *offset),
            Ast::Not { node, .. } | Ast::Flatten { node, .. } => {
                Ok(Self::of(node)?.and(Self::plain()))
            }
            Ast::ObjectValues { node, .. } => {
                let opening = Self {
                    opens_objects: true,
                    ..Self::plain()
                };
                Ok(Self::of(node)?.and(opening))
            }
            Ast::Comparison { lhs, rhs, .. }
            | Ast::And { lhs, rhs, .. }
            | Ast::Or { lhs, rhs, .. }
            | Ast::Condition {
                predicate: lhs,
                then: rhs,
                ..
            } => Ok(Self::of(lhs)?.or(Self::of(rhs)?)),
            Ast::Subexpr { lhs, rhs, .. } | Ast::Projection { lhs, rhs, .. } => {
                Ok(Self::of(lhs)?.and(Self::of(rhs)?))
            }
            Ast::MultiList { elements, .. } => Self::beside(elements.iter()),
            Ast::MultiHash { elements, .. } => {
                Self::beside(elements.iter().map(|element| &element.value))
            }
            Ast::Function { name, args, offset } => function(name, args, *offset),
            Ast::Expref { offset, .. } => Err(InvalidProjection {
                offset: *offset,
                reason: "`&` stands only before an argument of a function".to_owned(),
            }),
        }
    }

    fn plain() -> Self {
        Self {
            copies: 1,
            parts: 1,
            opens_objects: false,
        }
    }

    /// One works on what the other makes.
    fn and(self, next: Self) -> Self {
        Self {
            copies: self.copies.saturating_mul(next.copies),
            parts: self.parts.saturating_add(next.parts),
            opens_objects: self.opens_objects || next.opens_objects,
        }
    }

    /// Only one of them is the result.
    fn or(self, other: Self) -> Self {
        Self {
            copies: self.copies.max(other.copies),
            parts: self.parts.saturating_add(other.parts),
            opens_objects: self.opens_objects || other.opens_objects,
        }
    }

    /// All of them are in the result; what begins with members of different names shares no part of the input.
    fn beside<'a>(elements: impl Iterator<Item = &'a Ast>) -> Result<Self, InvalidProjection> {
        let mut of_members: Vec<(&str, usize)> = Vec::new();
        let mut all = Self {
            copies: 0,
            ..Self::plain()
        };
        for element in elements {
            let form = Self::of(element)?;
            all.parts = all.parts.saturating_add(form.parts);
            all.opens_objects |= form.opens_objects;
            match first_member(element) {
                None => all.copies = all.copies.saturating_add(form.copies),
                Some(name) => match of_members.iter_mut().find(|(known, _)| *known == name) {
                    Some((_, copies)) => *copies = copies.saturating_add(form.copies),
                    None => of_members.push((name, form.copies)),
                },
            }
        }
        let most = of_members.iter().map(|(_, copies)| *copies).max();
        all.copies = all.copies.saturating_add(most.unwrap_or(0)).max(1);
        Ok(all)
    }
}

/// Returns the member of the input that an expression looks at alone.
fn first_member(ast: &Ast) -> Option<&str> {
    match ast {
        Ast::Field { name, .. } => Some(name),
        Ast::Subexpr { lhs, .. } | Ast::Projection { lhs, .. } => first_member(lhs),
        Ast::Flatten { node, .. } | Ast::ObjectValues { node, .. } => first_member(node),
        _ => None,
    }
}

fn slice(step: i32, offset: usize) -> Result<Form, InvalidProjection> {
    if step == 0 || step.unsigned_abs() > MAX_STEP.unsigned_abs() {
        return Err(InvalidProjection {
            offset,
            reason: format!("the step of a slice is not 0 and at most {MAX_STEP}"),
        });
    }
    Ok(Form::plain())
}

fn function(name: &str, args: &[Ast], offset: usize) -> Result<Form, InvalidProjection> {
    let invalid = |reason: String| InvalidProjection { offset, reason };
    let Some((_, least, most)) = FUNCTIONS.iter().find(|(known, ..)| *known == name) else {
        return Err(invalid(format!("JMESPath has no function `{name}`")));
    };
    if !(*least..=*most).contains(&args.len()) {
        let count = args.len();
        return Err(invalid(format!(
            "`{name}` takes {least} arguments, and {count} are given"
        )));
    }
    let glue = match (name, args) {
        ("join", [Ast::Literal { value, .. }, _]) => value.to_string().len(),
        ("join", _) => {
            let reason = "the first argument of `join` has to be a literal, such as `', '`";
            return Err(invalid(reason.to_owned()));
        }
        _ => 0,
    };
    let forms: Vec<Form> = args.iter().map(argument).collect::<Result<_, _>>()?;
    let copies = forms.iter().map(|form| form.copies);
    let copies = match name {
        // What they give is small, but their arguments are made.
        "contains" | "ends_with" | "starts_with" | "type" | "length" => copies.max().unwrap_or(1),
        _ if args.iter().any(is_reference) => copies.fold(1, usize::saturating_mul),
        // Quotes are escaped once more with each.
        "to_string" => copies.fold(0, usize::saturating_add).saturating_mul(2),
        _ => copies.fold(0, usize::saturating_add),
    };
    let parts = forms.iter().map(|form| form.parts);
    Ok(Form {
        copies,
        parts: parts.fold(1 + glue, usize::saturating_add),
        opens_objects: matches!(name, "keys" | "values" | "to_number")
            || forms.iter().any(|form| form.opens_objects),
    })
}

fn is_reference(arg: &Ast) -> bool {
    matches!(arg, Ast::Expref { .. })
}

fn argument(arg: &Ast) -> Result<Form, InvalidProjection> {
    match arg {
        Ast::Expref { ast, .. } => Form::of(ast),
        arg => Form::of(arg),
    }
}
