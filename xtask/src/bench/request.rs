//! What the load generator sends, and the document whose tools it calls.

use std::path::{Path, PathBuf};

use serde_json::{Map, Value, json};

/// The revision of MCP that all sides are asked in; it needs no session.
const VERSION: &str = "2026-07-28";

/// How many tools a toolset has where their number is not what is measured.
pub(crate) const TOOLS: usize = 20;

/// The tool that is called; its document has it whatever its size.
const TOOL: &str = "getBerth0";

/// The scope of the API; the load generator asks for it, and the peer knows it.
const SCOPE: &str = "read";

/// One request, to be sent over and over.
#[derive(Clone, Debug)]
pub(crate) struct Request(Vec<String>);

impl Request {
    /// Asks the API itself, or what stands before it without knowing MCP.
    pub(crate) fn direct(port: u16) -> Self {
        Self(vec![
            format!("http://127.0.0.1:{port}/berths/A1"),
            "--expect=\"note\"".to_owned(),
        ])
    }

    /// Calls the tool.
    pub(crate) fn call(folder: &Path, url: &str, key: &str) -> anyhow::Result<Self> {
        let parameters = json!({ "name": TOOL, "arguments": { "berth": "A1" } });
        let mut request = Self::mcp(folder, url, key, "tools/call", parameters)?;
        // The quote is the one within the text of the result.
        request.0.push("--expect=\\\"note\\\"".to_owned());
        request.0.push(format!("--header=mcp-name: {TOOL}"));
        Ok(request)
    }

    /// Calls the tool where no text is wrapped around the API's answer.
    pub(crate) fn call_of_any_result(folder: &Path, url: &str, key: &str) -> anyhow::Result<Self> {
        let mut request = Self::call(folder, url, key)?;
        request
            .0
            .retain(|argument| !argument.starts_with("--expect"));
        request.0.push("--expect=\"note\"".to_owned());
        Ok(request)
    }

    /// Asks for a page of the list where it is a file.
    pub(crate) fn file(port: u16) -> Self {
        Self(vec![
            format!("http://127.0.0.1:{port}/"),
            "--expect=\"inputSchema\"".to_owned(),
        ])
    }

    /// Asks for the first page of the list.
    pub(crate) fn list(folder: &Path, url: &str, key: &str) -> anyhow::Result<Self> {
        let mut request = Self::mcp(folder, url, key, "tools/list", json!({}))?;
        request.0.push("--expect=\"inputSchema\"".to_owned());
        Ok(request)
    }

    fn mcp(
        folder: &Path,
        url: &str,
        key: &str,
        method: &str,
        mut parameters: Value,
    ) -> anyhow::Result<Self> {
        if let Some(parameters) = parameters.as_object_mut() {
            let meta = json!({
                "io.modelcontextprotocol/protocolVersion": VERSION,
                "io.modelcontextprotocol/clientCapabilities": {},
            });
            parameters.insert("_meta".to_owned(), meta);
        }
        let body = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": parameters });
        let file = folder.join(method.replace('/', "-"));
        std::fs::write(&file, body.to_string())?;
        Ok(Self(vec![
            url.to_owned(),
            format!("--body={}", file.display()),
            format!("--header=authorization: Bearer {key}"),
            "--header=content-type: application/json".to_owned(),
            "--header=accept: application/json, text/event-stream".to_owned(),
            format!("--header=mcp-protocol-version: {VERSION}"),
            format!("--header=mcp-method: {method}"),
        ]))
    }

    /// Sends the tokens of a file, one after the other.
    pub(crate) fn with_tokens(&self, file: &Path) -> Self {
        let mut request = self.clone();
        request.0.push(format!("--tokens={}", file.display()));
        request
    }

    /// Returns what the load generator is told.
    pub(crate) fn arguments(&self) -> &[String] {
        &self.0
    }
}

/// Writes a document of `count` operations that all lead to the same upstream.
pub(crate) fn document(folder: &Path, count: usize, port: u16) -> anyhow::Result<PathBuf> {
    write(
        folder,
        &format!("{count}-tools.json"),
        &described(count, port),
    )
}

/// Writes the same, of an API that wants the token of a person who signed in at `provider`.
pub(crate) fn document_with_sign_in(
    folder: &Path,
    count: usize,
    port: u16,
    provider: &str,
) -> anyhow::Result<PathBuf> {
    let mut document = described(count, port);
    let flow = json!({
        "authorizationUrl": format!("{provider}/authorize"),
        "tokenUrl": format!("{provider}/token"),
        "scopes": { SCOPE: "See the berths" },
    });
    let scheme = json!({ "type": "oauth2", "flows": { "authorizationCode": flow } });
    if let Some(document) = document.as_object_mut() {
        let schemes = json!({ "securitySchemes": { "person": scheme } });
        document.insert("components".to_owned(), schemes);
        document.insert("security".to_owned(), json!([{ "person": [SCOPE] }]));
    }
    let name = format!(
        "{count}-tools-of-{}.json",
        provider.rsplit(':').next().unwrap_or_default()
    );
    write(folder, &name, &document)
}

fn write(folder: &Path, name: &str, document: &Value) -> anyhow::Result<PathBuf> {
    let file = folder.join(name);
    std::fs::write(&file, document.to_string())?;
    Ok(file)
}

fn described(count: usize, port: u16) -> Value {
    let paths: Map<String, Value> = (0..count).map(operation).collect();
    json!({
        "openapi": "3.1.0",
        "info": { "title": "Bench", "version": "1" },
        "servers": [{ "url": format!("http://127.0.0.1:{port}") }],
        "paths": paths,
    })
}

fn operation(index: usize) -> (String, Value) {
    let path = match index {
        0 => "/berths/{berth}".to_owned(),
        _ => format!("/berths/{{berth}}/{index}"),
    };
    let text = json!({ "type": "string" });
    let berth = json!({ "type": "object", "properties": { "name": text, "note": text } });
    let operation = json!({ "get": {
        "operationId": format!("getBerth{index}"),
        "summary": "Show one berth",
        "parameters": [{ "name": "berth", "in": "path", "required": true, "schema": text }],
        "responses": { "200": {
            "description": "The berth.",
            "content": { "application/json": { "schema": berth } },
        } },
    } });
    (path, operation)
}
