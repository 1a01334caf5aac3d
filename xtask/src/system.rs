//! What has to come from the operating system: named with the command that gets it, installed only when asked.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Result, bail};

use crate::command;

/// A program of the operating system that a run cannot do without.
#[derive(Clone, Copy)]
pub(crate) struct Requirement {
    /// What it is for, as a person would say it.
    what: &'static str,
    /// Debian's name of the package.
    package: &'static str,
    /// Finds the program.
    find: fn() -> Option<PathBuf>,
}

/// The PostgreSQL server; its programs are not in `PATH` on Debian.
pub(crate) const POSTGRES: Requirement = Requirement {
    what: "the PostgreSQL server",
    package: "postgresql",
    find: || postgres_program("initdb"),
};

/// npm, and with it some Node, which fetches a newer one where needed.
pub(crate) const NPM: Requirement = Requirement {
    what: "npm",
    package: "npm",
    find: || command::find("npm"),
};

/// Python with the module that makes virtual environments.
pub(crate) const PYTHON: Requirement = Requirement {
    what: "Python with venv",
    package: "python3-venv",
    find: python_with_venv,
};

/// The browser that people sign in with.
pub(crate) const CHROMIUM: Requirement = Requirement {
    what: "Chromium",
    package: "chromium",
    find: || command::find("chromium"),
};

/// Makes the certificates of the sites that the browser goes to.
pub(crate) const OPENSSL: Requirement = Requirement {
    what: "openssl",
    package: "openssl",
    find: || command::find("openssl"),
};

/// The web server that a bench measures against.
pub(crate) const NGINX: Requirement = Requirement {
    what: "nginx",
    package: "nginx-light",
    find: || command::find("nginx"),
};

/// Judges systemd's units.
pub(crate) const SYSTEMD: Requirement = Requirement {
    what: "systemd-analyze",
    package: "systemd",
    find: || command::find("systemd-analyze"),
};

/// Pins the sides of a bench to their cores.
pub(crate) const TASKSET: Requirement = Requirement {
    what: "taskset",
    package: "util-linux",
    find: || command::find("taskset"),
};

/// Holds the replicas of a bench to a share of a core.
pub(crate) const CPULIMIT: Requirement = Requirement {
    what: "cpulimit",
    package: "cpulimit",
    find: || command::find("cpulimit"),
};

/// Turns the clocks of the programs of a soak.
pub(crate) const FAKETIME: Requirement = Requirement {
    what: "libfaketime",
    package: "libfaketime",
    find: faketime_library,
};

/// Lets the programs of a soak have a thousand connections.
pub(crate) const PRLIMIT: Requirement = Requirement {
    what: "prlimit",
    package: "util-linux",
    find: || command::find("prlimit"),
};

/// Finds the library that is put before a program whose clock is turned.
pub(crate) fn faketime_library() -> Option<PathBuf> {
    let folders = std::fs::read_dir("/usr/lib").ok()?.filter_map(Result::ok);
    folders
        .map(|folder| folder.path().join("faketime/libfaketimeMT.so.1"))
        .find(|library| library.is_file())
}

/// Finds a program of the PostgreSQL server.
pub(crate) fn postgres_program(name: &str) -> Option<PathBuf> {
    command::find(name).or_else(|| {
        let mut versions: Vec<PathBuf> = std::fs::read_dir("/usr/lib/postgresql")
            .ok()?
            .filter_map(|entry| Some(entry.ok()?.path().join("bin").join(name)))
            .filter(|path| path.is_file())
            .collect();
        versions.sort();
        versions.pop()
    })
}

/// Makes sure that all are there: installs what is missing if that is allowed, else says how to get it.
pub(crate) fn require(requirements: &[Requirement], install: bool) -> Result<()> {
    let missing = missing(requirements);
    if missing.is_empty() {
        return Ok(());
    }
    if install {
        println!("installing {}", missing.join(" "));
        command::run(apt_get().args(["update", "--quiet"]))?;
        // Debian's package would start a cluster of its own; the tests bring theirs.
        command::run(
            apt_get()
                .args(["install", "--yes", "--quiet", "--no-install-recommends"])
                .args(&missing)
                .env("DEBIAN_FRONTEND", "noninteractive")
                .env("RUNLEVEL", "1"),
        )?;
    }
    let missing = self::missing(requirements);
    if missing.is_empty() {
        return Ok(());
    }
    let what: Vec<&str> = requirements
        .iter()
        .filter(|requirement| missing.contains(&requirement.package))
        .map(|requirement| requirement.what)
        .collect();
    bail!(
        "{} missing; get it with `sudo apt-get install {}`, or run `cargo xtask` with `--install` as root",
        what.join(" and "),
        missing.join(" ")
    )
}

fn missing(requirements: &[Requirement]) -> Vec<&'static str> {
    requirements
        .iter()
        .filter(|requirement| (requirement.find)().is_none())
        .map(|requirement| requirement.package)
        .collect()
}

fn apt_get() -> Command {
    if is_root() {
        Command::new("apt-get")
    } else {
        let mut command = Command::new("sudo");
        command.arg("apt-get");
        command
    }
}

/// Whether we run as root, as containers of CI systems do.
pub(crate) fn is_root() -> bool {
    command::output(Command::new("id").arg("-u")).is_ok_and(|id| id.trim() == "0")
}

fn python_with_venv() -> Option<PathBuf> {
    let python = command::find("python3")?;
    command::output(Command::new(&python).args(["-c", "import venv, ensurepip"]))
        .is_ok()
        .then_some(python)
}
