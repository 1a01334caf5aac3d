//! A plan and a server become one URL, which is then held against both.
//!
//! The last check of the path: whatever the template and the arguments were, the URL lies below the server's and no one on the way can resolve it to another place (CVE-2026-32871 is the class).

use url::{Position, Url};

use super::RequestPlan;
use super::encode::has_dot_segment;

/// Why a plan has no URL on a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    /// The server's URL is not an absolute `http` or `https` URL without user, query and fragment.
    #[error(
        "the server's URL must be an absolute http or https URL without user name, query and fragment"
    )]
    Server,
    /// The path has a dot segment once it is decoded.
    #[error("the path would contain a `.` or `..` segment")]
    DotSegment,
    /// The URL that came out is not the server's URL with the plan's path below it.
    #[error("the path would lead out of the server's URL")]
    Strayed,
    /// An argument took the name of a credential in the query.
    #[error("an argument has a member that is named like the API's key in the query")]
    NameTaken,
}

impl RequestPlan {
    /// Puts the plan's path and query below the server's URL; a trailing slash of the server's is dropped.
    ///
    /// # Errors
    /// When the server's URL does not serve as one, or the result does not lie below it.
    pub fn url(&self, server: &str) -> Result<Url, PlanError> {
        let base = Url::parse(server).map_err(|_| PlanError::Server)?;
        let is_plain = matches!(base.scheme(), "http" | "https")
            && base.username().is_empty()
            && base.password().is_none()
            && base.query().is_none()
            && base.fragment().is_none();
        if !is_plain {
            return Err(PlanError::Server);
        }
        let prefix = base.path().trim_end_matches('/');
        if has_dot_segment(prefix) || has_dot_segment(&self.path) {
            return Err(PlanError::DotSegment);
        }
        let mut url = base.clone();
        url.set_path(&[prefix, &self.path].concat());
        let query = Some(self.query.as_str()).filter(|query| !query.is_empty());
        url.set_query(query);
        let stays = url[..Position::BeforePath] == base[..Position::BeforePath]
            && url.path().strip_prefix(prefix) == Some(self.path.as_str())
            && self.path.starts_with('/')
            && url.query() == query
            && url.fragment().is_none();
        if stays {
            Ok(url)
        } else {
            Err(PlanError::Strayed)
        }
    }
}
