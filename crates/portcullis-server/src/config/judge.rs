//! Makes [`Settings`] of the file and the command line, and refuses what does not go together.

mod admin;
mod authorization;

use std::net::SocketAddr;
use std::ops::Range;
use std::path::Path;

use ipnet::IpNet;
use portcullis_base::{Origin, Secret};
use toml::Spanned;
use url::{Host, Url};

use super::file::{File, Limits, Listener, Storage, Tls, Upstream};
use super::problem::Problem;
use super::reading::Reading;
use super::settings::{
    AccessSettings, ListenAddress, LoggingSettings, MasterKeySource, Overrides, Settings,
    StorageSettings, UpstreamSettings, is_public, network,
};
use crate::http::forwarded::TrustedProxies;
use crate::http::settings::{BodyLimits, CertificateFiles, ConnectionLimits, ListenerSettings};

/// The port where nothing else is said.
const PORT: u16 = 8400;
/// The port of health and metrics, where they have one of their own.
const OPERATIONS_PORT: u16 = 8401;

/// Reads everything but the objects.
pub(super) fn settings(reading: &mut Reading<'_>, file: &File, overrides: &Overrides) -> Settings {
    let table = &file.listener;
    let listener = ListenerSettings {
        addresses: listen(reading, table, overrides),
        tls: table.tls.as_ref().and_then(|tls| files(reading, tls)),
        proxies: TrustedProxies {
            networks: reading.all_parsed(&table.trusted_proxies, proxy),
            header: table.forwarded_header.unwrap_or_default(),
        },
        limits: limits(reading, &table.limits),
    };
    refuse_plain_http(reading, table, &listener);
    let access = access(reading, table, overrides, &listener);
    let is_public = is_public(&listener, access.public_url.as_ref());
    Settings {
        admin: admin::token(reading, file),
        operations: operations(reading, table, is_public),
        access,
        storage: storage(reading, file, overrides),
        upstream: upstream(reading, &file.upstream, overrides),
        authorization: authorization::settings(reading, &file.authorization),
        logging: LoggingSettings {
            format: overrides.log_format.or(file.logging.format),
            level: overrides
                .log_level
                .or(file.logging.level)
                .unwrap_or_default(),
        },
        listener,
    }
}

fn access(
    reading: &mut Reading<'_>,
    table: &Listener,
    overrides: &Overrides,
    listener: &ListenerSettings,
) -> AccessSettings {
    AccessSettings {
        public_url: public_url(reading, table, overrides, listener),
        allowed_hosts: reading.all_parsed(&table.allowed_hosts, host),
        allowed_origins: reading.all_parsed(&table.allowed_origins, Origin::parse),
        allow_unauthenticated: table.allow_unauthenticated || overrides.allow_unauthenticated,
        body: BodyLimits {
            max_bytes: reading.count(table.limits.max_body_bytes.as_ref(), 4 << 20),
            timeout: reading.seconds(table.limits.body_seconds.as_ref(), 60),
            ..BodyLimits::default()
        },
    }
}

fn listen(reading: &mut Reading<'_>, table: &Listener, overrides: &Overrides) -> Vec<SocketAddr> {
    if !overrides.listen.is_empty() {
        return sockets(&overrides.listen);
    }
    let Some(listen) = &table.listen else {
        return ListenAddress::Localhost(PORT).sockets();
    };
    if listen.get_ref().is_empty() {
        reading.refuse(
            listen.span(),
            "there is no address to listen on",
            format!("write `listen = [\"localhost:{PORT}\"]`, or leave it out"),
        );
    }
    sockets(&reading.all_parsed(listen.get_ref(), str::parse))
}

fn operations(reading: &mut Reading<'_>, table: &Listener, is_public: bool) -> Vec<SocketAddr> {
    let Some(listen) = &table.operations_listen else {
        return if is_public {
            ListenAddress::Localhost(OPERATIONS_PORT).sockets()
        } else {
            Vec::new()
        };
    };
    if listen.get_ref().is_empty() {
        reading.refuse(
            listen.span(),
            "there is no address to serve health and metrics on",
            format!(
                "write `operations_listen = [\"localhost:{OPERATIONS_PORT}\"]`, or leave it out"
            ),
        );
    }
    sockets(&reading.all_parsed(listen.get_ref(), str::parse))
}

fn sockets(addresses: &[ListenAddress]) -> Vec<SocketAddr> {
    addresses
        .iter()
        .flat_map(|address| address.sockets())
        .collect()
}

fn files(reading: &mut Reading<'_>, tls: &Spanned<Tls>) -> Option<CertificateFiles> {
    let Tls {
        certificate_file: Some(certificate),
        key_file: Some(key),
    } = tls.get_ref()
    else {
        reading.refuse(
            tls.span(),
            "a certificate needs its key, and a key its certificate",
            "give both `certificate_file` and `key_file`",
        );
        return None;
    };
    Some(CertificateFiles {
        certificate: reading.path(certificate.get_ref()),
        key: reading.path(key.get_ref()),
    })
}

fn public_url(
    reading: &mut Reading<'_>,
    table: &Listener,
    overrides: &Overrides,
    listener: &ListenerSettings,
) -> Option<Origin> {
    if let Some(url) = &overrides.public_url {
        if let Err(problem) = judge_public_url(url) {
            reading.problems.push(problem);
        }
        return Some(url.clone());
    }
    if let Some(value) = &table.public_url {
        let url = reading.parsed(value, Origin::parse)?;
        if let Err(problem) = judge_public_url(&url) {
            reading.problems.push(problem.at(value.span()));
        }
        return Some(url);
    }
    if !listener.is_loopback() {
        reading.problems.push(at(
            table.listen.as_ref().map(Spanned::span),
            Problem::new(
                "the URL that clients use is not known",
                "set `public_url` in `[listener]`, or pass `--public-url`, as in `https://mcp.example.com`",
            ),
        ));
        return None;
    }
    let port = listener.addresses.first()?.port();
    if port == 0 {
        return None;
    }
    let scheme = if table.tls.is_some() { "https" } else { "http" };
    Origin::parse(&format!("{scheme}://localhost:{port}")).ok()
}

fn judge_public_url(url: &Origin) -> Result<(), Problem> {
    if url.is_https() || url.is_loopback() {
        return Ok(());
    }
    Err(Problem::new(
        format!("`{url}` is neither https nor loopback, so credentials would travel in the clear"),
        "write `https://…`, and let Portcullis or a proxy in front end TLS",
    ))
}

fn refuse_plain_http(reading: &mut Reading<'_>, table: &Listener, listener: &ListenerSettings) {
    let guarded = table.tls.is_some() || !table.trusted_proxies.is_empty();
    if guarded || listener.is_loopback() {
        return;
    }
    reading.problems.push(at(
        table.listen.as_ref().map(Spanned::span),
        Problem::new(
            "plain HTTP is for loopback only",
            "give `[listener.tls]` a certificate, or name the proxy that ends TLS in `trusted_proxies`",
        ),
    ));
}

fn limits(reading: &mut Reading<'_>, table: &Limits) -> ConnectionLimits {
    ConnectionLimits {
        max_connections: reading.count(table.max_connections.as_ref(), 10_000),
        header_read_timeout: reading.seconds(table.header_seconds.as_ref(), 10),
        drain_deadline: reading.seconds(table.drain_seconds.as_ref(), 30),
        ..ConnectionLimits::default()
    }
}

fn upstream(
    reading: &mut Reading<'_>,
    table: &Upstream,
    overrides: &Overrides,
) -> UpstreamSettings {
    let mut allow = reading.all_parsed(&table.allow, str::parse);
    allow.extend_from_slice(&overrides.allow_upstream);
    UpstreamSettings {
        allow,
        connect: reading.seconds(table.connect_seconds.as_ref(), 10),
        call: reading.seconds(table.call_seconds.as_ref(), 60),
        max_response_bytes: reading.count(table.max_response_bytes.as_ref(), 10 << 20),
        max_calls: reading.count(table.max_calls.as_ref(), 1000),
    }
}

fn storage(reading: &mut Reading<'_>, file: &File, overrides: &Overrides) -> StorageSettings {
    let given = file.data_dir.as_ref().map(|dir| dir.get_ref().as_path());
    let data_dir = match &overrides.data_dir {
        Some(dir) => dir.clone(),
        None => reading.path(given.unwrap_or(Path::new("portcullis-data"))),
    };
    let table = &file.storage;
    let url = database_url(reading, table).unwrap_or_else(|| {
        let path = data_dir.join("portcullis.db");
        Secret::new(format!("sqlite:{}", path.display()))
    });
    let master_key = master_key(reading, table)
        .unwrap_or_else(|| MasterKeySource::FileOrNew(data_dir.join("master.key")));
    StorageSettings {
        url,
        data_dir,
        master_key,
    }
}

fn database_url(reading: &mut Reading<'_>, table: &Storage) -> Option<Secret> {
    let spans = [
        table.url.as_ref().map(Spanned::span),
        table.url_file.as_ref().map(Spanned::span),
        table.url_env.as_ref().map(Spanned::span),
    ];
    refuse_second(reading, spans, "`url`, `url_file` and `url_env`");
    if let Some(file) = &table.url_file {
        return reading.secret_in_file(file.get_ref(), file.span());
    }
    if let Some(variable) = &table.url_env {
        return reading.secret_in_process(variable.get_ref(), variable.span());
    }
    let url = table.url.as_ref()?;
    if Url::parse(url.get_ref()).is_ok_and(|url| url.password().is_some()) {
        reading.refuse(
            url.span(),
            "a password must not stand in this file",
            "write `url_file = \"path\"` or `url_env = \"VARIABLE\"` instead of `url`",
        );
    }
    let text = url.get_ref();
    let database = match text.strip_prefix("sqlite:") {
        Some(path) if !path.starts_with("//") && !path.starts_with(':') => {
            format!("sqlite:{}", reading.path(Path::new(path)).display())
        }
        _ => text.clone(),
    };
    Some(Secret::new(database))
}

fn master_key(reading: &mut Reading<'_>, table: &Storage) -> Option<MasterKeySource> {
    let spans = [
        table.master_key_file.as_ref().map(Spanned::span),
        table.master_key_env.as_ref().map(Spanned::span),
    ];
    refuse_second(reading, spans, "`master_key_file` and `master_key_env`");
    if let Some(file) = &table.master_key_file {
        return Some(MasterKeySource::File(reading.path(file.get_ref())));
    }
    let variable = table.master_key_env.as_ref()?;
    reading
        .secret_in_process(variable.get_ref(), variable.span())
        .map(MasterKeySource::Text)
}

fn refuse_second<const N: usize>(
    reading: &mut Reading<'_>,
    spans: [Option<Range<usize>>; N],
    names: &str,
) {
    if let Some(second) = spans.into_iter().flatten().nth(1) {
        reading.refuse(
            second,
            "this value is given twice",
            format!("keep one of {names}"),
        );
    }
}

fn at(span: Option<Range<usize>>, problem: Problem) -> Problem {
    match span {
        Some(span) => problem.at(span),
        None => problem,
    }
}

fn host(text: &str) -> Result<String, String> {
    let host = Host::parse(text).map(|host| host.to_string());
    host.map_err(|_| "write a host name or an IP address, without scheme and port".to_owned())
}

fn proxy(text: &str) -> Result<IpNet, String> {
    match network(text) {
        Some(block) if block.prefix_len() == 0 => {
            Err("that is everybody; name the proxies only".to_owned())
        }
        Some(block) => Ok(block),
        None => Err("write an IP address, or a CIDR block such as `10.1.0.0/24`".to_owned()),
    }
}
