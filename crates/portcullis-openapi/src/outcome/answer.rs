//! A successful answer becomes a result: what is shown of it, and what is said behind it.

use serde_json::value::RawValue;

use super::block::{Room, block};
use super::cut;
use super::events::{self, End};
use super::media::{self, Family, MediaType};
use super::projection::Unprojected;
use super::text::{self, Cut};
use super::{Content, Outcome, Presentation, UpstreamResponse, json, multipart, name};
use crate::json_text::compact;
use crate::model::Tool;

/// How much larger than asked for a cut may turn out: what is never cut, such as short numbers, adds up.
const TOLERANCE: usize = 1024;
/// The longest path of `Location` that is repeated.
const MAX_PLACE: usize = 500;

/// A successful answer on its way to a result.
pub(super) struct Answer<'a> {
    pub(super) tool: &'a Tool,
    pub(super) response: &'a UpstreamResponse<'a>,
    pub(super) media_type: MediaType<'a>,
    pub(super) presentation: &'a Presentation,
}

impl Answer<'_> {
    pub(super) fn outcome(&self) -> Outcome {
        let UpstreamResponse { status, body, .. } = *self.response;
        let cut = Cut::of(self.response);
        if body.is_empty() && cut.is_none() {
            return self.said(&format!("HTTP {status} with an empty body"));
        }
        match self.media_type.family(body) {
            Family::Json => self.json(body),
            Family::Lines => self.list(events::lines),
            Family::Events => self.list(events::events),
            Family::Multipart if cut.is_none() => self.multipart(body),
            family => self.block(family),
        }
    }

    /// Completes a result that is but a remark.
    pub(super) fn said(&self, text: &str) -> Outcome {
        let promised = self.promises().then(json::empty);
        let text = match self.place() {
            Some(place) => format!("{text}; the API names `{place}` as the place to look at"),
            None => text.to_owned(),
        };
        self.success(vec![Content::Text(text)], promised)
    }

    fn json(&self, body: &[u8]) -> Outcome {
        let cut = Cut::of(self.response);
        if let Some(raw) = json::sound(body) {
            return self.given(raw, cut);
        }
        let closed = cut
            .and_then(|_| cut::closed(&text::decode(body, None).0))
            .filter(|closed| json::sound(closed.as_bytes()).is_some());
        match closed.as_deref().and_then(|it| json::sound(it.as_bytes())) {
            Some(raw) => self.given(raw, cut),
            None => self.block(Family::Text),
        }
    }

    /// Gives a list of values that came one after another; what cannot be read as such is text.
    fn list(&self, read: fn(&str, End) -> Option<String>) -> Outcome {
        let cut = Cut::of(self.response);
        let end = cut.map_or(End::Whole, |_| End::BrokenOff);
        let (text, _) = text::decode(self.response.body, self.media_type.charset().as_deref());
        let list = read(&text, end);
        match list.as_deref().and_then(|it| json::sound(it.as_bytes())) {
            Some(raw) => self.given(raw, cut),
            None => self.block(Family::Text),
        }
    }

    /// Gives JSON: what the operator wants of it, or all.
    fn given(&self, raw: &RawValue, capped: Option<Cut>) -> Outcome {
        let Some(projection) = &self.presentation.projection else {
            return self.fitted(raw, raw, capped);
        };
        let projected = projection.apply(raw.get());
        let projected = projected
            .and_then(|json| RawValue::from_string(json).map_err(|_| Unprojected::Unsound));
        match projected {
            Ok(projected) => self.fitted(&projected, raw, capped),
            Err(reason) => {
                let mut outcome = self.fitted(raw, raw, capped);
                outcome.content.push(Content::Text(format!(
                    "The operator's projection of this tool's answers is not applied: {reason}."
                )));
                outcome
            }
        }
    }

    /// Gives JSON as it is, or what there is room for; `whole` is what the API said.
    fn fitted(&self, raw: &RawValue, whole: &RawValue, capped: Option<Cut>) -> Outcome {
        if raw.get().len() <= self.presentation.max_bytes && capped.is_none() {
            return self.noted(self.shown(raw), self.more(whole, raw));
        }
        let max_bytes = self.presentation.max_bytes;
        let compact = compact(raw.get());
        let cut = (compact.len() > max_bytes)
            .then(|| cut::cut(&compact, max_bytes))
            .flatten();
        let given = cut.as_ref().map_or(&*compact, |cut| &cut.json);
        let fits = given.len() <= max_bytes.saturating_add(TOLERANCE);
        let Some(shown) = json::sound(given.as_bytes()).filter(|_| fits) else {
            return self.block(Family::Text);
        };
        let capped = capped.map(|cut| format!("The gateway did not read all of it: {cut}."));
        let left_out = cut
            .as_ref()
            .filter(|cut| !cut.places.is_empty())
            .map(|cut| self.remainder(compact.len(), cut));
        let notes: Vec<String> = capped.into_iter().chain(left_out).collect();
        let note = (!notes.is_empty()).then(|| notes.join(" "));
        // Behind a cut, the next page would leave out what was cut.
        self.noted(self.shown(shown), note.or_else(|| self.more(whole, raw)))
    }

    /// Says how the next page is asked for; `given` is what is left of the answer.
    fn more(&self, whole: &RawValue, given: &RawValue) -> Option<String> {
        let pagination = self.tool.pagination();
        pagination.next(self.response.link, Some(whole), Some(given))
    }

    /// Says what was cut, and how to have the rest.
    fn remainder(&self, size: usize, cut: &cut::Cut) -> String {
        let (given, places) = (cut.json.len(), &cut.places);
        let way = match self.tool.pagination().fewer(places.items_kept()) {
            Some(way) => format!("to have the rest, {way}"),
            None => "the operator of this gateway can have more given by `max_result_bytes`, or less of each thing by `project`".to_owned(),
        };
        format!("The answer has {size} bytes, of which {given} are given: {places}; {way}.")
    }

    fn shown(&self, raw: &RawValue) -> Outcome {
        let text = Content::Text(raw.get().to_owned());
        if json::is_object(raw) && json::is_readable(raw) {
            return self.success(vec![text], Some(raw.to_owned()));
        }
        let wrapped = self.promises() && json::is_readable(raw);
        self.success(vec![text], wrapped.then(|| json::wrapped(raw.get())))
    }

    fn block(&self, family: Family) -> Outcome {
        let uri = name::uri(&self.uri(), self.response.disposition);
        let cut = Cut::of(self.response);
        let mut room = Room::of(self.presentation);
        let body = self.response.body;
        let block = block(family, &self.media_type, body, cut, uri, &mut room);
        let more = self.tool.pagination().next(self.response.link, None, None);
        self.noted(self.success(vec![block], None), more)
    }

    fn multipart(&self, body: &[u8]) -> Outcome {
        let uri = self.uri();
        let parts = self
            .media_type
            .boundary()
            .and_then(|boundary| multipart::parts(body, &boundary));
        let Some(parts) = parts else {
            return self.block(media::look(body));
        };
        let mut room = Room::of(self.presentation);
        let blocks = parts
            .iter()
            .enumerate()
            .map(|(index, part)| part.block(&format!("{uri}/{}", index + 1), &mut room));
        self.success(blocks.collect(), None)
    }

    /// Tells whether clients expect an object: the tool has an output schema, and that is published.
    fn promises(&self) -> bool {
        self.tool.output_schema.is_some() && self.presentation.projection.is_none()
    }

    fn uri(&self) -> String {
        format!("answer:{}", self.tool.name)
    }

    /// Returns the path that `Location` names: neither a host nor a query, which may hold a secret.
    fn place(&self) -> Option<String> {
        let location = self.response.location?;
        let after_scheme = location.split_once("://").map(|(_, rest)| rest);
        let path = match after_scheme.or_else(|| location.strip_prefix("//")) {
            Some(rest) => rest.split_once('/')?.1,
            None => location.trim_start_matches('/'),
        };
        let path = path.split(['?', '#']).next()?;
        let is_plain = |byte: u8| byte.is_ascii_graphic() && byte != b'`';
        let is_told = (1..MAX_PLACE).contains(&path.len()) && path.bytes().all(is_plain);
        is_told.then(|| format!("/{path}"))
    }

    /// Adds a note behind what is shown.
    fn noted(&self, mut outcome: Outcome, note: Option<String>) -> Outcome {
        let place = self
            .place()
            .filter(|_| matches!(self.response.status, 201 | 202));
        let place = place.map(|place| format!("The API names `{place}` as the place to look at."));
        let notes: Vec<String> = note.into_iter().chain(place).collect();
        if !notes.is_empty() {
            outcome.content.push(Content::Text(notes.join("\n")));
        }
        outcome
    }

    /// Completes a result; with an output schema there is always an object.
    fn success(&self, content: Vec<Content>, structured: Option<Box<RawValue>>) -> Outcome {
        let structured = structured.or_else(|| self.promises().then(|| json::stand_in(&content)));
        Outcome {
            content,
            structured,
            is_error: false,
        }
    }
}
