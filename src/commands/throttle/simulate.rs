//! `gatewright throttle simulate`: replays a gateway's access log against a draft policy. Keys, windows and rules are those
//! of the product; what a log cannot tell is said, not guessed.

mod draft;
mod replay;
mod report;
mod trace;
mod windows;

use std::fs::File;
use std::io::{self, BufRead, BufReader, BufWriter, Write};
use std::path::Path;

use domain::Organization;

use super::Refusal;
use crate::cli::SimulateArgs;
use draft::Draft;
use replay::Replay;
use trace::Trace;

/// Largest policy file.
const POLICY_BYTES_MAX: u64 = 1 << 20;

pub fn execute(wanted: &SimulateArgs) -> Result<(), Refusal> {
    let organization = Organization::from_trusted(wanted.tenant.clone());
    let draft = Draft::read(&policy_bytes(&wanted.policy)?, organization, wanted.instead_of.as_deref());
    let draft = draft.map_err(|reason| Refusal::Policy { path: wanted.policy.clone(), reason })?;
    let out = BufWriter::new(io::stdout().lock());
    let ran = if wanted.trace == Path::new("-") {
        run(draft, io::stdin().lock(), wanted, out)
    } else {
        let file = File::open(&wanted.trace).map_err(unreadable(&wanted.trace))?;
        run(draft, BufReader::with_capacity(1 << 16, file), wanted, out)
    };
    match ran {
        // Whoever reads the report has seen enough.
        Err(Refusal::Report(error)) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        ran => ran,
    }
}

fn run(draft: Draft, input: impl BufRead, wanted: &SimulateArgs, mut out: impl Write) -> Result<(), Refusal> {
    let mut trace = Trace::new(input);
    let mut replay = Replay::new(draft, wanted.zone);
    while let Some(call) = trace.next().map_err(unreadable(&wanted.trace))? {
        let refused = replay.take(&call);
        if let Some(refused) = refused.filter(|_| wanted.list) {
            report::line(&mut out, &refused, &call, wanted.json).map_err(Refusal::Report)?;
        }
    }
    let written = if wanted.json {
        report::json(&mut out, &replay, &trace.counts)
    } else {
        report::text(&mut out, &replay, &trace.counts)
    };
    written.and_then(|()| out.flush()).map_err(Refusal::Report)
}

fn policy_bytes(path: &Path) -> Result<Vec<u8>, Refusal> {
    use std::io::Read as _;

    let mut bytes = Vec::new();
    let file = File::open(path).map_err(unreadable(path))?;
    file.take(POLICY_BYTES_MAX + 1).read_to_end(&mut bytes).map_err(unreadable(path))?;
    if bytes.len() as u64 > POLICY_BYTES_MAX {
        let reason = format!("it is larger than {POLICY_BYTES_MAX} bytes");
        return Err(Refusal::Policy { path: path.to_owned(), reason });
    }
    Ok(bytes)
}

fn unreadable(path: &Path) -> impl FnOnce(io::Error) -> Refusal {
    move |source| Refusal::File { path: path.to_owned(), source }
}

#[cfg(test)]
mod tests;
