//! Which settings a running gateway does not take up: those that differ take effect at its next start.

use crate::config::Settings;

/// Returns the names of the settings that differ, as the configuration file writes them.
pub(super) fn differing(running: &Settings, wanted: &Settings) -> Vec<&'static str> {
    let changes = listener(running, wanted)
        .into_iter()
        .chain(access(running, wanted))
        .chain(storage(running, wanted))
        .chain(upstream(running, wanted))
        .chain(authorization(running, wanted))
        .chain([
            (
                "admin.token_file or admin.token_env",
                running.admin != wanted.admin,
            ),
            (
                "logging.format",
                running.logging.format != wanted.logging.format,
            ),
            (
                "logging.level",
                running.logging.level != wanted.logging.level,
            ),
        ]);
    changes
        .filter(|(_, differs)| *differs)
        .map(|(name, _)| name)
        .collect()
}

type Compared = (&'static str, bool);

fn listener(running: &Settings, wanted: &Settings) -> [Compared; 8] {
    let (before, after) = (&running.listener, &wanted.listener);
    let (limits, wished) = (&before.limits, &after.limits);
    [
        ("listener.listen", before.addresses != after.addresses),
        (
            "listener.operations_listen",
            running.operations != wanted.operations,
        ),
        ("listener.tls", before.tls != after.tls),
        (
            "listener.trusted_proxies",
            before.proxies.networks != after.proxies.networks,
        ),
        (
            "listener.forwarded_header",
            before.proxies.header != after.proxies.header,
        ),
        (
            "listener.limits.header_seconds",
            limits.header_read_timeout != wished.header_read_timeout,
        ),
        (
            "listener.limits.max_connections",
            limits.max_connections != wished.max_connections,
        ),
        (
            "listener.limits.drain_seconds",
            limits.drain_deadline != wished.drain_deadline,
        ),
    ]
}

fn access(running: &Settings, wanted: &Settings) -> [Compared; 5] {
    let (before, after) = (&running.access, &wanted.access);
    [
        ("listener.public_url", before.public_url != after.public_url),
        (
            "listener.allowed_hosts",
            before.allowed_hosts != after.allowed_hosts,
        ),
        (
            "listener.allowed_origins",
            before.allowed_origins != after.allowed_origins,
        ),
        (
            "listener.limits.max_body_bytes",
            before.body.max_bytes != after.body.max_bytes,
        ),
        (
            "listener.limits.body_seconds",
            before.body.timeout != after.body.timeout,
        ),
    ]
}

fn storage(running: &Settings, wanted: &Settings) -> [Compared; 3] {
    let (before, after) = (&running.storage, &wanted.storage);
    [
        ("data_dir", before.data_dir != after.data_dir),
        ("storage.url", before.url != after.url),
        (
            "storage.master_key_file or storage.master_key_env",
            before.master_key != after.master_key,
        ),
    ]
}

fn upstream(running: &Settings, wanted: &Settings) -> [Compared; 5] {
    let (before, after) = (&running.upstream, &wanted.upstream);
    [
        ("upstream.allow", before.allow != after.allow),
        ("upstream.connect_seconds", before.connect != after.connect),
        ("upstream.call_seconds", before.call != after.call),
        (
            "upstream.max_response_bytes",
            before.max_response_bytes != after.max_response_bytes,
        ),
        ("upstream.max_calls", before.max_calls != after.max_calls),
    ]
}

fn authorization(running: &Settings, wanted: &Settings) -> [Compared; 4] {
    let (before, after) = (&running.authorization, &wanted.authorization);
    [
        (
            "authorization.access_token_seconds",
            before.lifetimes.access != after.lifetimes.access,
        ),
        (
            "authorization.refresh_token_seconds",
            before.lifetimes.refresh != after.lifetimes.refresh,
        ),
        (
            "authorization.trusted_redirect_hosts",
            before.trusted_redirect_hosts != after.trusted_redirect_hosts,
        ),
        (
            "authorization.private_use_schemes",
            before.private_use_schemes != after.private_use_schemes,
        ),
    ]
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;
    use crate::config::Overrides;

    fn settings(text: &str) -> Settings {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("portcullis.toml");
        std::fs::write(&path, format!("data_dir = \"/kept\"\n{text}")).unwrap();
        Settings::load(&path, Overrides::default(), HashMap::new()).unwrap()
    }

    #[test]
    fn each_setting_that_differs_is_named() {
        let running = settings("");
        assert!(differing(&running, &settings("")).is_empty());
        for (text, expected) in [
            (
                "[listener]\nallowed_hosts = ['a.example']",
                "listener.allowed_hosts",
            ),
            (
                "[listener]\nallowed_origins = ['https://a.example']",
                "listener.allowed_origins",
            ),
            (
                "[listener]\npublic_url = 'http://127.0.0.1:9'",
                "listener.public_url",
            ),
            (
                "[listener]\noperations_listen = ['localhost:9']",
                "listener.operations_listen",
            ),
            (
                "[listener]\ntrusted_proxies = ['10.1.0.0/24']",
                "listener.trusted_proxies",
            ),
            (
                "[listener]\nforwarded_header = 'forwarded'",
                "listener.forwarded_header",
            ),
            (
                "[listener.limits]\nmax_body_bytes = 1",
                "listener.limits.max_body_bytes",
            ),
            (
                "[listener.limits]\nheader_seconds = 1",
                "listener.limits.header_seconds",
            ),
            (
                "[listener.limits]\nbody_seconds = 1",
                "listener.limits.body_seconds",
            ),
            (
                "[listener.limits]\nmax_connections = 1",
                "listener.limits.max_connections",
            ),
            (
                "[listener.limits]\ndrain_seconds = 1",
                "listener.limits.drain_seconds",
            ),
            ("[storage]\nurl = 'postgres://a@b/c'", "storage.url"),
            (
                "[storage]\nmaster_key_file = 'a'",
                "storage.master_key_file or storage.master_key_env",
            ),
            ("[upstream]\nallow = ['10.20.0.0/16']", "upstream.allow"),
            (
                "[upstream]\nconnect_seconds = 1",
                "upstream.connect_seconds",
            ),
            ("[upstream]\ncall_seconds = 1", "upstream.call_seconds"),
            (
                "[upstream]\nmax_response_bytes = 1",
                "upstream.max_response_bytes",
            ),
            (
                "[authorization]\naccess_token_seconds = 60",
                "authorization.access_token_seconds",
            ),
            (
                "[authorization]\nrefresh_token_seconds = 3600",
                "authorization.refresh_token_seconds",
            ),
            (
                "[authorization]\ntrusted_redirect_hosts = ['a.example']",
                "authorization.trusted_redirect_hosts",
            ),
            (
                "[authorization]\nprivate_use_schemes = ['com.example.a']",
                "authorization.private_use_schemes",
            ),
            ("[logging]\nformat = 'json'", "logging.format"),
            ("[logging]\nlevel = 'debug'", "logging.level"),
        ] {
            assert_eq!(differing(&running, &settings(text)), [expected], "{text}");
        }
        let moved = settings("[listener]\nlisten = ['localhost:9']");
        assert_eq!(
            differing(&running, &moved),
            ["listener.listen", "listener.public_url"]
        );
    }
}
