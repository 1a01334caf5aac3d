//! The two cookies: one that tells a browser from others, and one of a person who has signed in.
//!
//! The first binds a flow to the browser that it began in and stands for nobody; the second is made when somebody signs in, and made anew each time.
//! Neither ever admits anybody to an MCP endpoint or authenticates a client.

use std::time::Duration;

use cookie::{Cookie, SameSite};
use http::{HeaderMap, HeaderValue, header};
use portcullis_base::{Browser, BrowserSession, Digest, Origin, Plain, TokenKind};
use portcullis_oauth::issuer::person::SESSION_LIFETIME;

/// How long a browser is told from others: longer than any flow takes.
const BROWSER_LIFETIME: Duration = Duration::from_hours(24);

/// The cookies' names.
///
/// `__Host-` has the browser see to it that nobody but this very host has set them; it asks for https, which loopback does not have.
/// There ports share cookies, so that the port is part of the name.
pub(super) struct CookieNames {
    browser: String,
    session: String,
    secure: bool,
}

impl CookieNames {
    pub(super) fn new(public_url: &Origin) -> Self {
        let origin = public_url.as_str();
        let (prefix, suffix, secure) = match origin.strip_prefix("http://") {
            None => ("__Host-", String::new(), true),
            Some(authority) => {
                let port = authority.rsplit_once(':').map_or("80", |(_, port)| port);
                ("", format!("_{port}"), false)
            }
        };
        Self {
            browser: format!("{prefix}portcullis_browser{suffix}"),
            session: format!("{prefix}portcullis_session{suffix}"),
            secure,
        }
    }

    /// Returns what tells this browser from others, where it has been told before.
    pub(super) fn browser(&self, headers: &HeaderMap) -> Option<Plain<Browser>> {
        value(headers, &self.browser)
    }

    /// Returns the session of this browser.
    pub(super) fn session(&self, headers: &HeaderMap) -> Option<Plain<BrowserSession>> {
        value(headers, &self.session)
    }

    pub(super) fn set_browser(&self, browser: &Plain<Browser>) -> HeaderValue {
        self.set(&self.browser, browser.expose(), BROWSER_LIFETIME)
    }

    pub(super) fn set_session(&self, session: &Plain<BrowserSession>) -> HeaderValue {
        self.set(&self.session, session.expose(), SESSION_LIFETIME)
    }

    pub(super) fn end_session(&self) -> HeaderValue {
        self.set(&self.session, "", Duration::ZERO)
    }

    fn set(&self, name: &str, value: &str, lifetime: Duration) -> HeaderValue {
        let seconds = i64::try_from(lifetime.as_secs()).unwrap_or(i64::MAX);
        let cookie = Cookie::build((name, value))
            .path("/")
            .secure(self.secure)
            .http_only(true)
            // Not `Strict`: providers and clients send the browser to us from elsewhere.
            .same_site(SameSite::Lax)
            .max_age(cookie::time::Duration::seconds(seconds));
        HeaderValue::try_from(cookie.build().to_string()).expect("tokens are visible ASCII")
    }
}

/// Returns the token of a cookie; none where the browser sends two of one name, of which somebody else set one.
fn value<K: TokenKind>(headers: &HeaderMap, name: &str) -> Option<Plain<K>> {
    let mut values = headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|header| header.to_str().ok())
        .flat_map(Cookie::split_parse)
        .filter_map(Result::ok)
        .filter(|cookie| cookie.name() == name);
    let found = values.next()?;
    if values.next().is_some() {
        return None;
    }
    Plain::parse(found.value()).ok()
}

/// Returns what the form of a flow's page must carry: nobody who does not have the browser's cookie can know it.
///
/// It is the same each time that the page is shown, so that two tabs and a reloaded page work.
pub(super) fn csrf_token(browser: &Plain<Browser>, flow: &str) -> String {
    let fields: [&[u8]; 3] = [b"csrf", browser.expose().as_bytes(), flow.as_bytes()];
    Digest::of_fields(fields)
        .as_bytes()
        .iter()
        .fold(String::with_capacity(64), |text, byte| {
            text + &format!("{byte:02x}")
        })
}

#[cfg(test)]
mod tests {
    use portcullis_base::Rng;

    use super::*;

    struct Fixed(u8);

    impl Rng for Fixed {
        fn fill(&self, buffer: &mut [u8]) {
            buffer.fill(self.0);
        }
    }

    fn headers(cookies: &[String]) -> HeaderMap {
        cookies
            .iter()
            .map(|cookie| (header::COOKIE, HeaderValue::try_from(cookie).unwrap()))
            .collect()
    }

    #[test]
    fn c_14_cookies_are_the_hosts_own_and_no_script_reads_them() {
        let names = CookieNames::new(&Origin::parse("https://mcp.example").unwrap());
        let browser = Plain::<Browser>::new(&Fixed(1));
        let set = names.set_browser(&browser);
        let set = set.to_str().unwrap();
        assert!(set.starts_with("__Host-portcullis_browser=pc_br_"), "{set}");
        for attribute in [
            "HttpOnly",
            "SameSite=Lax",
            "Secure",
            "Path=/",
            "Max-Age=86400",
        ] {
            assert!(set.contains(attribute), "{set}");
        }
        assert!(!set.contains("Domain"), "{set}");
        // What could be planted without the prefix is not read.
        let twin = headers(&[format!("portcullis_browser={}", browser.expose())]);
        assert!(names.browser(&twin).is_none());
    }

    #[test]
    fn on_loopback_the_port_is_part_of_the_name() {
        let names = CookieNames::new(&Origin::parse("http://localhost:8400").unwrap());
        let session = Plain::<BrowserSession>::new(&Fixed(2));
        let set = names.set_session(&session);
        let set = set.to_str().unwrap();
        assert!(set.starts_with("portcullis_session_8400=pc_bs_"), "{set}");
        assert!(!set.contains("Secure"), "{set}");
    }

    #[test]
    fn two_cookies_of_one_name_are_none() {
        let names = CookieNames::new(&Origin::parse("http://localhost:8400").unwrap());
        let cookie = |fill| {
            let browser = Plain::<Browser>::new(&Fixed(fill));
            format!("portcullis_browser_8400={}", browser.expose())
        };
        assert!(names.browser(&headers(&[cookie(1)])).is_some());
        assert!(
            names
                .browser(&headers(&[format!("a=b; {}", cookie(1))]))
                .is_some()
        );
        assert!(names.browser(&headers(&[cookie(1), cookie(2)])).is_none());
        let joined = format!("{}; {}", cookie(1), cookie(2));
        assert!(names.browser(&headers(&[joined])).is_none());
    }

    #[test]
    fn c_07_a_form_token_is_of_one_browser_and_one_flow() {
        let [one, other] = [1, 2].map(|fill| Plain::<Browser>::new(&Fixed(fill)));
        assert_eq!(csrf_token(&one, "flow_a"), csrf_token(&one, "flow_a"));
        assert_ne!(csrf_token(&one, "flow_a"), csrf_token(&one, "flow_b"));
        assert_ne!(csrf_token(&one, "flow_a"), csrf_token(&other, "flow_a"));
    }
}
