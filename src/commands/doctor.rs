//! `gatewright doctor`: every link of this node, what is wrong with it and how to mend it.

use super::{CommandError, load};
use crate::cli::NodeArgs;
use crate::doctor::{self, Verdict};

pub fn execute(args: &NodeArgs) -> Result<(), CommandError> {
    let loaded = load(args).inspect_err(|_| {
        println!("FAIL  configuration: has errors\n      -> correct them:");
    })?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let runtime = runtime.map_err(CommandError::Runtime)?;
    let findings = runtime.block_on(doctor::examine(&loaded, &args.home));
    // A check that hangs in a system call must not keep the command from ending.
    runtime.shutdown_background();
    for finding in &findings {
        println!("{finding}");
    }
    match findings.iter().filter(|finding| finding.verdict == Verdict::Broken).count() {
        0 => Ok(()),
        count => Err(CommandError::Ill(count)),
    }
}
