//! What comes after an answer, in the words of the tool's own arguments.
//!
//! Once for each tool: which of its arguments page through its answers, by the names that APIs give them.
//! For each answer: what the API says of the next page, in `Link` or in the answer itself, and which argument asks for it.
//! Never a URL: only names of arguments and their values, so that no host and no secret of the API's is repeated.

mod link;
mod roles;
mod signals;

use serde_json::Value;
use serde_json::value::RawValue;
use url::form_urlencoded;

use crate::model::Tool;
pub(crate) use roles::Role;
use roles::arguments;
use signals::Next;

/// The longest value that is repeated; a longer one is pointed at.
const MAX_VALUE: usize = 1024;
/// How many arguments are named at most.
const MAX_NAMED: usize = 4;

/// The arguments of a tool that page through its answers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Pagination {
    arguments: Vec<PageArgument>,
}

/// An argument that an API's word about the next page may be about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PageArgument {
    /// The name on the wire.
    pub(crate) name: String,
    /// The property of the tool's arguments.
    pub(crate) argument: String,
    /// The argument that it is a member of, where it stands in a body.
    pub(crate) within: Option<String>,
    /// What it does.
    pub(crate) role: Role,
    /// The schema says that it is a text, so that digits are one too.
    pub(crate) is_text: bool,
}

impl Pagination {
    /// Finds the arguments of a tool that page through its answers.
    pub(crate) fn of(tool: &Tool) -> Self {
        Self {
            arguments: arguments(tool),
        }
    }

    /// Tells whether the body of an answer can say anything that an argument asks for.
    pub(crate) fn reads_bodies(&self) -> bool {
        self.arguments.iter().any(PageArgument::moves)
    }

    /// Says how the next page is asked for, where the API says that there is one; `shown` is what the model is given of the body.
    pub(crate) fn next(
        &self,
        link: Option<&str>,
        body: Option<&RawValue>,
        shown: Option<&RawValue>,
    ) -> Option<String> {
        let by_link = link
            .and_then(link::next)
            .and_then(|target| self.by_url(target));
        let body = body.filter(|_| self.reads_bodies());
        let said = by_link.or_else(|| {
            let (body, shown) = (body?.get(), shown?.get());
            let found = signals::find(body);
            found.iter().find_map(|next| self.by(next, shown))
        })?;
        Some(format!("There is more: call again with {said}."))
    }

    /// Says by which arguments fewer things are asked for, and the ones after them.
    pub(crate) fn fewer(&self, kept: Option<usize>) -> Option<String> {
        let size = self.with_role(Role::Size);
        let moving = self.arguments.iter().find(|it| it.moves());
        let fields = self.with_role(Role::Fields);
        let said = match (size, moving) {
            (Some(size), Some(moving)) => {
                let example = kept.map(|kept| format!(" (such as {kept})"));
                format!(
                    "ask for fewer at a time by {}{}, and for the next by {}",
                    size.written(None),
                    example.unwrap_or_default(),
                    moving.written(None)
                )
            }
            (Some(size), None) => format!("ask for fewer by {}", size.written(None)),
            (None, Some(moving)) => format!("ask for the next by {}", moving.written(None)),
            (None, None) => {
                let fields = fields?;
                return Some(format!("ask for less of each by {}", fields.written(None)));
            }
        };
        Some(match fields {
            Some(fields) => format!("{said}, or for less of each by {}", fields.written(None)),
            None => said,
        })
    }

    fn with_role(&self, role: Role) -> Option<&PageArgument> {
        self.arguments.iter().find(|it| it.role == role)
    }

    fn by(&self, next: &Next, shown: &str) -> Option<String> {
        match next {
            Next::Url(url) => self.by_url(url),
            Next::Page(page) => Some(self.with_role(Role::Page)?.written(Some(&page.to_string()))),
            Next::Offset(offset) => {
                let argument = self.with_role(Role::Offset)?;
                Some(argument.written(Some(&offset.to_string())))
            }
            Next::Cursor { member, value } => {
                let argument = self.cursor(member)?;
                Some(argument.pointing(value, shown))
            }
            Next::After(id) => {
                let after = |it: &&PageArgument| {
                    matches!(
                        roles::folded(&it.name).as_str(),
                        "startingafter" | "after" | "afterid"
                    )
                };
                let argument = self.arguments.iter().find(after)?;
                is_sayable(id).then(|| argument.written(Some(id)))
            }
        }
    }

    /// Chooses the argument that takes a cursor: one whose name resembles the member's, or the first.
    fn cursor(&self, member: &str) -> Option<&PageArgument> {
        let stem = roles::stem(member);
        let mut cursors = self.arguments.iter().filter(|it| it.role == Role::Cursor);
        cursors
            .clone()
            .find(|it| roles::stem(&it.name) == stem)
            .or_else(|| cursors.next())
            // Some APIs call a cursor a page.
            .or_else(|| self.with_role(Role::Page).filter(|it| it.is_text))
    }

    /// Finds the arguments that the query of a URL sets: those that move on, or, where none is known to, all.
    fn by_url(&self, url: &str) -> Option<String> {
        let (_, query) = url.split_once('?')?;
        let query = query.split('#').next().unwrap_or_default();
        let set: Vec<_> = form_urlencoded::parse(query.as_bytes())
            .filter_map(|(name, value)| {
                let mut outside = self.arguments.iter().filter(|it| it.within.is_none());
                let argument = outside.find(|it| it.name == name)?;
                Some((argument, value))
            })
            .collect();
        let moving = set.iter().filter(|(argument, _)| argument.moves());
        let named: Vec<_> = match moving.clone().next() {
            Some(_) => moving.take(MAX_NAMED).collect(),
            None => set.iter().take(MAX_NAMED).collect(),
        };
        // The model never sees the link, so it cannot be pointed at.
        if !named.iter().all(|(_, value)| is_sayable(value)) {
            return None;
        }
        let written: Vec<String> = named
            .iter()
            .map(|(argument, value)| argument.written(Some(value)))
            .collect();
        (!written.is_empty()).then(|| written.join(", "))
    }
}

impl PageArgument {
    /// Tells whether another value of the argument gives another page.
    fn moves(&self) -> bool {
        matches!(self.role, Role::Page | Role::Offset | Role::Cursor)
    }

    /// Writes the argument, with its value where there is one.
    fn written(&self, value: Option<&str>) -> String {
        let name = &self.argument;
        let written = match value {
            None => format!("`{name}`"),
            Some(value) if !self.is_text && is_number(value) => format!("`{name}: {value}`"),
            Some(value) => format!("`{name}: {}`", Value::from(value)),
        };
        match &self.within {
            Some(body) => format!("{written} in `{body}`"),
            None => written,
        }
    }

    /// Writes the argument with its value, or says where a long value stands in what the model is shown: a projection may have moved it, left it out, or put it deeper than is looked.
    fn pointing(&self, value: &str, shown: &str) -> String {
        if value.len() <= MAX_VALUE {
            return self.written(Some(value));
        }
        let argument = self.written(None);
        match signals::place(shown, value) {
            Some(place) => format!("{argument} from the answer's `{place}`"),
            None => {
                format!("{argument}, whose value cannot be seen at the top of the projected answer")
            }
        }
    }
}

/// Tells whether a value is short enough to be repeated, and no URL.
fn is_sayable(value: &str) -> bool {
    value.len() <= MAX_VALUE && !value.contains("://")
}

/// Tells whether the text is a number as JSON writes it and APIs count: digits without a leading zero.
fn is_number(text: &str) -> bool {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    digits && (1..=15).contains(&text.len()) && (text == "0" || !text.starts_with('0'))
}

#[cfg(test)]
mod tests;
