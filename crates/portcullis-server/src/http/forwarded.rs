//! Whose address a request bears when it came through proxies: the rightmost one that is no trusted proxy's.
//!
//! Believes the header only from trusted peers and only from its right end, which they wrote; everything left of the first untrusted address is the client's own claim.
//! Takes nothing else from forwarded headers: neither host nor scheme.

use std::net::{IpAddr, SocketAddr};

use http::{HeaderMap, header};
use ipnet::IpNet;

/// The proxies in front of this gateway.
#[derive(Clone, Debug, Default)]
pub struct TrustedProxies {
    /// Their addresses; empty means that nobody is believed.
    pub networks: Vec<IpNet>,
    /// The header that they write.
    pub header: ForwardedHeader,
}

/// The header in which a proxy names the address that it was called from.
///
/// Exactly one is read: a proxy that writes one of them passes the other on as the client sent it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ForwardedHeader {
    /// `X-Forwarded-For`.
    #[default]
    XForwardedFor,
    /// `Forwarded` (RFC 7239).
    Forwarded,
}

impl TrustedProxies {
    /// Returns the client's address for a request that `peer` sent.
    #[must_use]
    pub fn client_address(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        let mut nearest = peer.to_canonical();
        if !self.trusts(nearest) {
            return nearest;
        }
        for hop in self.hops(headers).iter().rev() {
            // What a trusted proxy calls unknown ends the trail at the proxy.
            let Some(address) = hop_address(hop) else {
                break;
            };
            nearest = address;
            if !self.trusts(nearest) {
                break;
            }
        }
        nearest
    }

    /// Tells whether the address is a trusted proxy's.
    #[must_use]
    pub fn trusts(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.networks
            .iter()
            .any(|network| network.contains(&address))
    }

    /// Returns the addresses named, leftmost first, over all lines of the header.
    fn hops<'h>(&self, headers: &'h HeaderMap) -> Vec<&'h str> {
        let name = match self.header {
            ForwardedHeader::XForwardedFor => "x-forwarded-for",
            ForwardedHeader::Forwarded => header::FORWARDED.as_str(),
        };
        headers
            .get_all(name)
            .iter()
            .flat_map(|line| line.to_str().unwrap_or_default().split(','))
            .map(|hop| match self.header {
                ForwardedHeader::XForwardedFor => hop.trim(),
                ForwardedHeader::Forwarded => forwarded_for(hop).unwrap_or_default(),
            })
            .collect()
    }
}

/// Returns the `for` parameter of one element of `Forwarded`, without quotes.
fn forwarded_for(element: &str) -> Option<&str> {
    element.split(';').find_map(|pair| {
        let (name, value) = pair.split_once('=')?;
        name.trim()
            .eq_ignore_ascii_case("for")
            .then(|| value.trim().trim_matches('"'))
    })
}

/// Reads an address with or without a port, an IPv6 address with or without brackets.
fn hop_address(hop: &str) -> Option<IpAddr> {
    let bare = hop
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'))
        .unwrap_or(hop);
    bare.parse::<IpAddr>()
        .ok()
        .or_else(|| hop.parse::<SocketAddr>().ok().map(|socket| socket.ip()))
        .map(|address| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn proxies(header: ForwardedHeader) -> TrustedProxies {
        TrustedProxies {
            networks: ["10.0.0.0/8", "fd00::/8"]
                .map(|network| network.parse().expect("a network"))
                .to_vec(),
            header,
        }
    }

    fn client(header: ForwardedHeader, peer: &str, lines: &[(&'static str, &str)]) -> String {
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            headers.append(*name, HeaderValue::from_str(value).expect("a value"));
        }
        let peer = peer.parse().expect("an address");
        proxies(header).client_address(peer, &headers).to_string()
    }

    #[test]
    fn h_04_only_what_trusted_proxies_wrote_is_believed() {
        for (peer, forwarded, expected) in [
            ("203.0.113.9", "1.1.1.1", "203.0.113.9"),
            ("10.0.0.1", "1.1.1.1", "1.1.1.1"),
            ("10.0.0.1", "6.6.6.6, 1.1.1.1", "1.1.1.1"),
            ("10.0.0.1", "6.6.6.6, 1.1.1.1, 10.0.0.2", "1.1.1.1"),
            ("::ffff:10.0.0.1", "::ffff:1.1.1.1", "1.1.1.1"),
            ("10.0.0.1", "10.0.0.3, 10.0.0.2", "10.0.0.3"),
            ("10.0.0.1", "6.6.6.6, unknown, 10.0.0.2", "10.0.0.2"),
            ("10.0.0.1", "6.6.6.6, ", "10.0.0.1"),
            ("10.0.0.1", "1.1.1.1:5000", "1.1.1.1"),
            ("fd00::1", "[2001:db8::7]:5000", "2001:db8::7"),
            ("fd00::1", "2001:db8::7", "2001:db8::7"),
            ("10.0.0.1", "1.1.1.1\t, 10.1.1.1", "1.1.1.1"),
        ] {
            let line = [("x-forwarded-for", forwarded)];
            let found = client(ForwardedHeader::XForwardedFor, peer, &line);
            assert_eq!(found, expected, "{peer} {forwarded}");
        }
    }

    #[test]
    fn h_04_lines_of_the_header_are_read_as_one_list() {
        let lines = [
            ("x-forwarded-for", "6.6.6.6"),
            ("x-forwarded-for", "1.1.1.1"),
        ];
        let found = client(ForwardedHeader::XForwardedFor, "10.0.0.1", &lines);
        assert_eq!(found, "1.1.1.1");
    }

    #[test]
    fn h_04_the_other_header_is_not_read() {
        let lines = [("forwarded", "for=6.6.6.6"), ("x-forwarded-for", "1.1.1.1")];
        let found = client(ForwardedHeader::XForwardedFor, "10.0.0.1", &lines);
        assert_eq!(found, "1.1.1.1");
        let found = client(ForwardedHeader::Forwarded, "10.0.0.1", &lines);
        assert_eq!(found, "6.6.6.6");
    }

    #[test]
    fn the_standard_header_is_read() {
        for (value, expected) in [
            (r#"for="[2001:db8::7]:4711";proto=https"#, "2001:db8::7"),
            ("by=10.0.0.1; For=1.1.1.1", "1.1.1.1"),
            ("for=6.6.6.6, for=1.1.1.1, for=10.0.0.9", "1.1.1.1"),
            ("for=6.6.6.6, for=_hidden", "10.0.0.1"),
            ("proto=https", "10.0.0.1"),
        ] {
            let line = [("forwarded", value)];
            let found = client(ForwardedHeader::Forwarded, "10.0.0.1", &line);
            assert_eq!(found, expected, "{value}");
        }
    }
}
