//! README's first block, run verbatim against a node with the demo back end.

use std::process::Command;

use crate::support::process::Process;
use crate::support::sandbox::{FREE_PORTS, configure};

/// The block between the markers, without its code fence.
fn readme_block() -> String {
    let readme = include_str!("../../README.md");
    let (_, rest) = readme.split_once("<!-- first-call:begin -->").expect("README has no begin marker");
    let (block, _) = rest.split_once("<!-- first-call:end -->").expect("README has no end marker");
    let block = block.trim();
    block.strip_prefix("```sh").unwrap().strip_suffix("```").unwrap().to_owned()
}

#[test]
fn the_readme_shows_the_block_that_the_node_prints() {
    assert_eq!(readme_block().trim(), gatewright::welcome::FIRST_CALL.trim());
}

#[test]
fn the_readme_block_makes_a_governed_call() {
    let home = tempfile::tempdir().unwrap();
    configure(home.path(), FREE_PORTS);
    let node = Process::start(home.path(), &["--demo"]);
    let demo =
        node.welcome.lines().find(|line| line.contains("Demo back end")).unwrap().split_whitespace().last().unwrap();
    let output = Command::new("sh")
        .arg("-euc")
        .arg(readme_block())
        .env("M", &node.management_url)
        .env("G", &node.gateway_url)
        .env("B", demo)
        .output()
        .unwrap();
    let printed = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{printed}\n{errors}");
    assert!(printed.contains("Margherita"), "the governed call did not answer: {printed}\n{errors}");
    assert!(printed.contains("900902"), "the call without a token was not refused: {printed}\n{errors}");
    assert_eq!(node.terminate(), Some(0), "SIGTERM drains and ends well");
}
