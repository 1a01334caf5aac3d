//! Where calls may go.
//!
//! Decides for an origin and the addresses of its host; does not resolve or dial.
//! Everything public may be reached by `https`; everything else only where the operator's allow-list names the exact origin or a block that holds the address.
//! There is no way to turn the guard off as a whole.

use std::collections::BTreeSet;
use std::net::IpAddr;

use http::Uri;
use ipnet::IpNet;
use portcullis_base::{InvalidOrigin, Origin};
use rustls_pki_types::CertificateDer;
use thiserror::Error;

use super::address::special_use;

/// What the operator allows beside the public internet; nothing by default.
#[derive(Clone, Debug, Default)]
pub struct EgressPolicy {
    origins: BTreeSet<Origin>,
    networks: Vec<IpNet>,
    certificates: Vec<CertificateDer<'static>>,
}

/// Why a connection is not made.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum EgressRefusal {
    /// The URL is none that could be called.
    #[error("the URL is not one that can be called: {0}")]
    Url(#[from] InvalidOrigin),
    /// Plain HTTP to a host that is not allowed.
    #[error(
        "`{0}` is not https; to allow it, pass `--allow-upstream {0}` or add \"{0}\" to `allow` in `[upstream]`"
    )]
    NotHttps(Origin),
    /// A port where other protocols are at home.
    #[error(
        "port {port} is not used for HTTP; to allow it, pass `--allow-upstream {origin}` or add \"{origin}\" to `allow` in `[upstream]`"
    )]
    Port {
        /// The origin.
        origin: Origin,
        /// The port.
        port: u16,
    },
    /// The host has an address that is not public.
    #[error(
        "`{origin}` leads to a {kind} address; to allow it, pass `--allow-upstream {origin}` or add \"{origin}\" to `allow` in `[upstream]`"
    )]
    SpecialUse {
        /// The origin.
        origin: Origin,
        /// The kind of address.
        kind: &'static str,
    },
}

/// A place to connect to, of which all but the addresses has been judged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Target {
    pub(super) origin: Origin,
    pub(super) host: Host,
    pub(super) port: u16,
    pub(super) tls: bool,
}

/// A host as a URL names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Host {
    Name(String),
    Address(IpAddr),
}

impl EgressPolicy {
    /// Allows one origin, wherever its host's name leads.
    #[must_use]
    pub fn allow_origin(mut self, origin: Origin) -> Self {
        self.origins.insert(origin);
        self
    }

    /// Allows every address of a block, by `http` as well as `https`.
    #[must_use]
    pub fn allow_network(mut self, network: IpNet) -> Self {
        self.networks.push(network);
        self
    }

    /// Trusts a certificate authority in addition to the system's.
    #[must_use]
    pub fn trust_certificate(mut self, certificate: CertificateDer<'static>) -> Self {
        self.certificates.push(certificate);
        self
    }

    pub(super) fn certificates(&self) -> &[CertificateDer<'static>] {
        &self.certificates
    }

    /// Judges what can be judged before the host's addresses are known.
    pub(super) fn target(&self, uri: &Uri) -> Result<Target, EgressRefusal> {
        let authority = uri.authority().map_or("", http::uri::Authority::as_str);
        let scheme = uri.scheme_str().unwrap_or_default();
        let origin = Origin::parse(&format!("{scheme}://{authority}"))?;
        let tls = origin.is_https();
        let port = uri.port_u16().unwrap_or(if tls { 443 } else { 80 });
        if NOT_HTTP.binary_search(&port).is_ok() && !self.origins.contains(&origin) {
            return Err(EgressRefusal::Port { origin, port });
        }
        let name = uri.host().unwrap_or_default();
        let literal = name.trim_start_matches('[').trim_end_matches(']');
        let host = match literal.parse() {
            Ok(address) => Host::Address(address),
            Err(_) => Host::Name(name.to_owned()),
        };
        Ok(Target {
            origin,
            host,
            port,
            tls,
        })
    }

    /// Judges the addresses of a target's host; one that is not allowed condemns all, since an attacker chooses their order.
    pub(super) fn judge(&self, target: &Target, addresses: &[IpAddr]) -> Result<(), EgressRefusal> {
        if self.origins.contains(&target.origin) {
            return Ok(());
        }
        for address in addresses {
            let canonical = address.to_canonical();
            if self.networks.iter().any(|block| block.contains(&canonical)) {
                continue;
            }
            let origin = target.origin.clone();
            if let Some(kind) = special_use(*address) {
                return Err(EgressRefusal::SpecialUse { origin, kind });
            }
            if !target.tls {
                return Err(EgressRefusal::NotHttps(origin));
            }
        }
        Ok(())
    }
}

/// Ports where a request could speak to something that is not HTTP: the list of the Fetch standard ("bad ports") without its doubtful ends, and common stores. In ascending order.
const NOT_HTTP: [u16; 58] = [
    1, 7, 9, 11, 13, 15, 17, 19, 20, 21, 22, 23, 25, 37, 42, 43, 53, 69, 79, 110, 111, 113, 115,
    117, 119, 123, 135, 137, 139, 143, 161, 179, 389, 427, 445, 465, 512, 513, 514, 515, 532, 540,
    548, 554, 587, 636, 993, 995, 1433, 1723, 2049, 3306, 3389, 5432, 6379, 6667, 11211, 27017,
];

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(policy: &EgressPolicy, url: &str, addresses: &[&str]) -> Result<(), EgressRefusal> {
        let target = policy.target(&url.parse().expect("a URI"))?;
        let addresses: Vec<_> = addresses
            .iter()
            .map(|a| a.parse().expect("an address"))
            .collect();
        policy.judge(&target, &addresses)
    }

    fn origin(text: &str) -> Origin {
        Origin::parse(text).expect("an origin")
    }

    #[test]
    fn s_03_plain_http_and_foreign_ports_are_refused() {
        let policy = EgressPolicy::default();
        assert_eq!(
            verdict(&policy, "http://a.example/", &["8.8.8.8"]),
            Err(EgressRefusal::NotHttps(origin("http://a.example")))
        );
        for port in [22, 25, 6379] {
            let url = format!("https://a.example:{port}/");
            let refusal = verdict(&policy, &url, &["8.8.8.8"]).expect_err("refused");
            assert!(matches!(refusal, EgressRefusal::Port { .. }), "{refusal}");
        }
        assert!(NOT_HTTP.is_sorted());
        assert!(verdict(&policy, "ftp://a.example/", &["8.8.8.8"]).is_err());
        assert_eq!(
            verdict(&policy, "https://a.example:8443/", &["8.8.8.8"]),
            Ok(())
        );
    }

    #[test]
    fn s_05_one_special_address_among_several_condemns_all() {
        let policy = EgressPolicy::default();
        let refusal = verdict(&policy, "https://a.example/", &["8.8.8.8", "127.0.0.1"]);
        assert_eq!(
            refusal,
            Err(EgressRefusal::SpecialUse {
                origin: origin("https://a.example"),
                kind: "loopback"
            })
        );
    }

    #[test]
    fn s_14_only_the_exact_origin_is_allowed() {
        let policy = EgressPolicy::default().allow_origin(origin("http://localhost:8080"));
        assert_eq!(
            verdict(&policy, "http://localhost:8080/x", &["127.0.0.1", "::1"]),
            Ok(())
        );
        for url in [
            "http://localhost:8081/",
            "https://localhost:8080/",
            "http://localhost.:8080/",
            "http://127.0.0.1:8080/",
        ] {
            assert!(verdict(&policy, url, &["127.0.0.1"]).is_err(), "{url}");
        }
    }

    #[test]
    fn s_14_a_block_allows_its_addresses_and_no_others() {
        let policy =
            EgressPolicy::default().allow_network("10.20.0.0/16".parse().expect("a block"));
        assert_eq!(
            verdict(
                &policy,
                "http://a.example/",
                &["10.20.1.1", "::ffff:10.20.1.2"]
            ),
            Ok(())
        );
        assert!(verdict(&policy, "http://a.example/", &["10.20.1.1", "10.21.0.1"]).is_err());
        assert!(verdict(&policy, "http://a.example/", &["10.20.1.1", "8.8.8.8"]).is_err());
        assert!(verdict(&policy, "http://a.example:22/", &["10.20.1.1"]).is_err());
    }

    #[test]
    fn a_refusal_names_the_setting_that_allows_it() {
        let refusal = verdict(
            &EgressPolicy::default(),
            "http://localhost:8080/x",
            &["127.0.0.1"],
        );
        assert_eq!(
            refusal.expect_err("refused").to_string(),
            "`http://localhost:8080` leads to a loopback address; to allow it, pass `--allow-upstream http://localhost:8080` or add \"http://localhost:8080\" to `allow` in `[upstream]`"
        );
    }
}
