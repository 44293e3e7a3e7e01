//! `gatewright`: runs a node until it is told to stop.

use config::Config;
use config::sections::log::LogFormat;
use telemetry::subscriber::{self, Format};

use super::{CommandError, load};
use crate::cli::NodeArgs;
use crate::listeners::Demo;
use crate::node::{Node, NodeOptions};
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
    runtime.block_on(async {
        let options = NodeOptions { loaded, home: args.home.clone(), demo };
        let node = Node::start(options).await?;
        let requested = shutdown::requested();
        tokio::pin!(requested);
        let signal = tokio::select! {
            signal = &mut requested => signal,
            () = node.until_ready() => {
                println!("{}", welcome::text(&profile, &hostname, node.addresses(), credentials));
                requested.await
            }
        };
        let signal = signal.map_err(CommandError::Runtime)?;
        tracing::info!(signal, "shutting down");
        node.shutdown().await;
        tracing::info!("stopped");
        Ok(())
    })
}

fn credentials(config: &Config) -> Credentials {
    let section = &config.super_admin;
    let is_local = config.server.bind.is_loopback();
    if is_local && section.password.is_none() && section.password_file.is_none() && section.username == "admin" {
        return Credentials::Development;
    }
    Credentials::Configured
}
