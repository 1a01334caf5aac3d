//! Whether what stands in `examples/` is what its readers take it for.
//!
//! Images are not built and nothing is deployed.
//! Each kind of file is judged by the program or the schema of its own kind, and each configuration by `portcullis check`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail};
use tempfile::TempDir;

use crate::workspace::Workspace;
use crate::{command, system, tools};

/// What stands for the URL of the database; nobody connects to it.
const DATABASE: &str = "postgres://portcullis:secret@database/portcullis";

/// Judges every example.
pub(crate) fn run(workspace: &Workspace, install: bool) -> Result<()> {
    system::require(&[system::NGINX, system::OPENSSL, system::SYSTEMD], install)?;
    let judge = Judge {
        examples: workspace.root().join("examples"),
        portcullis: workspace.target().join("debug/portcullis"),
        python: tools::python_packages(workspace, "examples")?.join("bin"),
        scratch: tempfile::tempdir()?,
    };
    workspace.build()?;
    judge.systemd()?;
    judge.docker()?;
    judge.compose_and_kubernetes(workspace)?;
    judge.nginx()
}

struct Judge {
    examples: PathBuf,
    portcullis: PathBuf,
    /// Where the programs of the Python packages are.
    python: PathBuf,
    scratch: TempDir,
}

impl Judge {
    fn systemd(&self) -> Result<()> {
        let unit = self.read("systemd/portcullis.service")?;
        let program = self.portcullis.display().to_string();
        let unit = replaced(&unit, &[("/usr/local/bin/portcullis", &program)])?;
        let path = self.write("portcullis.service", &unit)?;
        let mut verify = Command::new("systemd-analyze");
        let verified = verify.arg("verify").arg(path).output()?;
        // What it does not know it only mentions.
        let told = String::from_utf8_lossy(&verified.stderr);
        if !verified.status.success() || !told.is_empty() {
            bail!("examples/systemd/portcullis.service:\n{told}");
        }
        self.check(&self.examples.join("systemd/portcullis.toml"))?;
        let stop: u64 = number_behind(&unit, "TimeoutStopSec=")?;
        self.drains_within("systemd/portcullis.toml", stop)
    }

    fn docker(&self) -> Result<()> {
        let file = self.examples.join("docker/Dockerfile");
        command::run(Command::new(self.python.join("hadolint")).arg(file))
    }

    fn compose_and_kubernetes(&self, workspace: &Workspace) -> Result<()> {
        for entry in fs::read_dir(self.examples.join("kubernetes"))? {
            let file = entry?.path();
            let validate = self.python.join("kubernetes-validate");
            let judged = command::output(Command::new(validate).arg("--strict").arg(&file));
            judged.with_context(|| file.display().to_string())?;
        }
        let map = self.scratch.path().join("kubernetes");
        fs::create_dir(&map)?;
        let left = command::output(
            Command::new(self.python.join("python"))
                .arg(workspace.root().join("tests/python/examples.py"))
                .arg(&self.examples)
                .arg(&map),
        )?;
        self.check(&map.join("portcullis.toml"))?;
        let text = tools::read(&map.join("portcullis.toml"))?;
        drains_within(&text, left.trim().parse()?)?;
        self.check(&self.examples.join("compose/portcullis.toml"))?;
        let compose = self.read("compose/compose.yaml")?;
        key_is_readable(&compose, &self.read("docker/Dockerfile")?)?;
        let grace = number_behind(&compose, "stop_grace_period: ")?;
        self.drains_within("compose/portcullis.toml", grace)
    }

    fn nginx(&self) -> Result<()> {
        let folder = self.scratch.path().display().to_string();
        let certificate = Command::new("openssl")
            .args(["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-batch"])
            .args(["-subj", "/CN=mcp.example.com", "-days", "1"])
            .args(["-keyout", "privkey.pem", "-out", "fullchain.pem"])
            .current_dir(&folder)
            .output()?;
        if !certificate.status.success() {
            bail!("openssl made no certificate");
        }
        let text = replaced(
            &self.read("compose/nginx.conf")?,
            &[
                ("/run/secrets", &folder),
                ("172.31.84.11:", "127.0.0.1:"),
                ("172.31.84.12:", "127.0.0.2:"),
                ("/dev/stdout", "access.log"),
                ("/dev/stderr", "error.log"),
            ],
        )?;
        let path = self.write("nginx.conf", &format!("pid nginx.pid;\n{text}"))?;
        let nginx = command::find("nginx").context("nginx was found a moment ago")?;
        command::output(
            Command::new(nginx)
                .args(["-t", "-q", "-e", "stderr", "-p", &folder, "-c"])
                .arg(path),
        )?;
        Ok(())
    }

    /// Has the program itself judge a configuration, beside the document and the secrets that it names.
    fn check(&self, configuration: &Path) -> Result<()> {
        let folder = tempfile::tempdir()?;
        let file = folder.path().join("portcullis.toml");
        let secrets = folder.path().display().to_string();
        let text = tools::read(configuration)?.replace("/run/secrets/", &format!("{secrets}/"));
        fs::write(&file, text)?;
        fs::write(folder.path().join("database_url"), DATABASE)?;
        let document = folder.path().join("petstore.yaml");
        fs::copy(self.examples.join("petstore.yaml"), document)?;
        let judged = command::output(
            Command::new(&self.portcullis)
                .arg("check")
                .arg(&file)
                .env("DATABASE_URL", DATABASE),
        );
        judged.with_context(|| configuration.display().to_string())?;
        Ok(())
    }

    /// Sees that calls have the time to finish that the configuration gives them.
    fn drains_within(&self, configuration: &str, seconds: u64) -> Result<()> {
        drains_within(&self.read(configuration)?, seconds)
            .with_context(|| format!("examples/{configuration}"))
    }

    fn read(&self, file: &str) -> Result<String> {
        tools::read(&self.examples.join(file))
    }

    fn write(&self, name: &str, text: &str) -> Result<PathBuf> {
        let path = self.scratch.path().join(name);
        fs::write(&path, text)?;
        Ok(path)
    }
}

fn drains_within(configuration: &str, seconds: u64) -> Result<()> {
    let drain: u64 = number_behind(configuration, "drain_seconds = ")?;
    if drain >= seconds {
        bail!("calls may take {drain} s to finish, and the program is ended after {seconds} s");
    }
    Ok(())
}

/// Sees that the user of the image can read the master key, and that the gateway takes a file with that mode.
fn key_is_readable(compose: &str, image: &str) -> Result<()> {
    let said = |command: &str| {
        let mut lines = compose.lines();
        let line =
            lines.rfind(|line| line.contains(command) && line.contains("secrets/master_key"));
        number_behind(line.unwrap_or_default(), command)
    };
    let (owner, user) = (said("chown ")?, number_behind(image, "--uid ")?);
    if owner != user {
        bail!("compose.yaml gives the master key to user {owner}, and the image runs as {user}");
    }
    let mode = u32::from_str_radix(&said("chmod ")?.to_string(), 8)?;
    if mode & 0o427 != 0o400 {
        bail!("compose.yaml gives the master key mode {mode:04o}, with which it is refused");
    }
    Ok(())
}

/// Reads the number that follows a word at its first place.
fn number_behind(text: &str, word: &str) -> Result<u64> {
    let (_, rest) = text
        .split_once(word)
        .with_context(|| format!("nothing says `{word}…`"))?;
    let digits = rest.split(|it: char| !it.is_ascii_digit()).next();
    digits
        .unwrap_or_default()
        .parse()
        .with_context(|| format!("no number follows `{word}`"))
}

/// Replaces what is another on the machine that checks; each has to be there.
fn replaced(text: &str, places: &[(&str, &str)]) -> Result<String> {
    let mut text = text.to_owned();
    for (from, to) in places {
        if !text.contains(from) {
            bail!("`{from}` is not there any more");
        }
        text = text.replace(from, to);
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_that_is_ended_before_its_calls_is_found() {
        let configuration = "[listener.limits]\ndrain_seconds = 30\n";
        assert!(drains_within(configuration, 31).is_ok());
        assert!(drains_within(configuration, 30).is_err());
        assert!(drains_within("", 30).is_err());
    }

    #[test]
    fn a_key_that_the_gateway_cannot_read_or_refuses_is_found() {
        let image = "useradd --uid 10001 portcullis";
        let judged = |owner: &str, mode: &str| {
            let compose = format!(
                "# chmod 644 secrets/*\n# chown {owner} secrets/master_key\n# chmod {mode} secrets/master_key\n"
            );
            key_is_readable(&compose, image).is_ok()
        };
        assert!(judged("10001:10001", "400"));
        assert!(!judged("0:0", "400"));
        assert!(!judged("10001:10001", "644"));
        assert!(key_is_readable("# chmod 644 secrets/*\n", image).is_err());
    }

    #[test]
    fn what_is_to_be_replaced_has_to_be_there() {
        assert_eq!(replaced("a b", &[("b", "c")]).unwrap(), "a c");
        assert!(replaced("a b", &[("d", "c")]).is_err());
    }
}
