//! What judging a caller costs: the same call with no credential, and with tokens of ours and of a provider's, seen before and not.
//!
//! The upstream is called without a credential everywhere, so that the sides differ in nothing but who is let in.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::json;

use super::BenchArguments;
use super::parts::{Bench, Pace};
use super::report::Table;
use super::request::{Request, TOOLS, document};
use super::running::{OTHER_CORE, Running, pinned};
use crate::command;
use crate::program::free_port;

const STICK: &str = "no credential";

/// Enough for each to come again only once it is forgotten, which takes two seconds.
const OUR_TOKENS: usize = 100_000;

/// Many times as many as the gateway remembers.
const THEIR_TOKENS: usize = 150_000;

/// Seconds of full load, so that the tokens suffice.
const SECONDS: f64 = 2.0;

/// Calls a second that every side keeps up with.
const RATE: u32 = 1000;

struct Side<'a> {
    name: &'static str,
    running: &'a Running,
    request: Request,
}

/// Measures all sides in turns.
pub(crate) fn guard(bench: &Bench, arguments: &BenchArguments) -> anyhow::Result<()> {
    let upstream = bench.upstream()?;
    let document = document(&bench.folder, TOOLS, upstream.port)?;
    let place = Place::start(bench, &upstream, &document)?;
    let sides = place.sides(bench)?;
    let mut cpu = Table::new("Guard, CPU of the gateway", "µs a call", STICK);
    let mut time = Table::new("Guard, at 1,000 calls/s", "µs at the median", STICK);
    for _ in 0..arguments.rounds {
        for side in &sides {
            let load = bench.load(side.running, &side.request, Pace::Full(SECONDS))?;
            cpu.record(side.name, load.cpu_us_per_call);
            let load = bench.load(side.running, &side.request, Pace::Rate(RATE))?;
            time.record(side.name, load.p50_us);
        }
    }
    cpu.print();
    time.print();
    Ok(())
}

const OURS: &str = "our token, seen before";
const OURS_NEW: &str = "our token, looked up";
const THEIRS: &str = "a provider's token, seen before";
const THEIRS_NEW: &str = "a provider's token, judged";

/// A gateway with a toolset for each way in, and the provider.
struct Place {
    gateway: Running,
    key: PathBuf,
    issuer: String,
    _provider: Running,
}

impl Place {
    fn start(bench: &Bench, upstream: &Running, document: &Path) -> anyhow::Result<Self> {
        let key = bench.folder.join("guard-key");
        command::run(Command::new(bench.generator()).arg("key").arg(&key))?;
        let port = free_port()?;
        let mut provider = pinned(OTHER_CORE, bench.generator());
        provider
            .args(["provider", &port.to_string(), "--key"])
            .arg(&key);
        let provider = Running::start(provider, port, "/")?;
        let issuer = format!("http://127.0.0.1:{port}");
        let manifest = bench.folder.join("guard-manifest.json");
        let content = json!({
            "issuer": issuer,
            "authorization_endpoint": format!("{issuer}/authorize"),
            "token_endpoint": format!("{issuer}/token"),
            "jwks_uri": format!("{issuer}/keys"),
        });
        std::fs::write(&manifest, content.to_string())?;
        let configuration = format!(
            "trusted_proxies = [\"127.0.0.1\"]\nforwarded_header = \"x-forwarded-for\"\nallow_unauthenticated = true\n\
             [upstream]\nallow = [\"http://127.0.0.1:{}\", \"{issuer}\"]\n\
             [providers.bench]\nprofile = \"oauth2\"\nclient_id = \"bench\"\n\
             authorization_endpoint = \"{issuer}/authorize\"\ntoken_endpoint = \"{issuer}/token\"\n\
             userinfo_endpoint = \"{issuer}/me\"\n\
             [manifests.theirs]\nfile = \"{}\"\nvalidation = \"jwt\"\n\
             [documents.bench]\nfile = \"{}\"\n\
             [toolsets.open]\ndocuments = [\"bench\"]\ninbound = [\"open\"]\n\
             [toolsets.ours]\ndocuments = [\"bench\"]\ninbound = [\"oauth\"]\nprovider = \"bench\"\n\
             [toolsets.theirs]\ndocuments = [\"bench\"]\ninbound = [\"external\"]\nmanifest = \"theirs\"\n",
            upstream.port,
            manifest.display(),
            document.display()
        );
        Ok(Self {
            gateway: bench.serve("guard", &configuration)?,
            key,
            issuer,
            _provider: provider,
        })
    }

    fn endpoint(&self, toolset: &str) -> String {
        format!("http://127.0.0.1:{}/{toolset}/mcp", self.gateway.port)
    }

    fn sides(&self, bench: &Bench) -> anyhow::Result<Vec<Side<'_>>> {
        let folder = &bench.folder;
        let call = |toolset: &str, key: &str| Request::call(folder, &self.endpoint(toolset), key);
        let ours = call("ours", "none")?;
        let mut tokens = Command::new(bench.generator());
        tokens.args(["tokens", "--count", &OUR_TOKENS.to_string()]);
        let ours_new = Self::written(folder, "ours", tokens.args(ours.arguments()))?;
        let mut tokens = Command::new(bench.generator());
        let theirs = self.endpoint("theirs");
        let count = THEIR_TOKENS.to_string();
        tokens.arg("signed").arg(&self.key);
        let theirs_new = Self::written(
            folder,
            "theirs",
            tokens.args([&self.issuer, &theirs, &count]),
        )?;
        let side = |name, request| Side {
            name,
            running: &self.gateway,
            request,
        };
        let looked_up = ours.with_tokens(&ours_new);
        // The first use of a token is noted, which is not what is measured.
        bench.load(&self.gateway, &looked_up, Pace::Full(2.0 * SECONDS))?;
        let first = |file: &Path| -> anyhow::Result<String> {
            let text = std::fs::read_to_string(file)?;
            Ok(text.lines().next().unwrap_or_default().to_owned())
        };
        Ok(vec![
            side(STICK, call("open", "none")?),
            side(OURS, call("ours", &first(&ours_new)?)?),
            side(OURS_NEW, looked_up),
            side(THEIRS, call("theirs", &first(&theirs_new)?)?),
            side(THEIRS_NEW, call("theirs", "none")?.with_tokens(&theirs_new)),
        ])
    }

    fn written(folder: &Path, name: &str, tokens: &mut Command) -> anyhow::Result<PathBuf> {
        let file = folder.join(format!("guard-tokens-{name}"));
        std::fs::write(&file, command::output(tokens)?.trim())?;
        Ok(file)
    }
}
