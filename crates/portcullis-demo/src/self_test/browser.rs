//! A browser without JavaScript: it keeps cookies, goes where it is sent, and presses buttons.

use std::collections::BTreeMap;

use anyhow::{Context as _, bail, ensure};
use reqwest::StatusCode;
use reqwest::header::{COOKIE, HeaderMap, HeaderValue, ORIGIN, SET_COOKIE};
use url::Url;

use super::http::{Answer, FORM, Http, form};

/// How often it is sent on before it gives up.
const MOST_HOPS: usize = 10;

/// A browser with nothing in it.
pub(super) struct Browser {
    http: Http,
    /// By host, which all its ports share, and by name.
    cookies: BTreeMap<(String, String), String>,
}

/// Where the browser has come to rest.
pub(super) struct Page {
    url: Url,
    text: String,
}

impl Page {
    /// Fails unless each of the texts stands on the page.
    pub(super) fn shows(&self, texts: &[&str]) -> anyhow::Result<()> {
        let page = unescaped(&self.text);
        for text in texts {
            ensure!(
                page.contains(text),
                "{} does not show {text:?}:\n{page}",
                self.url
            );
        }
        Ok(())
    }

    /// Returns where the page's first form goes, and what it carries out of sight.
    fn form(&self) -> Option<(Url, Vec<(String, String)>)> {
        let (_, rest) = self.text.split_once("<form method=\"post\" action=\"")?;
        let (action, rest) = rest.split_once('"')?;
        let (inside, _) = rest.split_once("</form>")?;
        let inputs = inside.split("<input type=\"hidden\" name=\"").skip(1);
        let hidden = inputs.map(|input| {
            let (name, rest) = input.split_once("\" value=\"")?;
            let (value, _) = rest.split_once('"')?;
            Some((name.to_owned(), unescaped(value)))
        });
        Some((
            self.url.join(&unescaped(action)).ok()?,
            hidden.collect::<Option<_>>()?,
        ))
    }
}

impl Browser {
    pub(super) fn new(http: &Http) -> Self {
        Self {
            http: http.clone(),
            cookies: BTreeMap::new(),
        }
    }

    /// Opens a URL, and goes on to where redirects and refreshes lead.
    pub(super) async fn open(&mut self, url: &str) -> anyhow::Result<Page> {
        let url = Url::parse(url)?;
        let answer = self.http.get(url.as_str(), self.cookies_for(&url)?).await?;
        self.follow(url, answer).await
    }

    /// Presses a button of the page's first form.
    pub(super) async fn press(
        &mut self,
        page: &Page,
        name: &str,
        value: &str,
    ) -> anyhow::Result<Page> {
        page.shows(&[&format!("name=\"{name}\" value=\"{value}\"")])?;
        let (url, hidden) = page.form().context("the page has no form")?;
        let hidden = hidden.iter().map(|(name, value)| (&**name, &**value));
        let body = form(hidden.chain([(name, value)]));
        let mut headers = self.cookies_for(&url)?;
        let origin = page.url.origin().ascii_serialization();
        headers.insert(ORIGIN, HeaderValue::try_from(origin)?);
        let answer = self.http.post(url.as_str(), FORM, body, headers).await?;
        self.follow(url, answer).await
    }

    async fn follow(&mut self, mut url: Url, mut answer: Answer) -> anyhow::Result<Page> {
        for _ in 0..MOST_HOPS {
            self.keep(&url, &answer);
            let Some(next) = next(&answer)? else {
                ensure!(
                    answer.status == StatusCode::OK,
                    "{url} answers {}:\n{}",
                    answer.status,
                    answer.text
                );
                return Ok(Page {
                    url,
                    text: answer.text,
                });
            };
            url = url.join(&next)?;
            answer = self.http.get(url.as_str(), self.cookies_for(&url)?).await?;
        }
        bail!("the browser is sent round in circles, and is now at {url}")
    }

    fn cookies_for(&self, url: &Url) -> anyhow::Result<HeaderMap> {
        let host = url.host_str().unwrap_or_default();
        let mine = self.cookies.iter().filter(|((of, _), _)| of == host);
        let pairs: Vec<String> = mine
            .map(|((_, name), value)| format!("{name}={value}"))
            .collect();
        let mut headers = HeaderMap::new();
        if !pairs.is_empty() {
            headers.insert(COOKIE, HeaderValue::try_from(pairs.join("; "))?);
        }
        Ok(headers)
    }

    fn keep(&mut self, url: &Url, answer: &Answer) {
        let host = url.host_str().unwrap_or_default();
        let set = answer.headers.get_all(SET_COOKIE).iter();
        for cookie in set.filter_map(|value| value.to_str().ok()) {
            let pair = cookie.split(';').next().unwrap_or_default();
            if let Some((name, value)) = pair.split_once('=') {
                let key = (host.to_owned(), name.to_owned());
                self.cookies.insert(key, value.to_owned());
            }
        }
        self.cookies.retain(|_, value| !value.is_empty());
    }
}

/// Returns where an answer sends the browser.
fn next(answer: &Answer) -> anyhow::Result<Option<String>> {
    if answer.status.is_redirection() {
        let location = answer.header("location");
        let location = location.context("a redirect leads nowhere")?;
        return Ok(Some(location.to_owned()));
    }
    let refresh = answer
        .text
        .split_once("<meta http-equiv=\"refresh\" content=\"0;url=");
    let url = refresh.and_then(|(_, rest)| rest.split_once('"'));
    Ok(url.map(|(url, _)| unescaped(url)))
}

/// Reads the escapes that templates write.
fn unescaped(text: &str) -> String {
    [
        ("&#60;", "<"),
        ("&#62;", ">"),
        ("&#34;", "\""),
        ("&#39;", "'"),
        ("&#38;", "&"),
    ]
    .into_iter()
    .fold(text.to_owned(), |text, (escape, sign)| {
        text.replace(escape, sign)
    })
}
