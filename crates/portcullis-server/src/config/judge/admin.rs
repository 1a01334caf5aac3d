//! Reads `[admin]`: the token without which there is no admin API.

use std::net::SocketAddr;

use portcullis_base::Digest;
use toml::Spanned;

use crate::config::file::File;
use crate::config::reading::Reading;
use crate::config::settings::ListenAddress;

/// Reads the token, of which only the digest is kept.
pub(super) fn token(reading: &mut Reading<'_>, file: &File) -> Option<Digest> {
    let table = &file.admin;
    let (secret, span) =
        reading.secret("token", table.token_file.as_ref(), table.token_env.as_ref())?;
    refuse_plain_http(reading, file);
    reading.unguessable("token", &secret, span)
}

/// The token travels with each request, and operations are served without TLS.
fn refuse_plain_http(reading: &mut Reading<'_>, file: &File) {
    let Some(listen) = &file.listener.operations_listen else {
        return;
    };
    let addresses = listen.get_ref().iter();
    let addresses = addresses.filter_map(|it| it.get_ref().parse::<ListenAddress>().ok());
    let mut sockets = addresses.flat_map(ListenAddress::sockets);
    let is_here = |it: &SocketAddr| it.ip().to_canonical().is_loopback();
    if !sockets.all(|it| is_here(&it)) {
        reading.refuse(
            Spanned::span(listen),
            "the admin API's token would travel in the clear",
            "serve operations on loopback, as in `operations_listen = [\"localhost:8401\"]`, or leave `[admin]` out",
        );
    }
}
