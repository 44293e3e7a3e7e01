//! `gatewright`: runs a node until it is told to stop.

use std::convert::Infallible;

use config::Config;
use config::sections::log::LogFormat;
use telemetry::subscriber::{self, Format};

use super::{CommandError, load};
use crate::cli::NodeArgs;
use crate::listeners::Demo;
use crate::node::{Node, NodeOptions, RunningNode};
use crate::supervisor::Supervisor;
use crate::welcome::Credentials;
use crate::{shutdown, welcome};

pub fn execute(args: &NodeArgs) -> Result<(), CommandError> {
    let loaded = load(args)?;
    let format = match loaded.config.log.format {
        LogFormat::Auto => Format::Auto,
        LogFormat::Pretty => Format::Pretty,
        LogFormat::Json => Format::Json,
    };
    subscriber::install(format, &loaded.config.log.level)?;
    let (hostname, profile) = (loaded.config.server.hostname.clone(), loaded.profile.clone());
    let demo = if args.demo { Demo::usual(&loaded.config) } else { Demo::No };
    let credentials = credentials(&loaded.config);
    // This thread only waits for signals; the node brings its own threads.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(CommandError::Runtime)?;
    let supervisor = Supervisor::from_environment(|name| std::env::var_os(name), std::process::id());
    let supervisor = supervisor.map_err(CommandError::Supervisor)?;
    runtime.block_on(async {
        supervisor.status("starting");
        let options = NodeOptions { loaded, home: args.home.clone(), demo };
        let node = Node::start(options).await?;
        let welcome = || println!("{}", welcome::text(&profile, &hostname, node.addresses(), credentials));
        let signal = tokio::select! {
            signal = shutdown::requested() => signal,
            never = tell(&node, &supervisor, welcome) => match never {},
        };
        supervisor.stopping();
        let signal = signal.map_err(CommandError::Runtime)?;
        tracing::info!(signal, "shutting down");
        node.shutdown().await;
        tracing::info!("stopped");
        Ok(())
    })
}

/// Tells person and service manager when the node is ready, and the latter for ever how it is. A node whose threads are
/// stuck falls silent.
async fn tell(node: &RunningNode, supervisor: &Supervisor, welcome: impl FnOnce()) -> Infallible {
    let mut tick = tokio::time::interval(supervisor.interval());
    loop {
        tokio::select! {
            () = node.until_ready() => break,
            _ = tick.tick() => supervisor.status(&format!("not ready yet: {}", node.failing_checks().await.join("; "))),
        }
    }
    welcome();
    supervisor.ready();
    loop {
        tick.tick().await;
        node.works().await;
        let failing = node.failing_checks().await;
        if failing.is_empty() {
            supervisor.alive("ready");
        } else {
            supervisor.alive(&format!("not ready: {}", failing.join("; ")));
        }
    }
}

fn credentials(config: &Config) -> Credentials {
    let section = &config.super_admin;
    let is_local = config.server.bind.is_loopback();
    if is_local && section.password.is_none() && section.password_file.is_none() && section.username == "admin" {
        return Credentials::Development;
    }
    Credentials::Configured
}
