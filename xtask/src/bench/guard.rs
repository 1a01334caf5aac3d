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
const THEIR_TOKENS: usize = 100_000;

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
const THEIRS_NEW: &str = "a provider's token (ES256), judged";
const THEIRS_NEW_RSA: &str = "a provider's token (RS256), judged";

/// A gateway with a toolset for each way in, and the providers.
struct Place {
    gateway: Running,
    theirs: SigningProvider,
    theirs_rsa: SigningProvider,
}

/// A provider that signs its tokens.
struct SigningProvider {
    key: PathBuf,
    issuer: String,
    manifest: PathBuf,
    _running: Running,
}

impl SigningProvider {
    fn start(bench: &Bench, algorithm: &str) -> anyhow::Result<Self> {
        let key = bench.folder.join(format!("guard-key-{algorithm}"));
        command::run(
            Command::new(bench.generator())
                .arg("key")
                .arg(&key)
                .args(["--algorithm", algorithm]),
        )?;
        let port = free_port()?;
        let mut command = pinned(OTHER_CORE, bench.generator());
        command
            .args(["provider", &port.to_string(), "--key"])
            .arg(&key);
        let running = Running::start(command, port, "/")?;
        let issuer = format!("http://127.0.0.1:{port}");
        let manifest = bench
            .folder
            .join(format!("guard-manifest-{algorithm}.json"));
        let content = json!({
            "issuer": issuer,
            "authorization_endpoint": format!("{issuer}/authorize"),
            "token_endpoint": format!("{issuer}/token"),
            "jwks_uri": format!("{issuer}/keys"),
        });
        std::fs::write(&manifest, content.to_string())?;
        Ok(Self {
            key,
            issuer,
            manifest,
            _running: running,
        })
    }

    /// Writes tokens for an endpoint to a file.
    fn tokens(&self, bench: &Bench, name: &str, endpoint: &str) -> anyhow::Result<PathBuf> {
        let mut tokens = Command::new(bench.generator());
        tokens.arg("signed").arg(&self.key);
        let count = THEIR_TOKENS.to_string();
        Place::written(
            &bench.folder,
            name,
            tokens.args([&self.issuer, endpoint, &count]),
        )
    }
}

impl Place {
    fn start(bench: &Bench, upstream: &Running, document: &Path) -> anyhow::Result<Self> {
        let theirs = SigningProvider::start(bench, "es256")?;
        let theirs_rsa = SigningProvider::start(bench, "rs256")?;
        let issuer = &theirs.issuer;
        let configuration = format!(
            "trusted_proxies = [\"127.0.0.1\"]\nforwarded_header = \"x-forwarded-for\"\nallow_unauthenticated = true\n\
             [upstream]\nallow = [\"http://127.0.0.1:{}\", \"{issuer}\", \"{}\"]\n\
             [providers.bench]\nprofile = \"oauth2\"\nclient_id = \"bench\"\n\
             authorization_endpoint = \"{issuer}/authorize\"\ntoken_endpoint = \"{issuer}/token\"\n\
             userinfo_endpoint = \"{issuer}/me\"\n\
             [manifests.theirs]\nfile = \"{}\"\nvalidation = \"jwt\"\n\
             [manifests.rsa]\nfile = \"{}\"\nvalidation = \"jwt\"\n\
             [documents.bench]\nfile = \"{}\"\n\
             [toolsets.open]\ndocuments = [\"bench\"]\ninbound = [\"open\"]\n\
             [toolsets.ours]\ndocuments = [\"bench\"]\ninbound = [\"oauth\"]\nprovider = \"bench\"\n\
             [toolsets.theirs]\ndocuments = [\"bench\"]\ninbound = [\"external\"]\nmanifest = \"theirs\"\n\
             [toolsets.rsa]\ndocuments = [\"bench\"]\ninbound = [\"external\"]\nmanifest = \"rsa\"\n",
            upstream.port,
            theirs_rsa.issuer,
            theirs.manifest.display(),
            theirs_rsa.manifest.display(),
            document.display()
        );
        Ok(Self {
            gateway: bench.serve("guard", &configuration)?,
            theirs,
            theirs_rsa,
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
        let tokens = |provider: &SigningProvider, toolset: &str| {
            provider.tokens(bench, toolset, &self.endpoint(toolset))
        };
        let theirs_new = tokens(&self.theirs, "theirs")?;
        let rsa_new = tokens(&self.theirs_rsa, "rsa")?;
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
            side(THEIRS_NEW_RSA, call("rsa", "none")?.with_tokens(&rsa_new)),
        ])
    }

    fn written(folder: &Path, name: &str, tokens: &mut Command) -> anyhow::Result<PathBuf> {
        let file = folder.join(format!("guard-tokens-{name}"));
        std::fs::write(&file, command::output(tokens)?.trim())?;
        Ok(file)
    }
}
