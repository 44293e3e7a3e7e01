//! What a service manager is told: `sd_notify(3)` over the socket that `NOTIFY_SOCKET` names, without a library.

use std::ffi::OsString;
use std::io;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::time::Duration;

/// How often the state is told when the service manager names no time.
const INTERVAL: Duration = Duration::from_secs(15);

/// Longest status in bytes: a datagram must not be refused for its size.
const STATUS_BYTES_MAX: usize = 1_024;

/// The service manager that started this process, or nobody: then everything is told to nobody.
#[derive(Debug)]
pub struct Supervisor {
    socket: Option<UnixDatagram>,
    /// How often it wants to hear that the process lives.
    watchdog: Option<Duration>,
}

impl Supervisor {
    /// From `NOTIFY_SOCKET`, `WATCHDOG_USEC` and `WATCHDOG_PID`; `lookup` reads a variable, `pid` is the process's own.
    ///
    /// # Errors
    /// When there is a socket that cannot be used.
    pub fn from_environment(lookup: impl Fn(&str) -> Option<OsString>, pid: u32) -> io::Result<Self> {
        let Some(name) = lookup("NOTIFY_SOCKET").filter(|name| !name.is_empty()) else {
            return Ok(Self { socket: None, watchdog: None });
        };
        let address = match name.as_bytes().split_first() {
            Some((b'@', rest)) => SocketAddr::from_abstract_name(rest)?,
            _ => SocketAddr::from_pathname(&name)?,
        };
        let socket = UnixDatagram::unbound()?;
        socket.connect_addr(&address)?;
        // Whoever does not read must not stop the node.
        socket.set_nonblocking(true)?;
        let number = |variable: &str| lookup(variable)?.into_string().ok()?.parse::<u64>().ok();
        let is_meant = number("WATCHDOG_PID").is_none_or(|wanted| wanted == u64::from(pid));
        let watchdog = number("WATCHDOG_USEC").filter(|micros| is_meant && *micros > 0).map(Duration::from_micros);
        Ok(Self { socket: Some(socket), watchdog })
    }

    /// How often [`Supervisor::alive`] must be called: twice in the time that the service manager waits.
    #[must_use]
    pub fn interval(&self) -> Duration {
        self.watchdog.map_or(INTERVAL, |watchdog| (watchdog / 2).min(INTERVAL))
    }

    /// The node can do its job.
    pub fn ready(&self) {
        self.tell("READY=1\nSTATUS=ready");
    }

    /// The node goes away.
    pub fn stopping(&self) {
        self.tell("STOPPING=1\nSTATUS=ending calls in flight");
    }

    /// One line for people.
    pub fn status(&self, text: &str) {
        self.tell(&status_line(text));
    }

    /// The process lives, with one line for people.
    pub fn alive(&self, text: &str) {
        self.tell(&format!("WATCHDOG=1\n{}", status_line(text)));
    }

    fn tell(&self, message: &str) {
        let Some(socket) = &self.socket else { return };
        if let Err(error) = socket.send(message.as_bytes()) {
            tracing::warn!(%error, "the service manager cannot be told the node's state");
        }
    }
}

fn status_line(text: &str) -> String {
    let line = text.replace(['\n', '\r'], " ");
    let mut end = line.len().min(STATUS_BYTES_MAX);
    while !line.is_char_boundary(end) {
        end -= 1;
    }
    format!("STATUS={}", &line[..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    const PID: u32 = 7;

    fn supervisor(variables: &[(&str, OsString)]) -> io::Result<Supervisor> {
        let lookup = |name: &str| variables.iter().find(|(known, _)| *known == name).map(|(_, value)| value.clone());
        Supervisor::from_environment(lookup, PID)
    }

    fn received(socket: &UnixDatagram) -> String {
        let mut buffer = [0; 4_096];
        let length = socket.recv(&mut buffer).unwrap();
        String::from_utf8(buffer[..length].to_vec()).unwrap()
    }

    #[test]
    fn the_service_manager_hears_of_ready_alive_and_stopping() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("notify");
        let socket = UnixDatagram::bind(&path).unwrap();
        let supervisor = supervisor(&[("NOTIFY_SOCKET", path.into())]).unwrap();
        supervisor.status("starting");
        supervisor.ready();
        supervisor.alive("not ready: apim_db\ncannot be read");
        supervisor.stopping();
        assert_eq!(received(&socket), "STATUS=starting");
        assert_eq!(received(&socket), "READY=1\nSTATUS=ready");
        assert_eq!(received(&socket), "WATCHDOG=1\nSTATUS=not ready: apim_db cannot be read");
        assert_eq!(received(&socket), "STOPPING=1\nSTATUS=ending calls in flight");
    }

    #[test]
    fn a_socket_may_have_an_abstract_name() {
        let name = format!("gatewright-test-{}", std::process::id());
        let socket = UnixDatagram::bind_addr(&SocketAddr::from_abstract_name(&name).unwrap()).unwrap();
        supervisor(&[("NOTIFY_SOCKET", format!("@{name}").into())]).unwrap().ready();
        assert_eq!(received(&socket), "READY=1\nSTATUS=ready");
    }

    #[test]
    fn without_a_service_manager_nobody_is_told() {
        let supervisor = supervisor(&[]).unwrap();
        supervisor.ready();
        assert_eq!(supervisor.interval(), INTERVAL);
    }

    #[test]
    fn a_socket_that_is_not_there_is_an_error() {
        assert!(supervisor(&[("NOTIFY_SOCKET", "/nowhere/notify".into())]).is_err());
    }

    #[test]
    fn the_watchdog_hears_twice_in_its_time_when_it_means_this_process() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("notify");
        let _socket = UnixDatagram::bind(&path).unwrap();
        let interval = |pid: &str| {
            let variables = [
                ("NOTIFY_SOCKET", path.clone().into()),
                ("WATCHDOG_USEC", "4000000".into()),
                ("WATCHDOG_PID", pid.into()),
            ];
            supervisor(&variables).unwrap().interval()
        };
        assert_eq!((interval("7"), interval("8")), (Duration::from_secs(2), INTERVAL));
    }

    #[test]
    fn a_long_status_is_cut_between_characters() {
        let line = status_line(&"ä".repeat(STATUS_BYTES_MAX));
        assert_eq!(line, format!("STATUS={}", "ä".repeat(STATUS_BYTES_MAX / 2)));
    }
}
