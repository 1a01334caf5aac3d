//! What an answer says of its next page: a URL, a cursor, a number, or that there is one.
//!
//! Only the answer's top and what APIs wrap such words in are looked at, never the things that are listed.

use serde_json::Value;

use super::roles::folded;
use crate::outcome::opened::{items, members};
use crate::text::clean;

/// How many members of one object are looked at.
const MAX_MEMBERS: usize = 200;
/// How deep wrappers are opened.
const MAX_DEPTH: usize = 3;
/// How long the name of a member is at most where it is told.
const MAX_NAME: usize = 80;
/// The largest text or wrapper that is read.
const MAX_BYTES: usize = 16 << 10;

/// What the next page is asked for by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// By what the query of a URL sets.
    Url(String),
    /// By a mark, and the member that it stands in.
    Cursor {
        /// The member's name.
        member: &'static str,
        /// The mark.
        value: String,
    },
    /// By the number of the page.
    Page(u64),
    /// By how many are left out.
    Offset(u64),
    /// By the id of the last thing that was listed.
    After(String),
}

/// Finds everything that the answer says of its next page, the plainest words first.
pub(super) fn find(json: &str) -> Vec<Next> {
    let levels = Levels::of(json);
    if levels.deny() {
        return Vec::new();
    }
    let mut found = Vec::new();
    found.extend(levels.url().map(Next::Url));
    found.extend(levels.cursor());
    found.extend(levels.named_number());
    if levels.has_more() {
        found.extend(levels.after_the_last());
        let page = levels.page().and_then(|page| page.checked_add(1));
        found.extend(page.map(Next::Page));
        found.extend(levels.offset().map(Next::Offset));
        found.extend(levels.last_item());
    } else {
        found.extend(levels.counted());
    }
    found
}

/// Finds the member of an answer, or of its wrappers, that is this text.
pub(super) fn place(json: &str, value: &str) -> Option<String> {
    let levels = Levels::of(json);
    let mut members = levels.members.iter();
    let is_it = |member: &&Member<'_>| text(member.value).is_some_and(|text| text == value);
    members.find(is_it).map(Member::told)
}

/// The members of the answer and of its wrappers.
struct Levels<'a> {
    members: Vec<Member<'a>>,
}

struct Member<'a> {
    /// Folded.
    name: String,
    value: &'a str,
    /// Folded.
    wrapper: String,
    /// The name as it is spelled, behind those of the wrappers: `meta.next_cursor`.
    spelled: String,
}

impl Member<'_> {
    /// Returns the name as it may stand in a sentence.
    fn told(&self) -> String {
        let plain = self.spelled.replace(['`', '\n', '\t'], "");
        clean(&plain, MAX_NAME).into_owned()
    }
}

const WRAPPERS: [&str; 15] = [
    "meta",
    "metadata",
    "pagination",
    "paging",
    "page",
    "pageinfo",
    "pages",
    "responsemetadata",
    "links",
    "cursors",
    "cursor",
    "pager",
    "resultinfo",
    "listmeta",
    "responseinfo",
];

const YES: [&str; 8] = [
    "hasmore",
    "hasnext",
    "hasnextpage",
    "more",
    "moreavailable",
    "istruncated",
    "hasmoreresults",
    "moreresults",
];

const NO: [&str; 3] = ["islast", "last", "islastpage"];

impl<'a> Levels<'a> {
    fn of(json: &'a str) -> Self {
        let mut levels = Self {
            members: Vec::new(),
        };
        levels.open(json, None, MAX_DEPTH);
        levels
    }

    /// Lists the members of an object, and of its wrappers before them.
    fn open(&mut self, json: &'a str, wrapper: Option<&Member<'_>>, depth: usize) {
        let Some(depth) = depth.checked_sub(1) else {
            return;
        };
        let Some(opened) = members(json, MAX_MEMBERS) else {
            return;
        };
        for (name, value) in opened.kept {
            let member = Member {
                name: folded(&name),
                value,
                wrapper: wrapper.map_or_else(String::new, |it| it.name.clone()),
                spelled: match wrapper {
                    Some(wrapper) => format!("{}.{name}", wrapper.spelled),
                    None => name.into_owned(),
                },
            };
            if value.starts_with('{')
                && WRAPPERS.contains(&member.name.as_str())
                && value.len() < MAX_BYTES
            {
                self.open(value, Some(&member), depth);
            }
            self.members.push(member);
        }
    }

    fn named<'b>(&'b self, names: &'b [&'b str]) -> impl Iterator<Item = &'b Member<'a>> + 'b {
        // The order of the names counts, not that of the members.
        names.iter().flat_map(move |name| {
            let members = self.members.iter();
            members.filter(move |member| member.name == *name)
        })
    }

    fn flag(&self, names: &[&str]) -> Option<bool> {
        self.named(names).find_map(|member| match member.value {
            "true" => Some(true),
            "false" => Some(false),
            _ => None,
        })
    }

    fn number(&self, names: &[&str]) -> Option<u64> {
        self.named(names).find_map(|member| number(member.value))
    }

    fn has_more(&self) -> bool {
        self.flag(&YES) == Some(true) || self.flag(&NO) == Some(false)
    }

    /// Tells whether the answer says that it is the last.
    fn deny(&self) -> bool {
        self.flag(&YES) == Some(false) || self.flag(&NO) == Some(true)
    }

    /// Finds a URL of the next page.
    fn url(&self) -> Option<String> {
        const NAMES: [&str; 9] = [
            "next",
            "odatanextlink",
            "nextlink",
            "nexturl",
            "nextpageurl",
            "nextpageuri",
            "nextpagelink",
            "nexthref",
            "nextpage",
        ];
        let named = self.named(&NAMES).find_map(|member| {
            let text = match member.value.as_bytes().first()? {
                b'"' => text(member.value)?,
                b'{' if member.value.len() < MAX_BYTES => {
                    let link = members(member.value, MAX_MEMBERS)?;
                    let target = link.kept.iter().find(|(name, _)| {
                        matches!(folded(name).as_str(), "href" | "url" | "uri" | "link")
                    })?;
                    text(target.1)?
                }
                _ => return None,
            };
            text.contains('?').then_some(text)
        });
        named.or_else(|| self.related())
    }

    /// Finds a URL in a list of links: `links: [{rel: "next", href: …}]`.
    fn related(&self) -> Option<String> {
        let mut lists = self
            .named(&["links", "link"])
            .filter(|member| member.value.starts_with('[') && member.value.len() < MAX_BYTES);
        lists.find_map(|member| {
            let links: Vec<Value> = serde_json::from_str(member.value).ok()?;
            links.iter().find_map(|link| {
                let named = |name: &str| link.get(name)?.as_str();
                let relation = named("rel").or_else(|| named("relation"))?;
                let target = named("href").or_else(|| named("url"))?;
                (relation == "next" && target.contains('?')).then(|| target.to_owned())
            })
        })
    }

    fn cursor(&self) -> Option<Next> {
        const NAMES: [&str; 16] = [
            "nextcursor",
            "nextpagetoken",
            "nexttoken",
            "nextpagecursor",
            "nextmarker",
            "continuationtoken",
            "nextcontinuationtoken",
            "nextpagekey",
            "nextkey",
            "endcursor",
            "nextpage",
            "next",
            "after",
            "continue",
            "nextpageid",
            "cursor",
        ];
        NAMES.into_iter().find_map(|name| {
            let member = self.members.iter().find(|it| it.name == name)?;
            let is_meant = match name {
                // These words mean other things elsewhere.
                "after" if member.wrapper == "cursors" => self.has_more(),
                "after" => member.wrapper == "paging",
                "continue" => member.wrapper == "metadata",
                "cursor" => matches!(member.wrapper.as_str(), "" | "pagination") || self.has_more(),
                _ => true,
            };
            let value = text(member.value).filter(|value| {
                is_meant && !value.is_empty() && !value.contains("://") && !value.contains('?')
            })?;
            Some(Next::Cursor {
                member: name,
                value,
            })
        })
    }

    fn named_number(&self) -> Option<Next> {
        let page = self.number(&["nextpage", "nextpagenumber", "next"]);
        let offset = self.number(&["nextoffset", "nextskip", "nextstart"]);
        page.map(Next::Page).or(offset.map(Next::Offset))
    }

    fn after_the_last(&self) -> Option<Next> {
        let last = self
            .named(&["lastid"])
            .find_map(|member| text(member.value))?;
        Some(Next::After(last))
    }

    /// Returns the number of this page.
    fn page(&self) -> Option<u64> {
        self.number(&["page", "currentpage", "pagenumber", "pageindex", "number"])
    }

    fn size(&self) -> Option<u64> {
        self.number(&[
            "perpage",
            "pagesize",
            "limit",
            "maxresults",
            "itemsperpage",
            "size",
        ])
    }

    /// Returns how many have been left out once this page has been read.
    fn offset(&self) -> Option<u64> {
        let offset = self.number(&["offset", "startat", "skip", "start", "startindex"])?;
        offset.checked_add(self.size().filter(|size| *size > 0)?)
    }

    fn last_item(&self) -> Option<Next> {
        const LISTS: [&str; 6] = ["data", "items", "results", "values", "records", "objects"];
        let mut lists = self.named(&LISTS).map(|member| member.value);
        let things = lists.find(|value| value.starts_with('['))?;
        let opened = members(items(things, 0)?.last?, MAX_MEMBERS)?;
        let (_, id) = opened.kept.iter().find(|(name, _)| name == "id")?;
        Some(Next::After(
            text(id).or_else(|| Some(number(id)?.to_string()))?,
        ))
    }

    /// Counts: more pages than this one, or more things than were given so far.
    fn counted(&self) -> Option<Next> {
        const PAGES: [&str; 7] = [
            "totalpages",
            "pagecount",
            "lastpage",
            "numpages",
            "pages",
            "pagestotal",
            "totalpagecount",
        ];
        const TOTAL: [&str; 6] = [
            "total",
            "totalcount",
            "totalresults",
            "totalitems",
            "totalelements",
            "totalrecords",
        ];
        let total = self.number(&TOTAL);
        if let Some(next) = self.offset() {
            return (next < total?).then_some(Next::Offset(next));
        }
        let page = self.page()?;
        // Where the word is `number`, pages are counted from zero.
        let done = match self.number(&["page", "currentpage", "pagenumber"]) {
            Some(page) => page,
            None => page.checked_add(1)?,
        };
        let is_more = match self.number(&PAGES) {
            Some(pages) => done < pages,
            None => done.checked_mul(self.size()?)? < total?,
        };
        is_more.then(|| page.checked_add(1).map(Next::Page))?
    }
}

fn text(json: &str) -> Option<String> {
    if !json.starts_with('"') || json.len() > MAX_BYTES {
        return None;
    }
    serde_json::from_str(json).ok()
}

/// Reads a number, be it written as a text.
fn number(json: &str) -> Option<u64> {
    json.trim_matches('"').parse().ok()
}
