//! Deeds: what APIs do with things, in whatever words it is said.
//!
//! They are the same for every API; no word of any one API's own stands here.

use crate::model::Method;

/// Some of the deeds that there are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Deeds(u8);

impl Deeds {
    pub(super) const NONE: Self = Self(0);
    pub(super) const CREATE: Self = Self(1);
    pub(super) const DELETE: Self = Self(1 << 1);
    pub(super) const LIST: Self = Self(1 << 2);
    pub(super) const FETCH: Self = Self(1 << 3);
    pub(super) const UPDATE: Self = Self(1 << 4);
    pub(super) const SEARCH: Self = Self(1 << 5);
    /// What a question asks for.
    pub(super) const READ: Self = Self::LIST.and(Self::FETCH).and(Self::SEARCH);

    pub(super) const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    pub(super) const fn common(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    pub(super) const fn is_none(self) -> bool {
        self.0 == 0
    }
}

/// The words of each deed, in tools' names and titles as in queries.
pub(super) const NAMED: [(Deeds, &str); 6] = [
    (
        Deeds::CREATE,
        "create, add, new, make, insert, start, open, register",
    ),
    (Deeds::DELETE, "delete, remove, erase, destroy, drop, clear"),
    (
        Deeds::LIST,
        "list, show, all, every, enumerate, browse, many",
    ),
    (Deeds::FETCH, "get, retrieve, fetch, read, view, show, see"),
    (
        Deeds::UPDATE,
        "update, edit, change, modify, set, replace, rename",
    ),
    (Deeds::SEARCH, "search, find, look, query"),
];

/// What people say besides. Most of it is something else in the name of a tool: a file, a book, a post.
pub(super) const SAID: [(Deeds, &str); 6] = [
    (
        Deeds::CREATE,
        "set up, put, file, sign up, write, post, send, upload, book, schedule, invite, hire, record, log, give, launch, spin up, bring in, let in, leave a, store, attach, throw into, enter, issue, save, submit, apply, assign, raise, report",
    ),
    (
        Deeds::DELETE,
        "get rid of, throw away, take off, take down, call off, kick out, throw out, cancel, tear down, wipe, purge, scrap, ditch, kill, take back, unassign, detach, forget, undo, no longer, end",
    ),
    (Deeds::LIST, "which, who, what are, how many"),
    (
        Deeds::FETCH,
        "tell me, look at, check, find out, what is, let me see, download, how much",
    ),
    (
        Deeds::UPDATE,
        "fix, correct, move, turn, mark, switch, adjust, extend, postpone, lower, close, reopen, rewrite, swap, turn on, turn off, enable, disable, resize, give",
    ),
    (Deeds::SEARCH, "look for, look up, where is, where are"),
];

/// What a tool does.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Does {
    /// By its name and title.
    pub(super) by_name: Deeds,
    /// By its method.
    pub(super) by_method: Deeds,
}

impl Does {
    /// Says how surely a tool does what is asked for, from 0 to 1.
    pub(super) fn certainty(self, asked: Deeds) -> f32 {
        const BY_ONE: f32 = 0.8;
        if !self.by_name.common(self.by_method).common(asked).is_none() {
            1.0
        } else if !self.by_name.and(self.by_method).common(asked).is_none() {
            BY_ONE
        } else {
            0.0
        }
    }
}

/// Says what an operation does by its method alone.
pub(super) fn of_method(method: Method, ends_in_parameter: bool) -> Deeds {
    match (method, ends_in_parameter) {
        (Method::Get, false) => Deeds::LIST.and(Deeds::FETCH),
        (Method::Get | Method::Head | Method::Options, _) => Deeds::FETCH,
        (Method::Post, false) => Deeds::CREATE,
        // An API without PUT and PATCH changes things by POST to their own path.
        (Method::Post, true) | (Method::Patch, _) => Deeds::UPDATE,
        (Method::Put, _) => Deeds::UPDATE.and(Deeds::CREATE),
        (Method::Delete, _) => Deeds::DELETE,
    }
}
