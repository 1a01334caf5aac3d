//! The input schema of a tool, put together from converted pieces whenever it is asked for.
//!
//! There are two: the whole one, which arguments are held against, and the one that models are shown, which has a budget.
//! Within the budget what is near the root comes first: descriptions of what is far go, then what is far itself, and what is cut says so.
//! A model that fills in what it cannot see still meets the whole schema.

mod choice;
mod members;

use std::collections::VecDeque;
use std::sync::Arc;

use serde_json::value::RawValue;

use super::definitions::{Definition, Definitions, Named, Reached};
use super::fragment::{Detail, Fragment};
use super::trim::{STUB, trimmed};
pub(crate) use choice::{Case, Choice};

/// `$ref`s after another that models are shown the end of.
const MAX_HOPS: usize = 8;
/// A definition that does not fit is shown in part where there is room for so many bytes of it.
const MIN_TRIMMED: usize = 512;
/// The schema's own members around the arguments and definitions.
const FRAME: usize = 90;

/// What arguments a tool takes.
#[derive(Clone, Debug)]
pub(crate) struct InputSchema {
    pub(crate) arguments: Box<[Argument]>,
    /// What one of the arguments is held against instead of its own schema.
    choice: Option<Choice>,
    definitions: Arc<Definitions>,
}

/// One argument of a tool.
#[derive(Clone, Debug)]
pub(crate) struct Argument {
    pub(crate) name: Box<str>,
    pub(crate) is_required: bool,
    pub(crate) schema: Arc<Fragment>,
}

/// How models are shown a schema.
#[derive(Debug, Default)]
pub(crate) struct Outline {
    arguments: Vec<Part>,
    definitions: Vec<(Definition, Part)>,
    /// Bytes of the schema, at most.
    pub(crate) size: usize,
    /// How many of its parts accept more than they do.
    pub(crate) cut: usize,
    /// Whether descriptions are left out.
    pub(crate) is_lean: bool,
}

/// How a part of a schema is shown.
#[derive(Clone, Copy, Debug)]
enum Part {
    As(Detail),
    /// Cut to so many bytes.
    Trimmed(usize),
    Stub,
    /// Anything, since something else says what.
    Open,
}

impl Argument {
    fn size(&self, detail: Detail) -> usize {
        self.name.len() + self.schema.size(detail) + 4
    }
}

impl Named {
    fn size(&self, detail: Detail) -> usize {
        self.name.len() + self.fragment.size(detail) + 4
    }

    fn stub_size(&self) -> usize {
        self.name.len() + STUB.len() + 4
    }
}

impl InputSchema {
    /// Puts arguments together whose definitions are yet to come.
    pub(crate) fn new(arguments: Vec<Argument>) -> Self {
        Self {
            arguments: arguments.into(),
            choice: None,
            definitions: Arc::default(),
        }
    }

    /// Holds an argument against the schema that another one chooses.
    pub(crate) fn choosing(mut self, choice: Choice) -> Self {
        self.choice = (choice.cases.len() > 1).then_some(choice);
        self
    }

    /// Says what the arguments' references refer to.
    pub(crate) fn refer_to(&mut self, definitions: &Arc<Definitions>) {
        self.definitions = Arc::clone(definitions);
    }

    /// Writes the whole schema, in which an argument that another one chooses the schema of is any of them.
    pub(crate) fn whole(&self) -> Vec<u8> {
        let mut out = Vec::new();
        self.write(&self.all(|_| Detail::Original), &mut out);
        out
    }

    /// Writes what arguments are held against; where a part of a schema accepts more than the document says, so does what is around it.
    pub(crate) fn strict(&self) -> Vec<u8> {
        self.held(|fragment| {
            if self.definitions.is_open(fragment) {
                Detail::Loose
            } else {
                Detail::Terse
            }
        })
    }

    /// Writes what arguments are held against where any part may accept more than the document says.
    pub(crate) fn loose(&self) -> Vec<u8> {
        self.held(|_| Detail::Loose)
    }

    fn held(&self, detail: impl Fn(&Fragment) -> Detail) -> Vec<u8> {
        let mut outline = self.all(&detail);
        let mut out = Vec::new();
        if let Some(choice) = &self.choice {
            let chosen = self
                .arguments
                .iter()
                .position(|it| *it.name == *choice.argument);
            if let Some(part) = chosen.and_then(|index| outline.arguments.get_mut(index)) {
                *part = Part::Open;
            }
        }
        self.write(&outline, &mut out);
        if let Some(choice) = &self.choice {
            out.pop();
            choice.write(detail, &mut out);
            out.push(b'}');
        }
        out
    }

    /// Everything, with all that it refers to.
    fn all(&self, detail: impl Fn(&Fragment) -> Detail) -> Outline {
        let part = |fragment: &Fragment| Part::As(detail(fragment));
        let arguments = self.arguments.iter();
        let mut outline = Outline {
            arguments: arguments.map(|argument| part(&argument.schema)).collect(),
            ..Outline::default()
        };
        let mut reached = Reached::none_of(&self.definitions);
        let mut queue: VecDeque<Definition> = VecDeque::new();
        let referred = self.arguments.iter();
        queue.extend(referred.flat_map(|argument| &argument.schema.definitions));
        while let Some(definition) = queue.pop_front() {
            if let Some(named) = self.definitions.get(definition)
                && reached.insert(definition)
            {
                let part = part(&named.fragment);
                outline.definitions.push((definition, part));
                queue.extend(&named.fragment.definitions);
            }
        }
        outline
    }

    /// Writes the schema as models are shown it.
    pub(crate) fn shown(&self) -> Vec<u8> {
        let outline = self.outline();
        let mut out = Vec::with_capacity(outline.size);
        self.write(&outline, &mut out);
        out
    }

    /// Decides what of the schema models are shown.
    pub(crate) fn outline(&self) -> Outline {
        let budget = self.definitions.budget.saturating_sub(self.frame());
        let mut outline = self.root(budget);
        let mut left = budget.saturating_sub(outline.size);
        let mut reached = Reached::none_of(&self.definitions);
        let mut queue = VecDeque::new();
        for (argument, part) in self.arguments.iter().zip(&outline.arguments) {
            let is_referring = matches!(part, Part::As(_));
            for &definition in argument.schema.definitions.iter().filter(|_| is_referring) {
                if reached.insert(definition) {
                    queue.push_back((definition, 1));
                }
            }
        }
        while let Some((definition, hops)) = queue.pop_front() {
            let Some(named) = self.definitions.get(definition) else {
                continue;
            };
            let referred = named.fragment.definitions.iter().copied();
            let fresh: Vec<_> = referred.filter(|&next| reached.insert(next)).collect();
            // A stub of each definition that is referred to has been paid for already.
            let price = named.size(Detail::Lean) + self.stubs(&fresh);
            let room = left + named.stub_size();
            let part = match room.checked_sub(price) {
                Some(rest) if hops <= MAX_HOPS => {
                    left = rest;
                    queue.extend(fresh.into_iter().map(|next| (next, hops + 1)));
                    Part::As(Detail::Lean)
                }
                _ => {
                    for next in fresh {
                        reached.remove(next);
                    }
                    outline.cut += 1;
                    let half = left / 2;
                    if hops <= MAX_HOPS && half >= MIN_TRIMMED {
                        left -= half;
                        Part::Trimmed(half + STUB.len())
                    } else {
                        Part::Stub
                    }
                }
            };
            outline.definitions.push((definition, part));
        }
        left = self.describe(&mut outline, left);
        outline.size = self.frame() + budget.saturating_sub(left);
        outline
    }

    /// Decides what of the arguments is shown; the size counts a stub of each definition that they refer to.
    fn root(&self, budget: usize) -> Outline {
        let with_stubs = |argument: &Argument, detail| {
            argument.size(detail) + self.stubs(&argument.schema.definitions)
        };
        for detail in [Detail::Lean, Detail::Bare] {
            let arguments = self.arguments.iter();
            let size = arguments.map(|argument| with_stubs(argument, detail)).sum();
            if size <= budget {
                return Outline {
                    arguments: vec![Part::As(detail); self.arguments.len()],
                    size,
                    is_lean: detail == Detail::Bare,
                    ..Outline::default()
                };
            }
        }
        // The small ones stay whole, and the large ones share what is left.
        let mut outline = Outline {
            arguments: vec![Part::Stub; self.arguments.len()],
            is_lean: true,
            ..Outline::default()
        };
        let sizes = self.arguments.iter().map(|it| with_stubs(it, Detail::Bare));
        let mut order: Vec<(usize, usize)> = sizes.enumerate().collect();
        order.sort_by_key(|&(_, size)| size);
        let mut left = budget;
        let mut others = order.len();
        for (index, size) in order {
            let share = left / others;
            let part = if size <= share {
                Part::As(Detail::Bare)
            } else {
                outline.cut += 1;
                let name = self.arguments.get(index).map_or(0, |it| it.name.len());
                Part::Trimmed(share.saturating_sub(name + 4))
            };
            left -= size.min(share);
            others -= 1;
            if let Some(slot) = outline.arguments.get_mut(index) {
                *slot = part;
            }
        }
        outline.size = budget - left;
        outline
    }

    /// Spends what is left of the budget on descriptions, nearest first, and returns the rest.
    fn describe(&self, outline: &mut Outline, mut left: usize) -> usize {
        let arguments = self.arguments.iter().map(|argument| &*argument.schema);
        let definitions = &self.definitions;
        let definitions = outline
            .definitions
            .iter_mut()
            .filter_map(|(definition, part)| Some((&definitions.get(*definition)?.fragment, part)));
        for (fragment, part) in arguments.zip(&mut outline.arguments).chain(definitions) {
            let Part::As(detail) = part else { continue };
            let price = fragment.size(Detail::Whole) - fragment.size(*detail);
            match left.checked_sub(price) {
                Some(rest) => (*detail, left) = (Detail::Whole, rest),
                None => outline.is_lean = true,
            }
        }
        left
    }

    fn stubs(&self, definitions: &[Definition]) -> usize {
        let named = definitions
            .iter()
            .filter_map(|&it| self.definitions.get(it));
        named.map(Named::stub_size).sum()
    }

    /// Bytes of the schema beside arguments and definitions.
    fn frame(&self) -> usize {
        let required = self
            .arguments
            .iter()
            .filter(|argument| argument.is_required);
        FRAME
            + required
                .map(|argument| argument.name.len() + 3)
                .sum::<usize>()
    }

    /// Writes an object that has these arguments and no others.
    ///
    /// `properties` is there even where it is empty: without, `OpenAI` takes no function.
    fn write(&self, outline: &Outline, out: &mut Vec<u8>) {
        out.extend_from_slice(br#"{"type":"object","properties":{"#);
        let arguments = self.arguments.iter().zip(&outline.arguments);
        members(
            out,
            arguments.map(|(argument, &part)| (&*argument.name, &*argument.schema, part)),
        );
        out.push(b'}');
        let mut required = self
            .arguments
            .iter()
            .filter(|argument| argument.is_required);
        if let Some(first) = required.next() {
            out.extend_from_slice(br#","required":["#);
            string(out, &first.name);
            for argument in required {
                out.push(b',');
                string(out, &argument.name);
            }
            out.push(b']');
        }
        out.extend_from_slice(br#","additionalProperties":false"#);
        if !outline.definitions.is_empty() {
            out.extend_from_slice(br#","$defs":{"#);
            let definitions = outline
                .definitions
                .iter()
                .filter_map(|&(definition, part)| {
                    let named = self.definitions.get(definition)?;
                    Some((&*named.name, &named.fragment, part))
                });
            members(out, definitions);
            out.push(b'}');
        }
        out.push(b'}');
    }
}

fn members<'a>(out: &mut Vec<u8>, members: impl Iterator<Item = (&'a str, &'a Fragment, Part)>) {
    for (index, (name, fragment, part)) in members.enumerate() {
        if index > 0 {
            out.push(b',');
        }
        string(out, name);
        out.push(b':');
        match part {
            Part::As(detail) => fragment.write(detail, out),
            Part::Trimmed(limit) => {
                let mut bare = Vec::new();
                fragment.write(Detail::Bare, &mut bare);
                out.extend_from_slice(trimmed(&bare, limit).as_bytes());
            }
            Part::Stub => out.extend_from_slice(STUB.as_bytes()),
            Part::Open => out.extend_from_slice(b"{}"),
        }
    }
}

fn string(out: &mut Vec<u8>, text: &str) {
    serde_json::to_writer(out, text).expect("strings serialise into memory");
}

/// Takes bytes that are JSON as such.
pub(crate) fn raw(bytes: Vec<u8>) -> Box<RawValue> {
    let text = String::from_utf8(bytes).expect("schemas are put together from texts");
    RawValue::from_string(text).expect("schemas are put together from sound JSON")
}

#[cfg(test)]
mod tests;
