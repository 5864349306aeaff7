//! Where a request comes from: the connection's other end, or whom a trusted proxy names; and whether the page that sent
//! it was ours (Fetch Metadata, RFC 6454 Origin).

use std::net::{IpAddr, Ipv4Addr};

use axum::http::header::{HOST, ORIGIN};
use axum::http::{Extensions, HeaderMap};

use super::Access;

/// The other end of a connection; put into each request by the server.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Peer {
    /// Its address.
    pub address: IpAddr,
    /// Whether it speaks TLS with us.
    pub tls: bool,
}

/// The client behind all trusted proxies.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Client {
    pub(super) address: IpAddr,
    /// Whether its browser speaks TLS, with us or with a trusted proxy.
    pub(super) secure: bool,
    /// Whether a trusted proxy stands between.
    pub(super) proxied: bool,
}

/// Reads the client. Without the server's word it is this machine itself, as in tests.
pub(super) fn client(access: &Access, extensions: &Extensions, headers: &HeaderMap) -> Client {
    let peer = extensions.get::<Peer>().copied().unwrap_or(Peer { address: IpAddr::V4(Ipv4Addr::LOCALHOST), tls: false });
    let peer = Peer { address: peer.address.to_canonical(), ..peer };
    if !access.is_proxy(peer.address) {
        return Client { address: peer.address, secure: peer.tls, proxied: false };
    }
    // Each proxy adds whom it saw at the end; what stands before the first one that is not ours, anybody can have written.
    let named = headers.get_all("x-forwarded-for").iter().filter_map(|value| value.to_str().ok()).flat_map(|line| line.split(','));
    let named: Vec<IpAddr> = named.map_while(|name| name.trim().parse().ok()).map(|address: IpAddr| address.to_canonical()).collect();
    let address = named.iter().rev().copied().find(|address| !access.is_proxy(*address)).or(named.first().copied()).unwrap_or(peer.address);
    let secure = headers.get("x-forwarded-proto").is_some_and(|scheme| scheme == "https");
    Client { address, secure: secure || peer.tls, proxied: true }
}

/// Whether another site's page made the browser send this. A program that is no browser sends neither mark.
pub(super) fn is_cross_site(headers: &HeaderMap, client: &Client) -> bool {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    if let Some(site) = text("sec-fetch-site") {
        return !matches!(site, "same-origin" | "none");
    }
    let Some(origin) = headers.get(ORIGIN) else { return false };
    let Ok(origin) = origin.to_str() else { return true };
    let Some(of_origin) = origin.split_once("://").map(|(_, host)| host) else { return true };
    let forwarded = text("x-forwarded-host").filter(|_| client.proxied);
    ![text(HOST.as_str()), forwarded].into_iter().flatten().any(|host| host.eq_ignore_ascii_case(of_origin))
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::super::AccessRules;
    use super::*;
    use arc_swap::ArcSwap;

    fn client_of(peer: &str, headers: &[(&'static str, &'static str)]) -> Client {
        let rules = AccessRules { anonymous: false, proxies: vec!["10.0.0.0/24".parse().unwrap()] };
        let access = Access { accounts: None, rules: ArcSwap::from_pointee(rules) };
        let mut extensions = Extensions::new();
        extensions.insert(Peer { address: peer.parse().unwrap(), tls: false });
        client(&access, &extensions, &map(headers))
    }

    fn map(headers: &[(&'static str, &'static str)]) -> HeaderMap {
        headers.iter().map(|(name, value)| (name.parse().unwrap(), HeaderValue::from_static(value))).collect()
    }

    #[test]
    fn only_a_trusted_proxy_names_the_client() {
        let lie = [("x-forwarded-for", "1.1.1.1"), ("x-forwarded-proto", "https")];
        let stranger = client_of("192.0.2.7", &lie);
        assert_eq!((stranger.address.to_string().as_str(), stranger.secure), ("192.0.2.7", false));
        let proxied = client_of("10.0.0.5", &[("x-forwarded-for", "1.1.1.1, 192.0.2.7, 10.0.0.6"), ("x-forwarded-proto", "https")]);
        assert_eq!(
            (proxied.address.to_string().as_str(), proxied.secure),
            ("192.0.2.7", true),
            "what the client wrote itself does not count"
        );
        assert_eq!(client_of("10.0.0.5", &[]).address.to_string(), "10.0.0.5");
        assert_eq!(client_of("::ffff:10.0.0.5", &lie).address.to_string(), "1.1.1.1");
    }

    #[test]
    fn the_browser_says_whose_page_it_was() {
        let client = client_of("192.0.2.7", &[]);
        for (headers, foreign) in [
            (vec![("sec-fetch-site", "same-origin")], false),
            (vec![("sec-fetch-site", "none")], false),
            (vec![("sec-fetch-site", "same-site"), ("origin", "http://room"), ("host", "room")], true),
            (vec![("sec-fetch-site", "cross-site")], true),
            (vec![("origin", "http://room:8080"), ("host", "room:8080")], false),
            (vec![("origin", "http://evil"), ("host", "room")], true),
            (vec![("origin", "null"), ("host", "room")], true),
            (vec![("origin", "http://evil"), ("host", "room"), ("x-forwarded-host", "evil")], true),
            (vec![], false),
        ] {
            assert_eq!(is_cross_site(&map(&headers), &client), foreign, "{headers:?}");
        }
    }
}
