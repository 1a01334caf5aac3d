//! Requests: the methods that are served, and their params.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::envelope::{Id, given, text};
use crate::error::clip;
use crate::{Headers, ProtocolError, ProtocolVersion};

/// One request, ready to be answered.
#[derive(Clone, Debug)]
pub struct Request<'a> {
    /// The id to answer to.
    pub id: Id<'a>,
    /// The version to answer in; for `initialize` the one agreed on.
    pub version: ProtocolVersion,
    /// What is asked.
    pub method: Method<'a>,
    /// Given where the caller wants to hear of progress.
    pub progress_token: Option<ProgressToken<'a>>,
}

/// The methods that are served.
#[derive(Clone, Debug)]
pub enum Method<'a> {
    /// `initialize`
    Initialize,
    /// `server/discover`
    Discover,
    /// `ping`
    Ping,
    /// `tools/list`
    ListTools {
        /// Where to go on.
        cursor: Option<Cow<'a, str>>,
    },
    /// `tools/call`
    CallTool(ToolCall<'a>),
    /// `prompts/list`
    ListPrompts,
    /// `prompts/get`; there are none.
    GetPrompt {
        /// The name, cut short.
        name: String,
    },
    /// `resources/list`
    ListResources,
    /// `resources/templates/list`
    ListResourceTemplates,
    /// `resources/read`; there are none.
    ReadResource {
        /// The URI, cut short.
        uri: String,
    },
    /// `completion/complete`
    Complete,
    /// `logging/setLevel`; no message is ever sent, so that every level is kept.
    SetLoggingLevel,
}

/// The params of `tools/call`.
#[derive(Clone, Debug)]
pub struct ToolCall<'a> {
    /// The tool.
    pub name: Cow<'a, str>,
    /// A JSON object, where the caller gave one; not looked at.
    pub arguments: Option<&'a RawValue>,
}

/// What progress notifications refer to: a string or an integer, as the caller wrote it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProgressToken<'a>(Cow<'a, str>);

impl<'a> ProgressToken<'a> {
    fn read(raw: &'a RawValue) -> Option<Self> {
        let text = raw.get();
        let lawful = text.starts_with('"') || text.bytes().all(|b| b.is_ascii_digit() || b == b'-');
        lawful.then_some(Self(Cow::Borrowed(text)))
    }

    /// Returns the token's JSON text.
    #[must_use]
    pub fn as_json(&self) -> &str {
        &self.0
    }

    /// Copies the token, so that it can outlive the request's body.
    #[must_use]
    pub fn into_owned(self) -> ProgressToken<'static> {
        ProgressToken(Cow::Owned(self.0.into_owned()))
    }
}

/// The members of `params` that any served method reads.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Params<'a> {
    #[serde(borrow)]
    name: Option<&'a RawValue>,
    #[serde(borrow)]
    uri: Option<&'a RawValue>,
    #[serde(borrow)]
    cursor: Option<&'a RawValue>,
    #[serde(borrow)]
    arguments: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "given")]
    input_responses: Option<&'a RawValue>,
    #[serde(borrow)]
    level: Option<&'a RawValue>,
    #[serde(borrow)]
    protocol_version: Option<&'a RawValue>,
    #[serde(borrow, rename = "_meta")]
    meta: Option<&'a RawValue>,
}

/// The members of `_meta` that matter.
#[derive(Default, Deserialize)]
pub(crate) struct Meta<'a> {
    #[serde(
        borrow,
        default,
        deserialize_with = "given",
        rename = "io.modelcontextprotocol/protocolVersion"
    )]
    pub(crate) protocol_version: Option<&'a RawValue>,
    #[serde(borrow, rename = "io.modelcontextprotocol/clientCapabilities")]
    pub(crate) client_capabilities: Option<&'a RawValue>,
    #[serde(borrow, rename = "progressToken")]
    progress_token: Option<&'a RawValue>,
}

/// Reads a JSON object into `T`; nothing given is the empty one.
///
/// A sequence would also make a struct, so that the brace is looked at first.
fn object<'a, T: Default + Deserialize<'a>>(
    raw: Option<&'a RawValue>,
    mistake: &'static str,
) -> Result<T, ProtocolError> {
    let Some(raw) = raw else {
        return Ok(T::default());
    };
    if !raw.get().starts_with('{') {
        return Err(ProtocolError::InvalidParams(mistake));
    }
    serde_json::from_str(raw.get()).map_err(|_| ProtocolError::InvalidParams(mistake))
}

impl<'a> Params<'a> {
    pub(crate) fn read(raw: Option<&'a RawValue>) -> Result<Self, ProtocolError> {
        object(raw, "`params` must be an object that has no key twice")
    }

    pub(crate) fn meta(&self) -> Result<Meta<'a>, ProtocolError> {
        object(self.meta, "`_meta` must be an object that has no key twice")
    }

    fn required(
        member: Option<&'a RawValue>,
        mistake: &'static str,
    ) -> Result<Cow<'a, str>, ProtocolError> {
        member
            .and_then(text)
            .ok_or(ProtocolError::InvalidParams(mistake))
    }

    fn name(&self) -> Result<Cow<'a, str>, ProtocolError> {
        Self::required(self.name, "`name` must be a string")
    }

    fn uri(&self) -> Result<Cow<'a, str>, ProtocolError> {
        Self::required(self.uri, "`uri` must be a string")
    }

    fn cursor(&self) -> Result<Option<Cow<'a, str>>, ProtocolError> {
        self.cursor
            .map(|raw| Self::required(Some(raw), "`cursor` must be a string"))
            .transpose()
    }

    fn arguments(&self) -> Result<Option<&'a RawValue>, ProtocolError> {
        match self.arguments {
            Some(raw) if !raw.get().starts_with('{') => Err(ProtocolError::InvalidParams(
                "`arguments` must be an object",
            )),
            arguments => Ok(arguments),
        }
    }
}

impl Params<'_> {
    /// Judges the shape of the answers to questions; what they say is ignored, for nothing is ever asked.
    fn check_input_responses(&self) -> Result<(), ProtocolError> {
        const MISTAKE: &str = "`inputResponses` must be an object of objects";
        let Some(raw) = self.input_responses else {
            return Ok(());
        };
        let responses: BTreeMap<Cow<'_, str>, &RawValue> = object(Some(raw), MISTAKE)?;
        if responses.values().all(|raw| raw.get().starts_with('{')) {
            Ok(())
        } else {
            Err(ProtocolError::InvalidParams(MISTAKE))
        }
    }
}

impl Meta<'_> {
    /// Tells whether the request declares what its client can do.
    pub(crate) fn has_client_capabilities(&self) -> bool {
        self.client_capabilities
            .is_some_and(|raw| raw.get().starts_with('{'))
    }
}

impl<'a> Meta<'a> {
    pub(crate) fn progress_token(&self) -> Option<ProgressToken<'a>> {
        self.progress_token.and_then(ProgressToken::read)
    }
}

/// Reads the params of a method of the versions with a handshake.
pub(crate) fn legacy_method<'a>(
    method: &str,
    params: &Params<'a>,
) -> Result<Method<'a>, ProtocolError> {
    match method {
        "initialize" => Ok(Method::Initialize),
        "ping" => Ok(Method::Ping),
        "logging/setLevel" => logging_level(params),
        "server/discover" => Err(ProtocolError::MethodNotFound(clip(method))),
        _ => shared_method(method, params),
    }
}

/// Reads the params of a method of 2026-07-28.
pub(crate) fn modern_method<'a>(
    method: &str,
    params: &Params<'a>,
) -> Result<Method<'a>, ProtocolError> {
    if method == "server/discover" {
        return Ok(Method::Discover);
    }
    params.check_input_responses()?;
    shared_method(method, params)
}

fn shared_method<'a>(method: &str, params: &Params<'a>) -> Result<Method<'a>, ProtocolError> {
    Ok(match method {
        "tools/call" => Method::CallTool(ToolCall {
            name: params.name()?,
            arguments: params.arguments()?,
        }),
        "tools/list" => Method::ListTools {
            cursor: params.cursor()?,
        },
        "prompts/list" => Method::ListPrompts,
        "prompts/get" => Method::GetPrompt {
            name: clip(&params.name()?),
        },
        "resources/list" => Method::ListResources,
        "resources/templates/list" => Method::ListResourceTemplates,
        "resources/read" => Method::ReadResource {
            uri: clip(&params.uri()?),
        },
        "completion/complete" => Method::Complete,
        _ => return Err(ProtocolError::MethodNotFound(clip(method))),
    })
}

fn logging_level<'a>(params: &Params<'a>) -> Result<Method<'a>, ProtocolError> {
    const LEVELS: [&str; 8] = [
        "debug",
        "info",
        "notice",
        "warning",
        "error",
        "critical",
        "alert",
        "emergency",
    ];
    let level = Params::required(params.level, "`level` must be a string")?;
    if LEVELS.contains(&&*level) {
        Ok(Method::SetLoggingLevel)
    } else {
        Err(ProtocolError::InvalidParams(
            "`level` must be one of RFC 5424's severities",
        ))
    }
}

/// Agrees on a version: the one asked for where it is served, else the latest that has a handshake.
///
/// Clients of that era cannot fall forward, so that no `initialize` is answered with an error.
pub(crate) fn negotiate(params: &Params<'_>) -> ProtocolVersion {
    params
        .protocol_version
        .and_then(text)
        .and_then(|version| ProtocolVersion::parse_legacy(&version))
        .unwrap_or(ProtocolVersion::LATEST_WITH_HANDSHAKE)
}

/// Holds `Mcp-Method` and `Mcp-Name` against the body.
///
/// "Servers that process the request body MUST reject requests where the values specified in the headers do not match the corresponding values in the request body" (2026-07-28, streamable HTTP, "Server Validation").
pub(crate) fn check_mirrored(
    headers: &Headers<'_>,
    method: &str,
    params: &Params<'_>,
) -> Result<(), ProtocolError> {
    if headers.method.text() != Some(method) {
        return Err(ProtocolError::HeaderMismatch("Mcp-Method"));
    }
    let mirrored = match method {
        "tools/call" | "prompts/get" => params.name()?,
        "resources/read" => params.uri()?,
        _ => return Ok(()),
    };
    if headers.name.names(&mirrored) {
        Ok(())
    } else {
        Err(ProtocolError::HeaderMismatch("Mcp-Name"))
    }
}
