//! The `gatewright` program: reads the command line and runs one command.

use std::process::ExitCode;

use clap::Parser;
use gatewright::cli::Cli;
use gatewright::commands;
use telemetry::error_chain::ErrorChain;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    match commands::execute(Cli::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("gatewright: {}", ErrorChain(&error));
            ExitCode::FAILURE
        }
    }
}
