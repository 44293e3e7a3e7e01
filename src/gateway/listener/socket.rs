//! Sockets: every worker has its own on the same port (`SO_REUSEPORT`), and the kernel spreads connections over them.

use std::io;
use std::net::{SocketAddr, TcpListener};

use socket2::{Domain, Protocol, Socket, Type};

/// Connections that the kernel holds while no worker has accepted them.
const BACKLOG: i32 = 4096;

/// A port cannot be taken.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen on {address}")]
pub struct BindError {
    pub address: SocketAddr,
    #[source]
    pub source: io::Error,
}

/// A port that is taken but where nobody is let in yet: connections are refused until [`Door::open`].
#[derive(Debug)]
pub struct Door {
    /// The real address, also when any free port was asked for.
    pub address: SocketAddr,
    sockets: Vec<Socket>,
}

/// Takes a port for `workers` workers; port 0 is any free one.
///
/// # Errors
/// When the address cannot be bound, or somebody else is on the port.
pub fn bind(address: SocketAddr, workers: usize) -> Result<Door, BindError> {
    let failed = |source| BindError { address, source };
    if address.port() != 0 {
        // With SO_REUSEPORT a second gateway of the same user would be let in and get half of the connections.
        socket(address, Sharing::Alone).map_err(failed)?;
    }
    let first = socket(address, Sharing::AmongWorkers).map_err(failed)?;
    let local = first.local_addr().map_err(failed)?;
    let address = local.as_socket().ok_or_else(|| failed(io::Error::other("the socket has no address")))?;
    let mut sockets = vec![first];
    for _ in 1..workers {
        sockets.push(socket(address, Sharing::AmongWorkers).map_err(failed)?);
    }
    Ok(Door { address, sockets })
}

impl Door {
    /// Lets connections in, to one listener per worker.
    ///
    /// # Errors
    /// When a socket cannot listen.
    pub fn open(self) -> Result<Vec<TcpListener>, BindError> {
        let address = self.address;
        let open = |socket: Socket| {
            socket.listen(BACKLOG).map(|()| TcpListener::from(socket)).map_err(|source| BindError { address, source })
        };
        self.sockets.into_iter().map(open).collect()
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Sharing {
    Alone,
    AmongWorkers,
}

fn socket(address: SocketAddr, sharing: Sharing) -> io::Result<Socket> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    // A restarted gateway gets its port back while old connections linger.
    socket.set_reuse_address(true)?;
    if sharing == Sharing::AmongWorkers {
        socket.set_reuse_port(true)?;
    }
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    Ok(socket)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANY: &str = "127.0.0.1:0";

    #[test]
    fn all_workers_share_one_free_port() {
        let door = bind(ANY.parse().unwrap(), 3).unwrap();
        let address = door.address;
        assert_ne!(address.port(), 0);
        assert!(std::net::TcpStream::connect(address).is_err(), "nobody is let in yet");
        let listeners = door.open().unwrap();
        assert_eq!(listeners.len(), 3);
        assert!(listeners.iter().all(|listener| listener.local_addr().unwrap() == address));
        assert!(std::net::TcpStream::connect(address).is_ok());
    }

    #[test]
    fn a_port_that_is_taken_is_refused() {
        let door = bind(ANY.parse().unwrap(), 2).unwrap();
        let address = door.address;
        let _listeners = door.open().unwrap();
        let error = bind(address, 1).unwrap_err();
        assert_eq!(error.to_string(), format!("cannot listen on {address}"));
    }
}
