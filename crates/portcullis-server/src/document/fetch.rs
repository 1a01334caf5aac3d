//! Fetches documents from URLs: by the one way out, bounded in time and size, and following no redirect.
//!
//! The files that a document refers to are fetched from its own origin and nowhere else.
//! A document that needs other files is fetched whole each time: what the server says of the document alone tells nothing of them.

use std::time::Duration;

use bytes::Bytes;
use futures_util::StreamExt as _;
use http::{HeaderMap, HeaderName, HeaderValue, Request, StatusCode, Uri, header};
use http_body_util::Full;
use portcullis_base::SafeUrl;
use portcullis_openapi::{Bundle, Bundler, Diagnostic, FileName, Limits, ReadError, Tree};
use portcullis_store::Validators;
use thiserror::Error;
use tokio::task::spawn_blocking;
use tokio::time::timeout;

use super::refresh::shown;
use crate::config::UpstreamSettings;
use crate::doctor::finding::quoted;
use crate::gateway::egress_policy;
use crate::upstream::http::{Http, HttpAnswer, HttpError};
use crate::upstream::policy::EgressRefusal;

/// The time for one file.
const TIME: Duration = Duration::from_secs(30);

/// The time for a document with all of its files.
pub(crate) const WHOLE_TIME: Duration = Duration::from_mins(4);

/// How many files are fetched at once.
const AT_ONCE: usize = 8;

/// The most bytes of a file that comes beside others; a larger one comes again by itself and after them, so that together they take no more than one may have.
const BESIDE_OTHERS: usize = 8 << 20;

/// The longest value of `ETag` or `Last-Modified` that is kept.
const LONGEST_VALIDATOR: usize = 256;

/// Whoever fetches documents.
#[derive(Clone, Debug)]
pub struct Fetcher {
    http: Http,
}

/// What a URL has.
#[derive(Debug)]
pub enum Fetched {
    /// What it had when it was read last.
    Same,
    /// A document.
    Content(FetchedContent),
}

/// A document as it was fetched.
#[derive(Debug)]
pub struct FetchedContent {
    /// The bytes: as they came where the document needs no other file.
    pub bytes: Vec<u8>,
    /// What the server says of them, where they are all that was fetched.
    pub validators: Validators,
    /// Remarks about files and references.
    pub remarks: Vec<Diagnostic>,
}

/// Why a URL gives no document; holds no text of whoever answers but where a redirect leads.
#[derive(Clone, Debug, Error)]
pub enum FetchError {
    /// Nobody allowed to go there.
    #[error(transparent)]
    NotAllowed(#[from] EgressRefusal),
    /// There is no answer.
    #[error("it cannot be reached: {0}")]
    Unreachable(String),
    /// It takes too long.
    #[error("it was not there within {} s", .0.as_secs())]
    Late(Duration),
    /// It is elsewhere, says whoever answers.
    #[error(
        "it answers with a redirect to {to} (status {status}), and none is followed; where you trust it, name that URL"
    )]
    Redirect {
        /// The status.
        status: u16,
        /// Where to, quoted, without a query, which may carry the key of ours.
        to: String,
    },
    /// It is not there.
    #[error("it answers with status {0}")]
    Status(u16),
    /// A file that the document refers to cannot be had, and nobody says that there is none.
    #[error("the file `{name}` that it refers to: {reason}")]
    File {
        /// The file.
        name: String,
        /// What is wrong.
        reason: Box<FetchError>,
    },
    /// It has no end.
    #[error("it has more than {0} bytes, which a document may have")]
    TooLarge(usize),
    /// It is no document.
    #[error(transparent)]
    Unreadable(#[from] ReadError),
    /// The reading broke off.
    #[error("the reading of it broke off")]
    BrokenOff,
}

impl Fetcher {
    /// Makes one that goes where the settings let the gateway go.
    #[must_use]
    pub fn new(settings: &UpstreamSettings) -> Self {
        Self::by(Http::new(egress_policy(settings), settings.connect))
    }

    /// Makes one that goes out through `http`.
    #[must_use]
    pub fn by(http: Http) -> Self {
        Self { http }
    }

    /// Fetches what a URL has, unless that is what `known` says.
    ///
    /// # Errors
    ///
    /// When it may not be reached, does not answer with a document in time, or the document is too large.
    pub async fn fetch(&self, url: &SafeUrl, known: &Validators) -> Result<Fetched, FetchError> {
        let whole = timeout(WHOLE_TIME, self.fetch_whole(url, known)).await;
        whole.unwrap_or(Err(FetchError::Late(WHOLE_TIME)))
    }

    async fn fetch_whole(&self, url: &SafeUrl, known: &Validators) -> Result<Fetched, FetchError> {
        let max_bytes = Limits::default().max_bytes;
        let answer = self.ask(url, known, max_bytes).await?;
        if answer.status == StatusCode::NOT_MODIFIED && *known != Validators::default() {
            return Ok(Fetched::Same);
        }
        let validators = validators(&answer.headers);
        let bytes = body(answer, max_bytes)?;
        let Bundle {
            bytes,
            files,
            diagnostics,
        } = self.bundled(url, bytes).await?;
        Ok(Fetched::Content(FetchedContent {
            bytes,
            validators: if files.is_empty() {
                validators
            } else {
                Validators::default()
            },
            remarks: diagnostics,
        }))
    }

    /// Fetches the files that a document refers to, in rounds of those that are known to be needed.
    async fn bundled(&self, url: &SafeUrl, bytes: Vec<u8>) -> Result<Bundle, FetchError> {
        let path = url.as_url().path().trim_start_matches('/');
        let main = FileName::parse(path).or_else(|_| FileName::parse("openapi"));
        let main = main.expect("`openapi` is a file's name");
        let tree = Tree::Origin(url.as_url().clone());
        let mut bundler =
            parsed(move || Bundler::new(main, tree, bytes, &Limits::default())).await?;
        loop {
            let wanted = bundler.wanted();
            if wanted.is_empty() {
                return parsed(move || bundler.finish()).await;
            }
            let files = wanted.into_iter().map(|name| async {
                let file = self.file(url, &name, BESIDE_OTHERS).await;
                (name, file)
            });
            let mut files = futures_util::stream::iter(files).buffered(AT_ONCE);
            let mut large = Vec::new();
            while let Some((name, file)) = files.next().await {
                if matches!(file, Err(FetchError::TooLarge(_))) {
                    large.push(name);
                } else {
                    bundler = put(bundler, name, file).await?;
                }
            }
            for name in large {
                let file = self.file(url, &name, Limits::default().max_bytes).await;
                bundler = put(bundler, name, file).await?;
            }
        }
    }

    async fn file(
        &self,
        document: &SafeUrl,
        name: &FileName,
        max_bytes: usize,
    ) -> Result<Vec<u8>, FetchError> {
        let mut url = document.as_url().clone();
        url.set_query(None);
        url.set_path(name.as_str());
        let url = SafeUrl::from_url(url);
        let url = url.map_err(|error| FetchError::Unreachable(error.to_string()))?;
        let nothing = Validators::default();
        body(self.ask(&url, &nothing, max_bytes).await?, max_bytes)
    }

    async fn ask(
        &self,
        url: &SafeUrl,
        known: &Validators,
        max_bytes: usize,
    ) -> Result<HttpAnswer, FetchError> {
        let request = request(url, known)?;
        match timeout(TIME, self.http.exchange(request, max_bytes)).await {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(HttpError::Refused(refusal))) => Err(refusal.into()),
            Ok(Err(error)) => Err(FetchError::Unreachable(error.to_string())),
            Err(_) => Err(FetchError::Late(TIME)),
        }
    }
}

/// Hands a file to the bundle, or says that there is none.
async fn put(
    mut bundler: Bundler,
    name: FileName,
    file: Result<Vec<u8>, FetchError>,
) -> Result<Bundler, FetchError> {
    let given = move || match file {
        Ok(bytes) => bundler
            .give(&name, &bytes)
            .map(|()| bundler)
            .map_err(FetchError::from),
        Err(gone @ FetchError::Status(404 | 410)) => {
            let withheld = bundler.withhold(&name, gone.to_string());
            withheld.map(|()| bundler).map_err(FetchError::from)
        }
        // A document without it would be taken for what the URL has.
        Err(reason) => Err(FetchError::File {
            name: name.as_str().to_owned(),
            reason: Box::new(reason),
        }),
    };
    parsed(given).await
}

/// Parses where that holds nobody up.
async fn parsed<T, E>(
    parsing: impl FnOnce() -> Result<T, E> + Send + 'static,
) -> Result<T, FetchError>
where
    T: Send + 'static,
    E: Into<FetchError> + Send + 'static,
{
    match spawn_blocking(parsing).await {
        Ok(outcome) => outcome.map_err(Into::into),
        Err(_) => Err(FetchError::BrokenOff),
    }
}

fn request(url: &SafeUrl, known: &Validators) -> Result<Request<Full<Bytes>>, FetchError> {
    let uri = Uri::try_from(url.as_url().as_str());
    let uri = uri.map_err(|error| FetchError::Unreachable(error.to_string()))?;
    let mut request = Request::new(Full::default());
    *request.uri_mut() = uri;
    let headers = request.headers_mut();
    let accepted = "application/json, application/yaml, application/vnd.oai.openapi, */*;q=0.5";
    headers.insert(header::ACCEPT, HeaderValue::from_static(accepted));
    let conditions = [
        (header::IF_NONE_MATCH, &known.etag),
        (header::IF_MODIFIED_SINCE, &known.last_modified),
    ];
    for (name, value) in conditions {
        let value = value.as_deref().map(HeaderValue::from_str);
        if let Some(Ok(value)) = value {
            headers.insert(name, value);
        }
    }
    Ok(request)
}

fn validators(headers: &HeaderMap) -> Validators {
    let text = |name: HeaderName| {
        let value = headers.get(name)?.to_str().ok()?;
        (value.len() <= LONGEST_VALIDATOR).then(|| value.to_owned())
    };
    Validators {
        etag: text(header::ETAG),
        last_modified: text(header::LAST_MODIFIED),
    }
}

fn body(answer: HttpAnswer, max_bytes: usize) -> Result<Vec<u8>, FetchError> {
    let status = answer.status.as_u16();
    match status {
        _ if answer.truncated_at.is_some() => Err(FetchError::TooLarge(max_bytes)),
        200 => Ok(answer.body),
        300..=399 => {
            let to = answer.headers.get(header::LOCATION);
            let to = to.and_then(|value| value.to_str().ok()).unwrap_or_default();
            Err(FetchError::Redirect {
                status,
                to: quoted(shown(to)),
            })
        }
        _ => Err(FetchError::Status(status)),
    }
}
