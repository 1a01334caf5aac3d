//! What a server says of itself: its name, its version, its capabilities, and how to use it.

use crate::envelope::Id;
use crate::reply::write_string;
use crate::{ProtocolVersion, Reply};

/// How long lists may be kept, in milliseconds: a change of the tools is seen within this time.
const TTL_MS: u32 = 60_000;

/// A server's introduction, written once.
#[derive(Clone, Debug)]
pub struct Introduction {
    /// `{"name":…,"version":…}`
    named: Vec<u8>,
    /// The same with `title`, where there is one.
    titled: Vec<u8>,
    /// `,"instructions":…` or nothing.
    instructions: Vec<u8>,
    /// `,"resultType":"complete","_meta":{…}`
    complete: Vec<u8>,
}

impl Introduction {
    /// Writes the introduction of the server `name`; `title` is what people read, `instructions` what the model reads.
    #[must_use]
    pub fn new(name: &str, title: Option<&str>, version: &str, instructions: Option<&str>) -> Self {
        let named = implementation(name, None, version);
        let titled = implementation(name, title, version);
        let mut complete =
            b",\"resultType\":\"complete\",\"_meta\":{\"io.modelcontextprotocol/serverInfo\":"
                .to_vec();
        complete.extend_from_slice(&titled);
        complete.push(b'}');
        let mut text = Vec::new();
        if let Some(instructions) = instructions {
            text.extend_from_slice(b",\"instructions\":");
            write_string(&mut text, instructions);
        }
        Self {
            named,
            titled,
            instructions: text,
            complete,
        }
    }

    /// Answers `initialize` for the version agreed on.
    pub(crate) fn initialize(&self, id: &Id<'_>, version: ProtocolVersion) -> Reply {
        // `completions` came with 2025-03-26; `listChanged` and `subscribe` are absent, since nothing is ever announced.
        let capabilities: &[u8] = if version >= ProtocolVersion::V2025_03_26 {
            br#"{"tools":{},"prompts":{},"resources":{},"completions":{},"logging":{}}"#
        } else {
            br#"{"tools":{},"prompts":{},"resources":{},"logging":{}}"#
        };
        let server = if version >= ProtocolVersion::V2025_06_18 {
            &self.titled
        } else {
            &self.named
        };
        Reply::result(id, self.size_bytes(), |out| {
            out.extend_from_slice(b"{\"protocolVersion\":\"");
            out.extend_from_slice(version.as_str().as_bytes());
            out.extend_from_slice(b"\",\"capabilities\":");
            out.extend_from_slice(capabilities);
            out.extend_from_slice(b",\"serverInfo\":");
            out.extend_from_slice(server);
            out.extend_from_slice(&self.instructions);
            out.push(b'}');
        })
    }

    /// Answers `server/discover`.
    pub(crate) fn discover(&self, id: &Id<'_>, version: ProtocolVersion) -> Reply {
        Reply::result(id, self.size_bytes(), |out| {
            out.extend_from_slice(b"{\"supportedVersions\":[");
            for (index, version) in ProtocolVersion::ALL.iter().enumerate() {
                if index > 0 {
                    out.push(b',');
                }
                write_string(out, version.as_str());
            }
            out.extend_from_slice(
                br#"],"capabilities":{"tools":{},"prompts":{},"resources":{},"completions":{}}"#,
            );
            out.extend_from_slice(&self.instructions);
            self.end_cacheable(out, version);
        })
    }

    /// Ends a result that clients may keep for a while.
    pub(crate) fn end_cacheable(&self, out: &mut Vec<u8>, version: ProtocolVersion) {
        if version.is_modern() {
            // "private": who may see the tools is decided per caller, so that no shared cache may keep them.
            out.extend_from_slice(
                format!(",\"ttlMs\":{TTL_MS},\"cacheScope\":\"private\"").as_bytes(),
            );
        }
        self.end(out, version);
    }

    /// Ends a result: "Every result MUST have `resultType`" (2026-07-28, base protocol).
    pub(crate) fn end(&self, out: &mut Vec<u8>, version: ProtocolVersion) {
        if version.is_modern() {
            out.extend_from_slice(&self.complete);
        }
        out.push(b'}');
    }

    /// Returns about how many bytes the introduction takes.
    pub(crate) fn size_bytes(&self) -> usize {
        self.complete.len() + self.titled.len() + self.instructions.len() + 256
    }
}

fn implementation(name: &str, title: Option<&str>, version: &str) -> Vec<u8> {
    let mut out = b"{\"name\":".to_vec();
    write_string(&mut out, name);
    if let Some(title) = title {
        out.extend_from_slice(b",\"title\":");
        write_string(&mut out, title);
    }
    out.extend_from_slice(b",\"version\":");
    write_string(&mut out, version);
    out.push(b'}');
    out
}
