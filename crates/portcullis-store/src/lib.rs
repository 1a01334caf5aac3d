//! The only crate with SQL: one [`Store`] over SQLite or PostgreSQL.
//!
//! Knows: tables, transactions, migrations, and how secrets are sealed before they are written; of OAuth the types that are kept, and none of its rules.
//! Does not know: HTTP, OpenAPI, MCP; nothing outside knows which engine runs.
//!
//! To add a table or a column: a migration under the same name in both folders of `migrations/`, listed in `migrations.rs`; the entity in `entity.rs`; its statements in a file of its own; a test in `tests/it/`.
//! To add a sealed column, see `seal.rs`.

mod api_keys;
mod audit;
mod document;
mod engine;
mod entity;
mod error;
mod last_uses;
mod manifest;
mod migrations;
mod notices;
mod objects;
mod rows;
mod seal;
mod sign_in;
mod store;

pub use api_keys::InsertApiKeyError;
pub use audit::{Actor, AuditEntry, AuditRow};
pub use document::{
    ChangePolicy, Document, DocumentContent, DocumentPut, DocumentRevision, DueDocument,
    KEPT_REVISIONS, LookOutcome, LookState, RemoteSettings, Validators,
};
pub use engine::OpenDatabaseError;
pub use entity::{
    AnswerSettings, ApiKeyRow, DocumentSettings, Environment, Inbound, Owner, ProviderEndpoints,
    ProviderSettings, SchemeSettings, Selection, Toolset, ToolsetDocument, UpstreamProvider,
    Variable, VariableValue,
};
pub use error::{InvalidRow, StoreError};
pub use manifest::{
    Delegation, ExchangeActor, ExchangeSettings, ManifestSettings, ManifestVersion, OAuthManifest,
    ProbeSettings, TokenValidation,
};
pub use notices::{Notice, Notices};
pub use objects::{ApplyError, Changes, Object, ObjectId, Revision, Snapshot};
pub use seal::{
    BeginRotationError, InvalidMasterKey, KeyFileError, Keyring, LostSecrets, MasterKey,
    MasterKeyId, RotationProgress, SealError, create_key_file, read_key_file,
};
pub use sign_in::{
    DueRevocation, GrantPage, GrantSelection, IdleConnections, InsertFlowError, ListedGrant,
    MAX_OPEN_FLOWS, NewCode, NewSession, RevokedKind, SignIn, SignedIn,
};
pub use store::Store;
