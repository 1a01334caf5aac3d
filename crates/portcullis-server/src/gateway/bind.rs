//! Binds the addresses that the settings name, and says what to do where the system refuses one.

use std::io;

use super::GatewayError;
use crate::config::Settings;
use crate::http::listener::{BindError, Listener};
use crate::http::settings::ListenerSettings;
use crate::telemetry::metrics::Metrics;

const LISTEN: &str = "`--listen localhost:PORT` or `listen` in `[listener]`";
const OPERATIONS: &str = "`operations_listen` in `[listener]`";

/// The bound sockets.
pub(super) struct Sockets {
    /// Where MCP clients reach the gateway.
    pub(super) listener: Listener,
    /// Where health and metrics are served, if not there too.
    pub(super) operations: Option<Listener>,
}

impl Sockets {
    pub(super) async fn bind(settings: &Settings, metrics: &Metrics) -> Result<Self, GatewayError> {
        let listener = Listener::bind(settings.listener.clone())
            .await
            .map_err(|error| advise(error, LISTEN))?;
        let operations = match settings.operations.as_slice() {
            [] => None,
            addresses => {
                let bound = Listener::bind(ListenerSettings {
                    addresses: addresses.to_vec(),
                    ..ListenerSettings::loopback(0)
                });
                Some(bound.await.map_err(|error| advise(error, OPERATIONS))?)
            }
        };
        Ok(Self {
            listener: listener.counted_by(metrics.connections.clone()),
            operations,
        })
    }
}

fn advise(error: BindError, setting: &str) -> GatewayError {
    let BindError::Address { source, .. } = &error else {
        return GatewayError::Bind(error);
    };
    let advice = match source.kind() {
        io::ErrorKind::AddrInUse => format!(
            "another program listens there, perhaps another Portcullis: end it, or choose another port by {setting}"
        ),
        io::ErrorKind::PermissionDenied => format!(
            "the system keeps that port for privileged programs: choose one above 1023 by {setting}"
        ),
        io::ErrorKind::AddrNotAvailable => {
            format!("no interface of this machine has that address: choose another by {setting}")
        }
        _ => format!("choose another address by {setting}"),
    };
    GatewayError::Address {
        source: error,
        advice,
    }
}
