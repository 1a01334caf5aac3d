//! The numbers that the gateway keeps of itself.
//!
//! Every label has a bounded set of values that no client can widen: a toolset that is not published, or a method that is not HTTP's, counts as `other`.
//! Tools, clients and protocol versions are no labels.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use http::{Method, StatusCode};
use portcullis_base::{Blame, Slug};
use prometheus_client::encoding::{EncodeLabelSet, text};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::{Registry, Unit};

use super::logging::DroppedLines;

/// The media type of [`Metrics::render`].
pub const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Upper bounds in seconds: from a list served from memory to a slow API.
const BUCKETS: [f64; 14] = [
    0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 15.0, 60.0,
];

/// All numbers; shared by everything that counts.
#[derive(Debug)]
pub struct Metrics {
    /// The connections of the MCP listener.
    pub connections: Connections,
    registry: Registry,
    requests: Family<RequestLabels, Counter>,
    request_duration: Histogram,
    calls: Family<CallLabels, Counter>,
    call_duration: Family<ToolsetLabel, Histogram>,
    toolsets: ArcSwap<HashMap<String, Arc<ToolsetSeries>>>,
    other: Arc<ToolsetSeries>,
    upstream: Family<UpstreamLabels, Counter>,
    upstream_duration: Histogram,
    token_fetches: Family<OutcomeLabel, Counter>,
    manifest_checks: Family<OutcomeLabel, Counter>,
    document_looks: Family<OutcomeLabel, Counter>,
    documents_waiting: Gauge,
    refresh_token_replays: Counter,
    connection_renewals: Family<OutcomeLabel, Counter>,
    provider_revocations: Family<OutcomeLabel, Counter>,
}

/// The connections of one listener.
#[derive(Clone, Debug, Default)]
pub struct Connections {
    /// Those held at this moment.
    pub open: Gauge,
    /// Those closed because their address held too many.
    pub refused: Counter,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RequestLabels {
    method: &'static str,
    status: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ToolsetLabel {
    toolset: Arc<str>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct CallLabels {
    toolset: Arc<str>,
    outcome: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct UpstreamLabels {
    status: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OutcomeLabel {
    outcome: &'static str,
}

/// One toolset's own series, so that a call looks nothing up by label.
#[derive(Debug)]
struct ToolsetSeries {
    ok: Counter,
    caller: Counter,
    operator: Counter,
    upstream: Counter,
    us: Counter,
    duration: Histogram,
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

impl Metrics {
    /// Makes the registry with all series at zero.
    #[must_use]
    pub fn new() -> Self {
        let histogram: fn() -> Histogram = || Histogram::new(BUCKETS);
        let calls = Family::<CallLabels, Counter>::default();
        let call_duration = Family::new_with_constructor(histogram);
        let other = ToolsetSeries::new("other", &calls, &call_duration);
        let mut metrics = Self {
            connections: Connections::default(),
            registry: Registry::with_prefix("portcullis"),
            requests: Family::default(),
            request_duration: histogram(),
            calls,
            call_duration,
            toolsets: ArcSwap::default(),
            other,
            upstream: Family::default(),
            upstream_duration: histogram(),
            token_fetches: Family::default(),
            manifest_checks: Family::default(),
            document_looks: Family::default(),
            documents_waiting: Gauge::default(),
            refresh_token_replays: Counter::default(),
            connection_renewals: Family::default(),
            provider_revocations: Family::default(),
        };
        metrics.register();
        metrics
    }

    fn register(&mut self) {
        let registry = &mut self.registry;
        let build = Info::new(vec![("version", env!("CARGO_PKG_VERSION"))]);
        registry.register("build", "The program that runs", build);
        registry.register(
            "connections",
            "Connections held at this moment",
            self.connections.open.clone(),
        );
        registry.register(
            "connections_refused",
            "Connections closed because their address held too many",
            self.connections.refused.clone(),
        );
        registry.register("http_requests", "Requests answered", self.requests.clone());
        registry.register_with_unit(
            "http_request_duration",
            "Time from a request's head to the end of its answer",
            Unit::Seconds,
            self.request_duration.clone(),
        );
        registry.register(
            "tool_calls",
            "Tool calls, by who is to blame",
            self.calls.clone(),
        );
        registry.register_with_unit(
            "tool_call_duration",
            "Time that a tool call took, the upstream API's included",
            Unit::Seconds,
            self.call_duration.clone(),
        );
        registry.register(
            "upstream_requests",
            "Requests to upstream APIs, by the status of the answer",
            self.upstream.clone(),
        );
        registry.register_with_unit(
            "upstream_request_duration",
            "Time that upstream APIs took to answer",
            Unit::Seconds,
            self.upstream_duration.clone(),
        );
        registry.register(
            "token_fetches",
            "Access tokens asked for at token endpoints",
            self.token_fetches.clone(),
        );
        registry.register(
            "manifest_checks",
            "Comparisons of a manifest with what its provider serves",
            self.manifest_checks.clone(),
        );
        registry.register(
            "document_looks",
            "Looks at the URLs of documents",
            self.document_looks.clone(),
        );
        registry.register(
            "documents_waiting",
            "Documents of which a revision waits for the operator",
            self.documents_waiting.clone(),
        );
        registry.register(
            "refresh_token_replays",
            "Refresh tokens that came back after their successors were in use",
            self.refresh_token_replays.clone(),
        );
        registry.register(
            "connection_renewals",
            "Connections of people to providers whose tokens were to be renewed",
            self.connection_renewals.clone(),
        );
        registry.register(
            "provider_revocations",
            "Tokens of people that their providers were asked to revoke",
            self.provider_revocations.clone(),
        );
    }

    /// Lets `/metrics` tell how many log lines were dropped.
    ///
    /// Called once, before the registry is shared.
    #[must_use]
    pub fn with_dropped_lines(mut self, dropped: &DroppedLines) -> Self {
        self.registry.register(
            "log_lines_dropped",
            "Log lines dropped because the sink was too slow",
            dropped.counter(),
        );
        self
    }

    /// Gives every published toolset its own series; calls of all others count as `other`.
    pub fn publish<'a>(&self, toolsets: impl IntoIterator<Item = &'a Slug>) {
        let series = toolsets
            .into_iter()
            .map(|slug| {
                let series = ToolsetSeries::new(slug.as_str(), &self.calls, &self.call_duration);
                (slug.as_str().to_owned(), series)
            })
            .collect();
        self.toolsets.store(Arc::new(series));
    }

    /// Counts an answered request.
    pub fn request(&self, method: &Method, status: StatusCode, duration: Duration) {
        let labels = RequestLabels {
            method: known_method(method),
            status: status_class(status),
        };
        self.requests.get_or_create(&labels).inc();
        self.request_duration.observe(duration.as_secs_f64());
    }

    /// Counts a tool call; `blame` is `None` where it succeeded.
    pub fn tool_call(&self, toolset: &str, blame: Option<Blame>, duration: Duration) {
        let toolsets = self.toolsets.load();
        let series = toolsets.get(toolset).unwrap_or(&self.other);
        series.counter(blame).inc();
        series.duration.observe(duration.as_secs_f64());
    }

    /// Counts a request to an upstream API; `status` is `None` where no answer came.
    pub fn upstream_request(&self, status: Option<StatusCode>, duration: Duration) {
        let status = status.map_or("none", status_class);
        self.upstream
            .get_or_create(&UpstreamLabels { status })
            .inc();
        self.upstream_duration.observe(duration.as_secs_f64());
    }

    /// Counts an access token that a token endpoint gave.
    pub fn token_fetched(&self) {
        self.token_fetch("ok");
    }

    /// Counts a refresh token that came back after its successor was in use, and ended its grant.
    pub fn refresh_token_replayed(&self) {
        self.refresh_token_replays.inc();
    }

    /// Counts an attempt to renew a connection.
    pub fn connection_renewal(&self, outcome: &'static str) {
        self.connection_renewals
            .get_or_create(&OutcomeLabel { outcome })
            .inc();
    }

    /// Counts what becomes of a token that a provider is to revoke.
    pub(crate) fn provider_revocation(&self, outcome: &'static str) {
        self.provider_revocations
            .get_or_create(&OutcomeLabel { outcome })
            .inc();
    }

    /// Counts a request for an access token that failed.
    pub fn token_fetch_failed(&self) {
        self.token_fetch("failed");
    }

    /// Counts a comparison of a manifest with what its provider serves.
    pub(crate) fn manifest_check(&self, outcome: &'static str) {
        self.manifest_checks
            .get_or_create(&OutcomeLabel { outcome })
            .inc();
    }

    /// Counts a look at the URL of a document.
    pub(crate) fn document_look(&self, outcome: &'static str) {
        self.document_looks
            .get_or_create(&OutcomeLabel { outcome })
            .inc();
    }

    /// Says of how many documents a revision waits.
    pub(crate) fn documents_waiting(&self, count: usize) {
        self.documents_waiting
            .set(i64::try_from(count).unwrap_or(i64::MAX));
    }

    fn token_fetch(&self, outcome: &'static str) {
        self.token_fetches
            .get_or_create(&OutcomeLabel { outcome })
            .inc();
    }

    /// Writes all series in the `OpenMetrics` text format.
    #[must_use]
    pub fn render(&self) -> String {
        let mut page = String::new();
        // A String takes every write.
        let _ = text::encode(&mut page, &self.registry);
        page
    }
}

impl ToolsetSeries {
    fn new(
        toolset: &str,
        calls: &Family<CallLabels, Counter>,
        durations: &Family<ToolsetLabel, Histogram, fn() -> Histogram>,
    ) -> Arc<Self> {
        let toolset: Arc<str> = Arc::from(toolset);
        let counter = |outcome| {
            calls.get_or_create_owned(&CallLabels {
                toolset: Arc::clone(&toolset),
                outcome,
            })
        };
        Arc::new(Self {
            ok: counter("ok"),
            caller: counter(Blame::Caller.as_str()),
            operator: counter(Blame::Operator.as_str()),
            upstream: counter(Blame::Upstream.as_str()),
            us: counter(Blame::Us.as_str()),
            duration: durations.get_or_create_owned(&ToolsetLabel {
                toolset: Arc::clone(&toolset),
            }),
        })
    }

    fn counter(&self, blame: Option<Blame>) -> &Counter {
        match blame {
            None => &self.ok,
            Some(Blame::Caller) => &self.caller,
            Some(Blame::Operator) => &self.operator,
            Some(Blame::Upstream) => &self.upstream,
            Some(Blame::Us) => &self.us,
        }
    }
}

/// Returns the method's name where HTTP defines it, else `other`.
#[must_use]
pub fn known_method(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        _ => "other",
    }
}

fn status_class(status: StatusCode) -> &'static str {
    match status.as_u16() / 100 {
        1 => "1xx",
        2 => "2xx",
        3 => "3xx",
        4 => "4xx",
        _ => "5xx",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slug(text: &str) -> Slug {
        Slug::parse(text).expect("a slug")
    }

    #[test]
    fn l_05_clients_cannot_widen_the_labels() {
        let metrics = Metrics::new();
        metrics.publish([&slug("petstore")]);
        let before = {
            metrics.tool_call("other-toolset", None, Duration::ZERO);
            metrics.request(&Method::TRACE, StatusCode::OK, Duration::ZERO);
            metrics.render().lines().count()
        };
        for n in 0..100 {
            metrics.tool_call(&format!("invented-{n}"), None, Duration::ZERO);
            let method = Method::from_bytes(format!("M{n}").as_bytes()).expect("a token");
            metrics.request(&method, StatusCode::OK, Duration::ZERO);
        }
        let page = metrics.render();
        assert_eq!(page.lines().count(), before);
        assert!(!page.contains("invented"));
    }

    #[test]
    fn a_call_counts_for_its_toolset_and_blame() {
        let metrics = Metrics::new();
        metrics.publish([&slug("petstore")]);
        metrics.tool_call("petstore", None, Duration::from_millis(3));
        metrics.tool_call("petstore", Some(Blame::Upstream), Duration::from_millis(3));
        let page = metrics.render();
        for line in [
            r#"portcullis_tool_calls_total{toolset="petstore",outcome="ok"} 1"#,
            r#"portcullis_tool_calls_total{toolset="petstore",outcome="upstream"} 1"#,
            r#"portcullis_tool_call_duration_seconds_count{toolset="petstore"} 2"#,
        ] {
            assert!(page.contains(line), "{line} is not in\n{page}");
        }
        assert!(page.ends_with("# EOF\n"));
    }

    #[test]
    fn counts_survive_a_new_catalogue() {
        let metrics = Metrics::new();
        metrics.publish([&slug("petstore")]);
        metrics.tool_call("petstore", None, Duration::ZERO);
        metrics.publish([&slug("petstore"), &slug("github")]);
        metrics.tool_call("petstore", None, Duration::ZERO);
        let line = r#"portcullis_tool_calls_total{toolset="petstore",outcome="ok"} 2"#;
        assert!(metrics.render().contains(line));
    }
}
