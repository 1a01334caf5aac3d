//! `proxied`: three replicas behind nginx, of which one at random is killed, or stopped as in an upgrade, and started again, under load.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::Result;

use super::crowd::Crowd;
use super::programs::{Running, Soak};
use super::site::{Engine, Plan, Site};
use crate::postgres::Cluster;
use crate::program::free_port;

/// How long a replica is left alone before the next one goes, and how long it is away.
const PEACE: Duration = Duration::from_millis(1500);
const AWAY: Duration = Duration::from_millis(700);

const CROWD: [&str; 4] = [
    "--connections=40",
    "--refresh=15",
    "--sign-in=2",
    "--pace-ms=40",
];

/// How a replica goes.
#[derive(Clone, Copy)]
enum End {
    Killed,
    Stopped,
}

pub(crate) fn run(soak: &Soak, cluster: &Cluster) -> Result<()> {
    let public_port = free_port()?;
    let plan = Plan {
        name: "proxied",
        engine: Engine::Postgres(cluster),
        replicas: 3,
        skews_ms: &[],
        provider: &["--life-seconds=3600"],
        more: "",
        public_port: Some(public_port),
    };
    let mut site = Site::start(soak, &plan)?;
    let _nginx = nginx(&site, public_port)?;
    for end in [End::Killed, End::Stopped] {
        under_load(soak, &mut site, end)?;
    }
    Ok(())
}

fn under_load(soak: &Soak, site: &mut Site<'_>, end: End) -> Result<()> {
    let rounds = (soak.rounds / 25).max(1);
    let seconds = (PEACE + AWAY).as_secs_f64() * f64::from(u32::try_from(rounds)?);
    let time = format!("--seconds={}", seconds + 6.0);
    let mut arguments = CROWD.to_vec();
    arguments.push(&time);
    let crowd = Crowd::start(soak, site, &arguments)?;
    for round in 0..rounds {
        std::thread::sleep(PEACE);
        let number = usize::try_from(round * 7 / 2)? % site.replicas.len();
        match end {
            End::Killed => site.kill(number),
            End::Stopped => site.stop(number)?,
        }
        std::thread::sleep(AWAY);
        site.restart(number)?;
    }
    let met = crowd.met()?;
    let how = match end {
        End::Killed => "killed",
        End::Stopped => "stopped by SIGTERM",
    };
    println!(
        "three replicas behind nginx, one {how} {rounds} times: {} calls, {} refreshes, {} sign-ins; {} repeated, {} sign-ins begun again, {} lost, {} sign-outs; the longest took {} ms ({})",
        met.calls,
        met.refreshes,
        met.sign_ins,
        met.repeated,
        met.sign_ins_again,
        met.given_up,
        met.signed_out,
        met.longest_ms,
        met.failures(),
    );
    met.is_unharmed()
}

/// Starts nginx in front, as it is configured where nobody thinks much about it.
fn nginx(site: &Site<'_>, port: u16) -> Result<Running> {
    let folder = site.folder.join("nginx");
    fs::create_dir_all(&folder)?;
    let servers = site.replicas.iter().map(|replica| {
        let port = replica.port;
        format!("server 127.0.0.1:{port} max_fails=1 fail_timeout=1s;")
    });
    let servers = servers.collect::<Vec<_>>().join(" ");
    let configuration = format!(
        "daemon off; master_process off; pid nginx.pid; error_log stderr crit; events {{ worker_connections 4096; }}\n\
         http {{ access_log off; client_body_temp_path .; proxy_temp_path .; fastcgi_temp_path .; uwsgi_temp_path .; scgi_temp_path .;\n\
         upstream behind {{ {servers} keepalive 32; }}\n\
         server {{ listen 127.0.0.1:{port};\n\
         location / {{ proxy_pass http://behind; proxy_http_version 1.1; proxy_set_header Connection ''; proxy_set_header Host $http_host;\n\
         proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for; }} }} }}\n"
    );
    fs::write(folder.join("nginx.conf"), configuration)?;
    let log = folder.join("nginx.log");
    Running::start(command(&folder), port, "/health/ready", &log)
}

fn command(folder: &Path) -> Command {
    let mut command = Command::new("nginx");
    command
        .arg("-p")
        .arg(folder)
        .args(["-c", "nginx.conf", "-e", "stderr"]);
    command
}
