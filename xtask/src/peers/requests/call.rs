//! A call of a tool, the request that came of it, and what the judges found.

use serde::Deserialize;
use serde_json::Value;

use super::exceptions::Judge;

/// A call, as `portcullis-bench requests` prints it, and what openapi-core says of it.
#[derive(Deserialize)]
pub(super) struct Call {
    pub(super) tool: String,
    pub(super) variant: String,
    pub(super) not_generated: Option<String>,
    arguments: Option<Value>,
    refused: Option<String>,
    request: Option<Request>,
    /// The same request, broken on purpose.
    pub(super) broken: Vec<Broken>,
    #[serde(skip)]
    openapi_core: Vec<String>,
}

/// A request that a judge has to find fault with.
#[derive(Deserialize)]
pub(super) struct Broken {
    /// What was done to it.
    pub(super) kind: String,
    request: Request,
    #[serde(skip)]
    openapi_core: Vec<String>,
}

#[derive(Deserialize)]
struct Request {
    method: String,
    target: String,
    headers: Vec<(String, String)>,
    violations: Vec<String>,
    judges_bodies: Option<bool>,
}

impl Call {
    /// Adds what openapi-core found.
    pub(super) fn judged_by_openapi_core(
        &mut self,
        found: Vec<String>,
        in_broken: Vec<Vec<String>>,
    ) {
        self.openapi_core = found;
        for (broken, found) in self.broken.iter_mut().zip(in_broken) {
            broken.openapi_core = found;
        }
    }

    /// What each judge found that looked at it.
    pub(super) fn findings(&self) -> Vec<(Judge, &[String])> {
        match &self.request {
            Some(request) => request.findings(&self.openapi_core),
            None => vec![(Judge::Gateway, self.refused.as_slice())],
        }
    }

    /// The media type of the body, with its parameters; empty where there is none.
    pub(super) fn media_type(&self) -> &str {
        self.header("content-type").unwrap_or_default()
    }

    /// A header that was sent.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        let mut headers = self.request.iter().flat_map(|request| &request.headers);
        let found = headers.find(|(it, _)| it == name);
        found.map(|(_, value)| value.as_str())
    }

    /// The path and the query that were sent.
    pub(super) fn target(&self) -> Option<&str> {
        self.request.as_ref().map(|request| request.target.as_str())
    }

    /// Tells whether the arguments have something at a place of the request, other than an empty object.
    pub(super) fn gives(&self, place: &[String]) -> bool {
        let mut given = self.arguments.as_ref();
        let is_body = place.first().is_some_and(|it| it == "body");
        for name in place.iter().skip(usize::from(!is_body)) {
            given = given.and_then(|value| match value {
                Value::Array(items) => items.get(name.parse::<usize>().ok()?),
                _ => value.get(name),
            });
        }
        given.is_some_and(|value| value.as_object().is_none_or(|it| !it.is_empty()))
    }

    /// What was sent, or would have been.
    pub(super) fn shown(&self) -> String {
        let arguments = self
            .arguments
            .as_ref()
            .map(Value::to_string)
            .unwrap_or_default();
        match &self.request {
            Some(request) => format!("{} of {arguments}", request.shown()),
            None => arguments,
        }
    }
}

impl Broken {
    /// What each judge found that looked at it.
    pub(super) fn findings(&self) -> Vec<(Judge, &[String])> {
        self.request.findings(&self.openapi_core)
    }

    /// What was sent.
    pub(super) fn shown(&self) -> String {
        self.request.shown()
    }
}

impl Request {
    fn findings<'a>(&'a self, openapi_core: &'a [String]) -> Vec<(Judge, &'a [String])> {
        let mut findings = vec![(Judge::OpenapiCore, openapi_core)];
        // Prism lets a body pass whose schema it cannot compile.
        if self.judges_bodies != Some(false) {
            findings.push((Judge::Prism, &self.violations));
        }
        findings
    }

    fn shown(&self) -> String {
        format!("{} {}", self.method, self.target)
    }
}

#[cfg(test)]
impl Call {
    /// A call that was sent, and what the judges say of it; Prism cannot where that is `None`.
    pub(super) fn sent(tool: &str, prism: Option<&[&str]>, openapi_core: &[&str]) -> Self {
        Self {
            tool: tool.to_owned(),
            variant: "all".to_owned(),
            not_generated: None,
            arguments: None,
            refused: None,
            request: Some(Request::judged(prism)),
            broken: Vec::new(),
            openapi_core: owned(openapi_core),
        }
    }

    /// Adds a broken form of it, and what the judges say of that.
    pub(super) fn broken(
        mut self,
        kind: &str,
        prism: Option<&[&str]>,
        openapi_core: &[&str],
    ) -> Self {
        self.broken.push(Broken {
            kind: kind.to_owned(),
            request: Request::judged(prism),
            openapi_core: owned(openapi_core),
        });
        self
    }

    pub(super) fn with_arguments(self, arguments: Value) -> Self {
        Self {
            arguments: Some(arguments),
            ..self
        }
    }

    /// Gives its body a media type.
    pub(super) fn send_as(&mut self, media_type: &str) {
        if let Some(request) = &mut self.request {
            request.headers = vec![("content-type".to_owned(), media_type.to_owned())];
        }
    }
}

#[cfg(test)]
impl Request {
    fn judged(prism: Option<&[&str]>) -> Self {
        Self {
            method: "GET".to_owned(),
            target: "/".to_owned(),
            headers: Vec::new(),
            violations: prism.map(owned).unwrap_or_default(),
            judges_bodies: prism.is_none().then_some(false),
        }
    }
}

#[cfg(test)]
fn owned(list: &[&str]) -> Vec<String> {
    list.iter().map(|&it| it.to_owned()).collect()
}
