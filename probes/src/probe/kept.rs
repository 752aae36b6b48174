//! Connections that were examined and are asked over again: with `--ask-azure` the handlers of the control service are among the
//! endpoints, and a second connection to them would cost what the first did.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Mutex, PoisonError};

use tokio::sync::oneshot;

use super::http::Open;

/// A connection whose peer both stores vouch for, made without a proxy.
pub(super) struct Connection {
    /// Where it leads.
    pub(super) address: SocketAddr,
    /// What takes the next request.
    pub(super) open: Open,
}

/// Where an examined connection is left.
pub struct Place(oneshot::Sender<Connection>);

impl Place {
    /// Leaves a connection to this address.
    pub(crate) fn leave(self, address: SocketAddr, open: Open) {
        // Nobody may want it any more.
        let _ = self.0.send(Connection { address, open });
    }
}

/// The connections of a run, by host.
#[derive(Default)]
pub struct Kept(Mutex<BTreeMap<String, oneshot::Receiver<Connection>>>);

impl Kept {
    /// A place for the connection to a host that is about to be examined; who drops it says that there is none.
    pub fn place(&self, host: &str) -> Place {
        let (sender, receiver) = oneshot::channel();
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(host.to_owned(), receiver);
        Place(sender)
    }

    /// The connection to a host, as soon as it was examined; `None` where there is none.
    pub(super) async fn take(&self, host: &str) -> Option<Connection> {
        let waited = self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(host)?;
        waited.await.ok()
    }
}
