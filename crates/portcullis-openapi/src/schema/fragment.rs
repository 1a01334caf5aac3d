//! A converted schema: its text, and which of its members are written for whom.

use super::Definition;

/// A converted schema, and the definitions that its `#/$defs/…` references need.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(crate) struct Fragment {
    text: Box<str>,
    /// In the order of their starts; the outer of two before the inner.
    spans: Box<[Span]>,
    pub(crate) definitions: Box<[Definition]>,
    /// Whether a part of it accepts more than the document says, since what the document says there cannot be held.
    pub(super) is_open: bool,
    whole_bytes: u32,
    lean_bytes: u32,
    bare_bytes: u32,
}

/// A part of the text: a member of an object, with the comma before it where there is one, or a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Span {
    pub(super) start: u32,
    pub(super) end: u32,
    pub(super) kind: Kind,
}

/// Why a part is not written as it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Kind {
    /// Describes the schema as a whole.
    Head,
    /// Describes something within the schema.
    Lore,
    /// Would have a vendor of models refuse the tool.
    Foreign,
    /// Refuses more where another part of the schema accepts more, as the opposite of a part does.
    Fragile,
    /// The word `oneOf`, which is `anyOf` where a part accepts more: alternatives that are cut cannot be told apart.
    OneOf,
}

/// How a schema is written, and for whom.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Detail {
    /// Everything.
    Original,
    /// What arguments are held against.
    Terse,
    /// The same where a part of the schema accepts more than the document says.
    Loose,
    /// For models.
    Whole,
    /// For models, without what describes its parts.
    Lean,
    /// For models, without any description.
    Bare,
}

impl Detail {
    /// Returns what stands for a part, where that is not the part itself.
    fn instead(self, kind: Kind) -> Option<&'static [u8]> {
        let instead: &[u8] = if kind == Kind::OneOf { b"anyOf" } else { b"" };
        let stays = match kind {
            Kind::Head => matches!(self, Self::Original | Self::Whole | Self::Lean),
            Kind::Lore => matches!(self, Self::Original | Self::Whole),
            Kind::Foreign => matches!(self, Self::Original | Self::Terse | Self::Loose),
            Kind::Fragile | Kind::OneOf => matches!(self, Self::Original | Self::Terse),
        };
        (!stays).then_some(instead)
    }
}

impl Fragment {
    pub(super) fn new(text: String, mut spans: Vec<Span>, definitions: Vec<Definition>) -> Self {
        spans.sort_by_key(|span| (span.start, std::cmp::Reverse(span.end)));
        let mut fragment = Self {
            text: text.into_boxed_str(),
            spans: spans.into_boxed_slice(),
            definitions: definitions.into_boxed_slice(),
            is_open: false,
            whole_bytes: 0,
            lean_bytes: 0,
            bare_bytes: 0,
        };
        let measured = |detail| {
            let mut bytes = 0;
            fragment.each(detail, &mut |piece| bytes += piece.len());
            u32::try_from(bytes).unwrap_or(u32::MAX)
        };
        let bytes = [Detail::Whole, Detail::Lean, Detail::Bare].map(measured);
        [
            fragment.whole_bytes,
            fragment.lean_bytes,
            fragment.bare_bytes,
        ] = bytes;
        fragment
    }

    /// Says whether a part of the schema accepts more than the document says.
    pub(super) fn opened(self, is_open: bool) -> Self {
        Self { is_open, ..self }
    }

    /// A schema without references, of this JSON text.
    pub(crate) fn plain(text: &str) -> Self {
        Self::new(text.to_owned(), Vec::new(), Vec::new())
    }

    /// Puts the schema into another, of which these are the texts before and after it.
    pub(crate) fn within(&self, before: &str, after: &str) -> Self {
        let offset = u32::try_from(before.len()).unwrap_or_default();
        let shifted = self.spans.iter().map(|span| Span {
            start: span.start.saturating_add(offset),
            end: span.end.saturating_add(offset),
            ..*span
        });
        let text = format!("{before}{}{after}", self.text);
        Self::new(text, shifted.collect(), self.definitions.to_vec()).opened(self.is_open)
    }

    /// A schema that each of several will do for.
    pub(crate) fn any_of<'a>(several: impl Iterator<Item = &'a Self>) -> Self {
        let mut all = Self::plain("");
        for (index, one) in several.enumerate() {
            let before = if index == 0 { "" } else { "," };
            let one = one.within(before, "");
            let mut joined = one.within(&all.text, "");
            joined.spans = all.spans.iter().chain(&joined.spans).copied().collect();
            joined.definitions = all
                .definitions
                .iter()
                .chain(&joined.definitions)
                .copied()
                .collect();
            all = joined.opened(all.is_open || one.is_open);
        }
        all.within(r#"{"anyOf":["#, "]}")
    }

    /// Tells whether two schemas say the same.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        self.text == other.text
    }

    /// Returns how many bytes [`Fragment::write`] writes, at most.
    pub(crate) fn size(&self, detail: Detail) -> usize {
        match detail {
            Detail::Original | Detail::Terse | Detail::Loose => self.text.len(),
            Detail::Whole => self.whole_bytes as usize,
            Detail::Lean => self.lean_bytes as usize,
            Detail::Bare => self.bare_bytes as usize,
        }
    }

    /// Writes the schema.
    pub(crate) fn write(&self, detail: Detail, out: &mut Vec<u8>) {
        self.each(detail, &mut |piece| out.extend_from_slice(piece));
    }

    /// Visits the pieces of the text that remain.
    fn each(&self, detail: Detail, visit: &mut dyn FnMut(&[u8])) {
        let text = self.text.as_bytes();
        let mut at = 0;
        // Whether the first member of an object was left out, so that the next one has a comma too much.
        let mut leads = false;
        for span in &self.spans {
            let (start, end) = (span.start as usize, span.end as usize);
            let Some(instead) = detail.instead(span.kind).filter(|_| start >= at) else {
                continue;
            };
            leads = remain(text.get(at..start), leads, visit);
            if !instead.is_empty() {
                visit(instead);
            } else if text.get(start) != Some(&b',') {
                leads = true;
            }
            at = end;
        }
        remain(text.get(at..), leads, visit);
    }
}

/// Visits a piece, without its comma where the member before it is gone; returns whether that is still to be done.
fn remain(piece: Option<&[u8]>, leads: bool, visit: &mut dyn FnMut(&[u8])) -> bool {
    match piece.unwrap_or_default() {
        [] => leads,
        [b',', rest @ ..] if leads => {
            visit(rest);
            false
        }
        piece => {
            visit(piece);
            false
        }
    }
}
