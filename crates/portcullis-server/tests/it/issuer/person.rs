//! A person with a browser: it keeps cookies, follows what pages do by themselves, and sends forms.

use std::collections::BTreeMap;

use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use portcullis_base::Secret;
use portcullis_oauth::pkce::{self, CodeChallenge};
use portcullis_server::ambient::SystemRng;

use super::site::{Answered, ORIGIN, PETS, Site, parameter_of};

/// A browser.
#[derive(Clone)]
pub(super) struct Person {
    pub(super) cookies: BTreeMap<String, String>,
    /// Headers that go with every request.
    pub(super) headers: Vec<(&'static str, &'static str)>,
    /// Whose link the browser follows, in the words of `Sec-Fetch-Site`.
    pub(super) sender: &'static str,
}

impl Default for Person {
    fn default() -> Self {
        Self {
            cookies: BTreeMap::new(),
            headers: Vec::new(),
            sender: "cross-site",
        }
    }
}

/// A client's request for authorization, and what it keeps for the token request.
pub(super) struct Asked {
    pub(super) client: String,
    pub(super) redirect_uri: String,
    pub(super) verifier: Secret,
    pub(super) parameters: Vec<(String, String)>,
}

impl Asked {
    /// Makes a good request for `pets`.
    pub(super) fn new(client: &str, redirect_uri: &str) -> Self {
        let verifier = pkce::verifier(&SystemRng);
        let challenge = CodeChallenge::of(&verifier);
        let parameters = [
            ("response_type", "code"),
            ("client_id", client),
            ("redirect_uri", redirect_uri),
            ("state", "the client's <state>"),
            ("code_challenge", challenge.as_str()),
            ("code_challenge_method", "S256"),
            ("resource", PETS),
        ];
        Self {
            client: client.to_owned(),
            redirect_uri: redirect_uri.to_owned(),
            verifier,
            parameters: parameters
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect(),
        }
    }

    /// Replaces a parameter, or takes it out where the value is empty.
    pub(super) fn with(mut self, name: &str, value: &str) -> Self {
        self.parameters.retain(|(other, _)| other != name);
        if !value.is_empty() {
            self.parameters.push((name.to_owned(), value.to_owned()));
        }
        self
    }

    pub(super) fn path(&self) -> String {
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        query.extend_pairs(&self.parameters);
        format!("/authorize?{}", query.finish())
    }

    /// Redeems a code as the client does.
    pub(super) async fn redeem(&self, site: &Site, code: &str) -> Answered {
        site.token(&[
            ("grant_type", "authorization_code"),
            ("client_id", &self.client),
            ("code", code),
            ("redirect_uri", &self.redirect_uri),
            ("code_verifier", self.verifier.expose()),
            ("resource", PETS),
        ])
        .await
    }
}

/// A consent page.
#[derive(Clone, Debug)]
pub(super) struct ConsentForm {
    pub(super) path: String,
    pub(super) text: String,
    pub(super) flow: String,
    pub(super) csrf: String,
}

impl Person {
    /// Opens a path of the gateway by following a link, of another site unless `sender` says otherwise.
    pub(super) async fn open(&mut self, site: &Site, path: &str) -> Answered {
        let path = path.strip_prefix(ORIGIN).unwrap_or(path);
        let mut request = Request::get(path)
            .header("sec-fetch-mode", "navigate")
            .header("sec-fetch-site", self.sender);
        if !self.cookies.is_empty() {
            request = request.header(header::COOKIE, self.cookie());
        }
        for (name, value) in &self.headers {
            request = request.header(*name, *value);
        }
        let answered = site.send(request.body(Body::empty()).unwrap()).await;
        self.keep(&answered);
        answered
    }

    /// Sends a form of the gateway's own pages.
    pub(super) async fn submit(
        &mut self,
        site: &Site,
        path: &str,
        fields: &[(&str, &str)],
    ) -> Answered {
        let mut form = url::form_urlencoded::Serializer::new(String::new());
        form.extend_pairs(fields);
        let mut request = Request::post(path)
            .header("content-type", "application/x-www-form-urlencoded")
            .header("origin", ORIGIN)
            .header("sec-fetch-site", "same-origin");
        if !self.cookies.is_empty() {
            request = request.header(header::COOKIE, self.cookie());
        }
        for (name, value) in &self.headers {
            request = request.header(*name, *value);
        }
        let answered = site
            .send(request.body(Body::from(form.finish())).unwrap())
            .await;
        self.keep(&answered);
        answered
    }

    /// Follows a client's link to the consent page.
    pub(super) async fn consent_page(&mut self, site: &Site, asked: &Asked) -> ConsentForm {
        let answered = self.open(site, &asked.path()).await;
        assert_eq!(answered.status, StatusCode::SEE_OTHER, "{answered:?}");
        let path = answered.header("location").unwrap().to_owned();
        self.consent_form(site, &path).await
    }

    pub(super) async fn consent_form(&mut self, site: &Site, path: &str) -> ConsentForm {
        let page = self.open(site, path).await;
        assert_eq!(page.status, StatusCode::OK, "{page:?}");
        let value = |name: &str| {
            let (_, rest) = page
                .text
                .split_once(&format!("name=\"{name}\" value=\""))
                .unwrap();
            rest.split_once('"').unwrap().0.to_owned()
        };
        ConsentForm {
            path: path.to_owned(),
            flow: value("flow"),
            csrf: value("csrf"),
            text: page.text.clone(),
        }
    }

    /// Decides on a consent page.
    pub(super) async fn decide(
        &mut self,
        site: &Site,
        form: &ConsentForm,
        decision: &str,
    ) -> Answered {
        let fields = [
            ("flow", &*form.flow),
            ("csrf", &form.csrf),
            ("decision", decision),
        ];
        self.submit(site, "/consent", &fields).await
    }

    /// Approves, and returns the URL of the provider that the page moves on to.
    pub(super) async fn approve(&mut self, site: &Site, form: &ConsentForm) -> String {
        let answered = self.decide(site, form, "approve").await;
        assert_eq!(answered.status, StatusCode::OK, "{answered:?}");
        moves_on_to(&answered)
    }

    /// Signs in at the provider as `name`, whose URL is given, and comes back to the gateway.
    pub(super) async fn come_back(&mut self, site: &Site, provider: &str, name: &str) -> Answered {
        self.open(site, &way_back(provider, name)).await
    }

    /// Goes the whole way as `name`, and returns the code that the client gets.
    pub(super) async fn sign_in(&mut self, site: &Site, asked: &Asked, name: &str) -> String {
        let form = self.consent_page(site, asked).await;
        let provider = self.approve(site, &form).await;
        let answered = self.come_back(site, &provider, name).await;
        assert_eq!(answered.status, StatusCode::SEE_OTHER, "{answered:?}");
        answered.sent_to("code").unwrap()
    }

    fn cookie(&self) -> String {
        let pairs: Vec<_> = self
            .cookies
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        pairs.join("; ")
    }

    fn keep(&mut self, answered: &Answered) {
        for cookie in answered.headers.get_all(header::SET_COOKIE) {
            let cookie = cookie.to_str().unwrap();
            let pair = cookie.split(';').next().unwrap();
            let (name, value) = pair.split_once('=').unwrap();
            self.cookies.insert(name.to_owned(), value.to_owned());
        }
        self.cookies.retain(|_, value| !value.is_empty());
    }
}

/// Returns where the provider, whose URL is given, sends the browser of `name` back to.
pub(super) fn way_back(provider: &str, name: &str) -> String {
    let state = parameter_of(provider, "state").unwrap();
    format!(
        "/callback/idp?code={}&state={state}",
        code_of(provider, name)
    )
}

/// Returns the code that the provider, whose URL is given, makes when `name` signs in.
pub(super) fn code_of(provider: &str, name: &str) -> String {
    let challenge = parameter_of(provider, "code_challenge").unwrap();
    format!("code-of-{name}.{challenge}")
}

/// Returns where a page moves on to by itself.
pub(super) fn moves_on_to(answered: &Answered) -> String {
    let (_, rest) = answered.text.split_once("content=\"0;url=").unwrap();
    let url = rest.split_once('"').unwrap().0;
    url.replace("&amp;", "&").replace("&#38;", "&")
}

/// Signs `name` in to `pets` by a new client, and returns its tokens.
pub(super) async fn tokens_of(site: &Site, name: &str) -> serde_json::Value {
    let redirect_uri = "https://app.example/cb";
    let client = site.client(redirect_uri).await;
    let asked = Asked::new(&client, redirect_uri);
    let code = Person::default().sign_in(site, &asked, name).await;
    let answered = asked.redeem(site, &code).await;
    assert_eq!(answered.status, StatusCode::OK, "{answered:?}");
    let mut tokens = answered.json();
    tokens["client"] = client.into();
    tokens
}
