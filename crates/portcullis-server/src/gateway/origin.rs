//! By which URL a gateway is known, and by which hosts and origins it is called, once it is bound.

use std::net::SocketAddr;

use portcullis_base::{InvalidOrigin, Origin};

use crate::config::Settings;
use crate::http::judge::OriginPolicy;
use crate::http::listener::Listener;
use crate::http::settings::ListenerSettings;

pub(super) fn port(listener: &Listener) -> u16 {
    listener.addresses().first().map_or(0, SocketAddr::port)
}

pub(super) fn public_url(
    settings: &Settings,
    listener: &Listener,
) -> Result<Origin, InvalidOrigin> {
    if let Some(url) = &settings.access.public_url {
        return Ok(url.clone());
    }
    let scheme = match settings.listener.tls {
        Some(_) => "https",
        None => "http",
    };
    Origin::parse(&format!("{scheme}://localhost:{}", port(listener)))
}

pub(super) fn policy(
    settings: &Settings,
    listener: &Listener,
    public_url: &Origin,
) -> OriginPolicy {
    let bound = ListenerSettings {
        addresses: listener.addresses(),
        ..settings.listener.clone()
    };
    let access = &settings.access;
    OriginPolicy::new(
        &bound,
        public_url,
        &access.allowed_hosts,
        &access.allowed_origins,
    )
}
