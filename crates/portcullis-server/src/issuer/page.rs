//! The pages that a person sees between a client and its tokens.

use askama::Template;
use axum::response::Response;
use http::{StatusCode, header};
use portcullis_base::FlowId;

use super::answer;
use crate::http::request_log::Particulars;
use crate::page::{Forms, STYLE, html};

/// Asks whether a client may have access.
#[derive(Template)]
#[template(path = "consent.html")]
pub(super) struct ConsentPage<'a> {
    pub(super) style: &'static str,
    pub(super) flow: String,
    pub(super) csrf: String,
    pub(super) client: &'a str,
    /// Whether the operator registered the client.
    pub(super) is_vouched_for: bool,
    pub(super) redirect_uri: &'a str,
    /// The host that gets the answer, or the scheme of a program's own.
    pub(super) destination: &'a str,
    pub(super) kind: DestinationKind,
    /// One where the client said which, otherwise all to choose from.
    pub(super) toolsets: Vec<ToolsetChoice<'a>>,
    pub(super) scopes: Vec<ScopeLine<'a>>,
    /// The provider's name, where it is known before the choice.
    pub(super) provider: Option<String>,
    /// What the provider is asked for, in its words.
    pub(super) asked: Vec<String>,
    /// Whether the person is not asked again for the same.
    pub(super) is_remembered: bool,
    /// Who is signed in in this browser.
    pub(super) person: Option<&'a str>,
}

/// What a redirect URI leads to, as far as the page warns of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum DestinationKind {
    Web,
    OwnMachine,
    Program,
}

pub(super) struct ToolsetChoice<'a> {
    pub(super) slug: &'a str,
    pub(super) title: &'a str,
}

pub(super) struct ScopeLine<'a> {
    pub(super) name: &'a str,
    pub(super) description: &'a str,
}

impl ConsentPage<'_> {
    pub(super) fn response(&self) -> Response {
        html(StatusCode::OK, self, Forms::Own)
    }

    fn title(&self) -> &str {
        match self.toolsets.as_slice() {
            [only] => only.title,
            _ => "an MCP endpoint",
        }
    }
}

/// Moves on by itself, and has a link for browsers that do not.
///
/// A page and no redirect, because browsers hold the redirects after a form to the page's own policy for forms.
#[derive(Template)]
#[template(path = "moving_on.html")]
struct MovingOnPage<'a> {
    style: &'static str,
    title: &'a str,
    text: &'a str,
    url: &'a str,
    label: &'a str,
}

/// Shows a page that moves on to `url`.
pub(super) fn moving_on(title: &str, text: &str, url: &str, label: &str) -> Response {
    let page = MovingOnPage {
        style: STYLE,
        title,
        text,
        url,
        label,
    };
    html(StatusCode::OK, &page, Forms::None)
}

/// Says what went wrong and what to do.
#[derive(Template)]
#[template(path = "problem.html")]
pub(super) struct ProblemPage<'a> {
    style: &'static str,
    title: &'a str,
    text: &'a str,
    advice: &'a str,
    flow: Option<String>,
    link: Option<Link<'a>>,
}

/// A way back to the client.
pub(super) struct Link<'a> {
    pub(super) url: &'a str,
    pub(super) label: &'a str,
}

impl<'a> ProblemPage<'a> {
    pub(super) fn new(title: &'a str, text: &'a str, advice: &'a str) -> Self {
        Self {
            style: STYLE,
            title,
            text,
            advice,
            flow: None,
            link: None,
        }
    }

    /// Shows the id that the operator finds the flow by.
    pub(super) fn flow(mut self, flow: FlowId) -> Self {
        self.flow = Some(flow.to_string());
        self
    }

    pub(super) fn link(mut self, url: &'a str, label: &'a str) -> Self {
        self.link = Some(Link { url, label });
        self
    }

    pub(super) fn response(&self, status: StatusCode) -> Response {
        html(status, self, Forms::None)
    }
}

/// Says that the gateway cannot go on for now.
pub(super) fn unavailable(particulars: &Particulars) -> Response {
    let page = ProblemPage::new(
        "Not now",
        "The gateway cannot go on at the moment.",
        "Try again in a minute. If it stays like this, tell whoever runs the gateway.",
    );
    of_flow(page, particulars).response(StatusCode::SERVICE_UNAVAILABLE)
}

/// Says that one address begins too many sign-ins.
pub(super) fn too_many() -> Response {
    let page = ProblemPage::new(
        "Not now",
        "Too many sign-ins begin at your address.",
        "Try again in a minute.",
    );
    let mut response = page.response(StatusCode::TOO_MANY_REQUESTS);
    answer::set(&mut response, header::RETRY_AFTER, "60");
    response
}

/// Says that a flow cannot go on: it has ended, is too old, or began in another browser.
pub(super) fn over(particulars: &Particulars) -> Response {
    let page = ProblemPage::new(
        "This sign-in is over",
        "It was finished already, took longer than ten minutes, or was begun in another browser.",
        "Go back to the program that sent you here and connect again.",
    );
    of_flow(page, particulars).response(StatusCode::BAD_REQUEST)
}

fn of_flow<'a>(page: ProblemPage<'a>, particulars: &Particulars) -> ProblemPage<'a> {
    match particulars.flow_id() {
        Some(flow) => page.flow(flow),
        None => page,
    }
}
