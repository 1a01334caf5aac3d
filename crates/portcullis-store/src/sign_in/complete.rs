//! The end of a sign-in: who came, with which tokens, and the code that the client gets for it.

use portcullis_base::{ConnectionId, Digest, FlowId, Slug, SubjectId, Timestamp};
use portcullis_oauth::issuer::client::ClientId;
use portcullis_oauth::issuer::person::{ConnectionTokens, Identity, RememberedConsent};
use portcullis_oauth::pkce::CodeChallenge;
use portcullis_oauth::scope::Scopes;

use super::{codes, connections, sessions};
use crate::audit::{Actor, AuditEntry};
use crate::engine::{Connection, fetch_all, fetch_optional};
use crate::error::StoreError;
use crate::rows::parse;
use crate::seal::Sealer;
use crate::store::Store;

const TABLE: &str = "subjects";

/// A sign-in to complete.
#[derive(Clone, Debug)]
pub struct SignIn {
    /// Who came; whoever nobody can name is a new subject each time.
    pub identity: Option<Identity>,
    /// The provider's slug.
    pub provider: Slug,
    /// The tokens for the connection, where the provider's token is kept.
    pub tokens: Option<ConnectionTokens>,
    /// The code to store.
    pub code: NewCode,
    /// The browser session to begin.
    pub session: Option<NewSession>,
    /// The scopes that the person approved, where the consent is remembered.
    pub remember: Option<Scopes>,
}

/// A code to store; subject and connection come of the sign-in.
#[derive(Clone, Debug)]
pub struct NewCode {
    /// The digest of the code.
    pub digest: Digest,
    /// The flow that it ends.
    pub flow: FlowId,
    /// The client that may redeem it.
    pub client: ClientId,
    /// The `redirect_uri` of the request, exactly.
    pub redirect_uri: String,
    /// The challenge of the request.
    pub code_challenge: CodeChallenge,
    /// The toolset that it is for.
    pub toolset: Slug,
    /// The scopes that it carries.
    pub scopes: Scopes,
    /// When it expires.
    pub expires_at: Timestamp,
}

/// A browser session to begin.
#[derive(Clone, Copy, Debug)]
pub struct NewSession {
    /// The digest of the cookie.
    pub digest: Digest,
    /// The digest of the cookie that the browser had until now; that session ends.
    pub replaced: Option<Digest>,
}

/// What came of a sign-in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SignedIn {
    /// Who came.
    pub subject: SubjectId,
    /// The connection, where the provider's token is kept.
    pub connection: Option<ConnectionId>,
}

impl Store {
    /// Finds the subject of an identity, if that person was ever here.
    ///
    /// # Errors
    ///
    /// When the database cannot be read.
    pub async fn subject(&self, identity: &Identity) -> Result<Option<SubjectId>, StoreError> {
        let mut reader = self.engine().reader().await?;
        let row = fetch_optional!(
            &mut reader.connection(),
            (String,),
            "SELECT id FROM subjects WHERE issuer = $1 AND subject = $2",
            identity.issuer.as_str(),
            identity.subject.as_str()
        )?;
        row.map(|(id,)| Ok(parse(TABLE, "id", &id, SubjectId::parse(&id))?))
            .transpose()
    }

    /// Completes a sign-in in one transaction.
    ///
    /// The subject is found by its identity or made, its connection for the toolset gets the tokens, and the code, the browser session and the remembered consent are stored.
    ///
    /// # Errors
    ///
    /// When the flow has a code already, the client does not exist, or the database cannot be written.
    pub async fn complete_sign_in(
        &self,
        sign_in: SignIn,
        now: Timestamp,
    ) -> Result<SignedIn, StoreError> {
        let sealer = self.sealer();
        self.engine()
            .write(move |mut connection| {
                Box::pin(async move { complete(&sealer, &sign_in, now, &mut connection).await })
            })
            .await
    }
}

async fn complete(
    sealer: &Sealer,
    sign_in: &SignIn,
    now: Timestamp,
    connection: &mut Connection<'_>,
) -> Result<SignedIn, StoreError> {
    let subject = subject(sign_in.identity.as_ref(), sealer, now, connection).await?;
    let mut signed_in = SignedIn {
        subject,
        connection: None,
    };
    if let Some(tokens) = &sign_in.tokens {
        let key = (subject, &sign_in.provider, &sign_in.code.toolset);
        let connected = connections::connect(key, tokens, sealer, now, connection).await?;
        signed_in.connection = Some(connected);
    }
    codes::insert(&sign_in.code, signed_in, now, connection).await?;
    if let Some(session) = &sign_in.session {
        sessions::begin(session, sign_in, subject, now, connection).await?;
    }
    if let Some(scopes) = &sign_in.remember {
        let consent = consent(&sign_in.code, subject, scopes);
        sessions::remember(&consent, now, connection).await?;
    }
    let actor = Actor::new(subject.to_string());
    AuditEntry::new(actor, "subject.signed_in", sign_in.provider.to_string())
        .insert(connection, sealer.rng(), now)
        .await?;
    Ok(signed_in)
}

/// Finds the subject of this identity, or makes one.
async fn subject(
    identity: Option<&Identity>,
    sealer: &Sealer,
    now: Timestamp,
    connection: &mut Connection<'_>,
) -> Result<SubjectId, StoreError> {
    // Without an issuer there is no conflict: the columns are NULL, and NULL equals nothing.
    let ids = fetch_all!(
        connection,
        (String,),
        "INSERT INTO subjects (id, issuer, subject, label, created_at_ms) \
         VALUES ($1, $2, $3, $4, $5) \
         ON CONFLICT (issuer, subject) \
         DO UPDATE SET label = COALESCE(excluded.label, subjects.label) RETURNING id",
        SubjectId::new(now, sealer.rng()).to_string(),
        identity.map(|it| it.issuer.as_str()),
        identity.map(|it| it.subject.as_str()),
        identity.and_then(|it| it.label.as_deref()),
        now.as_millis()
    )?;
    let (id,) = ids
        .first()
        .ok_or_else(|| StoreError::Statement("a subject was neither found nor made".to_owned()))?;
    Ok(parse(TABLE, "id", id, SubjectId::parse(id))?)
}

/// The provider may have granted less than was approved, and grants it anew each time.
fn consent(code: &NewCode, subject: SubjectId, approved: &Scopes) -> RememberedConsent {
    RememberedConsent {
        subject,
        client: code.client.clone(),
        redirect_uri: code.redirect_uri.clone(),
        toolset: code.toolset.clone(),
        scopes: approved.clone(),
    }
}
