//! Providers that change while a gateway serves.

use portcullis_base::{Clock, Slug};
use portcullis_server::manifest::watch::{EVERY, FIRST, ManifestWatch, Notice};
use portcullis_server::telemetry::metrics::Metrics;
use portcullis_server::upstream::external::ResolvedManifest;
use portcullis_store::{ExchangeSettings, ManifestSettings, TokenValidation};

use super::*;
use crate::hand::Hand;

const MINUTE: Duration = Duration::from_mins(1);

/// A watch over the manifest of one provider.
struct Watched {
    watch: ManifestWatch,
    attached: Arc<ResolvedManifest>,
    clock: Arc<Hand>,
    metrics: Arc<Metrics>,
}

impl Watched {
    fn over(provider: &Provider, republished: bool) -> Self {
        let clock = Arc::new(Hand::default());
        let metrics = Arc::new(Metrics::new());
        let settings = ManifestSettings {
            validation: TokenValidation::Jwt,
            audiences: Vec::new(),
            clients_without_audience: Vec::new(),
            token_issuer: None,
            algorithms: Vec::new(),
            probe: None,
            cache_seconds: None,
            client_id: None,
            delegation: None,
            scopes: Vec::new(),
            exchange: ExchangeSettings::default(),
            republished,
        };
        let slug = Slug::parse("acme").unwrap();
        let content = metadata(&provider.url()).to_string();
        let attached = ResolvedManifest::new(&slug, &content, &settings, None);
        Self {
            watch: ManifestWatch::new(
                provider.visitor(),
                Arc::clone(&metrics),
                Arc::clone(&clock) as Arc<dyn Clock>,
            ),
            attached: Arc::new(attached.unwrap()),
            clock,
            metrics,
        }
    }

    async fn look(&mut self) -> Vec<Notice> {
        let attached = [Arc::clone(&self.attached)];
        self.watch.look(&attached).await
    }

    async fn look_after(&mut self, time: Duration) -> Vec<Notice> {
        self.clock.turn(time);
        self.look().await
    }
}

#[tokio::test]
async fn a_provider_is_asked_some_minutes_after_the_start_and_then_once_a_day() {
    let provider = Provider::start().await;
    let mut watched = Watched::over(&provider, false);
    assert_eq!(watched.look().await, []);
    assert_eq!(watched.look_after(FIRST.abs_diff(MINUTE)).await, []);
    assert_eq!(provider.server.received().len(), 0);
    assert_eq!(watched.look_after(MINUTE).await, [Notice::Same]);
    assert_eq!(watched.look_after(EVERY.abs_diff(MINUTE)).await, []);
    assert_eq!(watched.look_after(MINUTE).await, [Notice::Same]);
    assert_eq!(provider.server.received().len(), 2);
}

#[tokio::test]
async fn what_changed_gravely_is_told_and_nothing_is_changed() {
    let provider = Provider::start().await;
    let mut watched = Watched::over(&provider, false);
    watched.look().await;
    provider.serve(|document| document["service_documentation"] = json!("https://a.example"));
    assert_eq!(watched.look_after(FIRST).await, [Notice::Same]);
    provider.serve(|document| {
        document["token_endpoint"] = json!("https://elsewhere.example/token");
        document["x\u{1b}_endpoint"] = json!("https://elsewhere.example");
    });
    let members = ["token_endpoint", "another endpoint"].map(str::to_owned);
    let members = members.to_vec();
    assert_eq!(
        watched.look_after(EVERY).await,
        [Notice::Changed { members }]
    );
    provider.answer_by(|_| Some(page()));
    let notices = watched.look_after(EVERY).await;
    assert!(matches!(notices.as_slice(), [Notice::Gone(_)]));
    let metrics = watched.metrics.render();
    for outcome in ["same", "changed", "failed"] {
        let series = format!("portcullis_manifest_checks_total{{outcome=\"{outcome}\"}} 1");
        assert!(metrics.contains(&series), "{metrics}");
    }
}

#[tokio::test]
async fn what_is_served_again_differs_only_where_the_provider_says_something_else() {
    let provider = Provider::start().await;
    let mut watched = Watched::over(&provider, true);
    watched.look().await;
    provider.answer_by(|_| Some(page()));
    assert_eq!(watched.look_after(FIRST).await, [Notice::Same]);
    provider.serve(|document| {
        let members = document.as_object_mut().unwrap();
        members.remove("code_challenge_methods_supported");
    });
    assert_eq!(watched.look_after(EVERY).await, [Notice::Same]);
    provider.serve(|document| document["jwks_uri"] = json!("https://elsewhere.example/keys"));
    let members = vec!["jwks_uri".to_owned()];
    assert_eq!(
        watched.look_after(EVERY).await,
        [Notice::Changed { members }]
    );
}

#[tokio::test]
async fn a_manifest_that_the_operator_changed_is_compared_soon() {
    let provider = Provider::start().await;
    let mut watched = Watched::over(&provider, false);
    watched.look().await;
    assert_eq!(watched.look_after(FIRST).await, [Notice::Same]);
    watched.attached = Watched::over(&provider, true).attached;
    assert_eq!(watched.look_after(MINUTE).await, []);
    assert_eq!(watched.look_after(FIRST).await, [Notice::Same]);
}
