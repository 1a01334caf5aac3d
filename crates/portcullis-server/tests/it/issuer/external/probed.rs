//! Tokens that are tried out.

use portcullis_store::ProbeSettings;

use super::*;

/// Settings for a provider whose answers tell the audience of a token.
async fn probing() -> Outside {
    let outside = Outside::start(signed()).await;
    let probe = ProbeSettings {
        url: format!("{}/tokeninfo", outside.provider.url()),
        audience: "/aud".to_owned(),
        accepted: vec!["us".to_owned()],
        subject: Some("/sub".to_owned()),
        expires_in: Some("/expires_in".to_owned()),
        ..ProbeSettings::default()
    };
    let settings = ManifestSettings {
        probe: Some(probe),
        ..settings(TokenValidation::Probe)
    };
    outside.publish(&settings, &[Inbound::External]);
    outside
}

#[tokio::test]
async fn a_token_for_us_is_tried_out_once_and_not_beyond_its_time() {
    let outside = probing().await;
    let says = json!({"aud": "us", "sub": "person-1", "expires_in": 30});
    outside.change(|it| it.introspection = (200, says.clone()));
    for _ in 0..2 {
        assert_called_with(&outside.whoami("opaque").await, "opaque");
    }
    assert_eq!(outside.asked("/tokeninfo"), 1);
    let received = outside.provider.received();
    let asked = received.last().unwrap();
    assert_eq!(asked.header("authorization"), Some("Bearer opaque"));
    outside.change(|it| it.introspection = (400, json!({"error": "invalid_token"})));
    turn(&outside, Duration::from_secs(30));
    assert_refused(&outside.whoami("opaque").await, "not active");
}

#[tokio::test]
async fn a_token_for_another_application_opens_nothing() {
    let outside = probing().await;
    let says = json!({"aud": "them", "sub": "person-1", "expires_in": 30});
    outside.change(|it| it.introspection = (200, says.clone()));
    assert_refused(&outside.whoami("opaque").await, "audience");
    assert!(outside.api.received().is_empty());
}

#[tokio::test]
async fn where_the_place_is_gone_nobody_is_sent_to_sign_in() {
    let outside = probing().await;
    for (token, status) in [("a", 403), ("b", 404), ("c", 429), ("d", 500)] {
        outside.change(|it| it.introspection = (status, json!({})));
        let answered = outside.whoami(token).await;
        assert_eq!(answered.status, StatusCode::SERVICE_UNAVAILABLE, "{status}");
    }
}
