//! A way between two nodes that a test can cut: a TCP forwarder that falls silent, as a broken network does.

use std::sync::Arc;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// Forwards to one port until it is cut; connections that were open when it was cut are lost.
pub struct Cut {
    pub port: u16,
    is_open: Arc<watch::Sender<bool>>,
}

impl Cut {
    pub async fn to(target: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let is_open = Arc::new(watch::channel(true).0);
        let state = Arc::clone(&is_open);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(forward(stream, target, state.subscribe()));
            }
        });
        Self { port, is_open }
    }

    /// Nothing passes, and nobody is told.
    pub fn cut(&self) {
        self.is_open.send_replace(false);
    }

    pub fn heal(&self) {
        self.is_open.send_replace(true);
    }
}

async fn forward(near: TcpStream, target: u16, mut is_open: watch::Receiver<bool>) {
    // A connection that is made while the way is cut hangs; it is of no use later either.
    if !*is_open.borrow() {
        let _ = is_open.changed().await;
        return;
    }
    let Ok(far) = TcpStream::connect(("127.0.0.1", target)).await else { return };
    let ((near_read, near_write), (far_read, far_write)) = (near.into_split(), far.into_split());
    let out = pump(near_read, far_write, is_open.clone());
    let back = pump(far_read, near_write, is_open);
    tokio::join!(out, back);
}

async fn pump(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, mut is_open: watch::Receiver<bool>) {
    let mut buffer = vec![0; 16 * 1024];
    loop {
        tokio::select! {
            biased;
            changed = is_open.changed() => {
                if changed.is_err() {
                    return;
                }
                if !*is_open.borrow_and_update() {
                    // Silent until healed, and dead then: the peers' sequence numbers have moved on.
                    let _ = is_open.changed().await;
                    return;
                }
            }
            read = from.read(&mut buffer) => match read {
                Ok(0) | Err(_) => return,
                Ok(count) => {
                    if to.write_all(&buffer[..count]).await.is_err() {
                        return;
                    }
                }
            },
        }
    }
}
