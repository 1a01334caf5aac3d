//! Asks a Prism, which has the document, what is wrong with a request.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderName, Request, header};
use http_body_util::{BodyExt as _, Full};
use serde_json::{Value, json};
use tokio::time::timeout;

use super::recorder::Recorded;
use crate::load;

/// Headers that are a matter between two neighbours, or follow from the body.
const OF_THE_WAY: [HeaderName; 4] = [
    header::CONNECTION,
    header::TRANSFER_ENCODING,
    header::HOST,
    header::CONTENT_LENGTH,
];

/// How long Prism may take for a request, on a machine that is busy with other things.
const PATIENCE: Duration = Duration::from_secs(20);

/// A Prism on a port of loopback.
#[derive(Clone, Copy)]
pub(super) struct Prism(pub(super) u16);

impl Prism {
    /// Writes down what it finds, and whether it looks at the body.
    pub(super) async fn judge(self, request: &mut Recorded) {
        request.violations = self.violations(request).await;
        if request.has_json() && request.body.starts_with(b"{") {
            let nothing = Recorded {
                body: Bytes::from_static(b"7"),
                ..request.clone()
            };
            request.judges_bodies = Some(!self.violations(&nothing).await.is_empty());
        }
    }

    /// Returns what it finds; that it does not answer counts too.
    pub(super) async fn violations(self, request: &Recorded) -> Vec<String> {
        match timeout(PATIENCE, self.ask(request)).await {
            Ok(Ok(found)) => found,
            Ok(Err(error)) => vec![format!("Prism does not answer: {error:#}")],
            Err(_) => vec![format!("Prism does not answer in {PATIENCE:?}")],
        }
    }

    async fn ask(self, recorded: &Recorded) -> anyhow::Result<Vec<String>> {
        let address = format!("127.0.0.1:{}", self.0);
        let mut request = Request::builder()
            .method(recorded.method.as_str())
            .uri(&recorded.target)
            .header(header::HOST, &address);
        for (name, value) in &recorded.headers {
            if !OF_THE_WAY.iter().any(|it| it == name.as_str()) {
                request = request.header(name, value.as_bytes());
            }
        }
        let request = request.body(Full::from(recorded.body.clone()))?;
        let answer = load::connect(&address).await?.send_request(request).await?;
        let mut found = Vec::new();
        if let Some(header) = answer.headers().get("sl-violations") {
            let violations: Vec<Value> = serde_json::from_slice(header.as_bytes())?;
            let faults = violations.iter().filter(|it| is_fault(it));
            found.extend(faults.map(Value::to_string));
        }
        let body = answer.into_body().collect().await?.to_bytes();
        // What Prism itself has to say is a problem of its own kind, such as that no path matches.
        let problem: Value = serde_json::from_slice(&body).unwrap_or_default();
        let kind = problem.get("type").and_then(Value::as_str);
        if let Some(kind) = kind.filter(|kind| kind.contains("prism/errors")) {
            let detail = problem.get("detail").and_then(Value::as_str);
            found.push(format!("{kind}: {}", detail.unwrap_or_default()));
        }
        Ok(found)
    }
}

/// Tells faults of the request from those of the answer, and from warnings: that something is deprecated.
///
/// That no path matches is a warning as well, with which Prism passes on whatever it was not asked to judge.
fn is_fault(violation: &Value) -> bool {
    let has = |pointer, value| violation.pointer(pointer) == Some(&json!(value));
    let is_unknown = has("/message", "Selected route not found");
    has("/location/0", "request") && (is_unknown || has("/severity", "Error"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_and_unknown_paths_are_faults_and_other_warnings_are_not() {
        let of = |place, severity, message| {
            is_fault(&json!({ "location": [place], "severity": severity, "message": message }))
        };
        assert!(of("request", "Error", "must be integer"));
        assert!(of("request", "Warning", "Selected route not found"));
        assert!(!of("request", "Warning", "Operation is deprecated"));
        assert!(!of("response", "Error", "must be integer"));
    }
}
