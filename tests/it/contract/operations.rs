//! Every operation of the contract is either served or on the golden list, which may only shrink.

use std::collections::{BTreeMap, BTreeSet};

use http::guard::Access;
use http::routes::Routes;

/// API, method, path.
pub type Operation = (String, String, String);

const CONTRACT: &str = include_str!("../../fixtures/operations.tsv");
const GOLDEN: &str = include_str!("unimplemented_operations.txt");

/// Operations that the contract's documents lack, in the same form: those that its clients call all the same, and those
/// of our own for what the contract leaves to other interfaces.
const OFF_CONTRACT: &str =
    "devportal\tDELETE\t/applications/{applicationId}/oauth-keys/{keyMappingId}\tapim:subscribe apim:app_manage
devportal\tGET\t/subscriptions/{subscriptionId}/quota\tapim:subscribe apim:sub_manage
admin\tGET\t/tenants\tapim:admin
admin\tPOST\t/tenants\tapim:admin
admin\tGET\t/environments/{environmentId}\tapim:admin apim:environment_read";

/// Every operation of the contract with its scopes.
pub fn contract() -> BTreeMap<Operation, BTreeSet<String>> {
    CONTRACT
        .lines()
        .skip(1)
        .chain(OFF_CONTRACT.lines())
        .map(|line| {
            let columns: Vec<&str> = line.split('\t').collect();
            let operation = (columns[0].to_owned(), columns[1].to_owned(), columns[2].to_owned());
            let scopes = columns[3].split(' ').filter(|scope| *scope != "-").map(str::to_owned).collect();
            (operation, scopes)
        })
        .collect()
}

/// The rooms that serve operations of the contract.
pub fn rooms() -> Vec<(&'static str, Routes)> {
    vec![
        ("publisher", publisher::routes()),
        ("devportal", devportal::routes()),
        ("admin", admin::routes()),
        ("gateway", gateway::rest::routes()),
        ("internal-data", event_hub::rest::data::routes()),
    ]
}

/// Whether only clients know of the operation, and no document says its answers.
pub fn is_off_contract((api, method, path): &Operation) -> bool {
    OFF_CONTRACT.lines().any(|line| line.starts_with(&format!("{api}\t{method}\t{path}\t")))
}

/// Every operation that is served.
pub fn served() -> BTreeMap<Operation, Access> {
    let mut served = BTreeMap::new();
    for (api, routes) in rooms() {
        for spec in routes.specs() {
            served.insert((api.to_owned(), spec.method.to_string(), spec.path.to_owned()), spec.access);
        }
    }
    served
}

#[test]
fn every_operation_is_served_or_on_the_golden_list() {
    let served = served();
    let missing: Vec<String> = contract()
        .into_keys()
        .filter(|operation| !served.contains_key(operation))
        .map(|(api, method, path)| format!("{api} {method} {path}"))
        .collect();
    let golden: Vec<&str> = GOLDEN.lines().collect();
    if std::env::var_os("GATEWRIGHT_UPDATE_GOLDEN").is_some() {
        assert!(missing.len() <= golden.len() || golden.is_empty(), "the list may only shrink");
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/contract/unimplemented_operations.txt");
        std::fs::write(path, missing.join("\n") + "\n").unwrap();
        return;
    }
    assert_eq!(missing, golden, "run with GATEWRIGHT_UPDATE_GOLDEN=1 after serving an operation");
}

#[test]
fn every_served_operation_is_of_the_contract_and_asks_for_its_scopes() {
    let contract = contract();
    for (operation, access) in served() {
        let Some(scopes) = contract.get(&operation) else { panic!("{operation:?} is not of the contract") };
        match access {
            Access::Scopes(own) => {
                let own: BTreeSet<String> = own.iter().map(|scope| (*scope).to_owned()).collect();
                assert_eq!(&own, scopes, "{operation:?}");
            }
            // Portals read the settings before anybody has signed in.
            Access::Optional | Access::Public => {
                assert!(scopes.is_empty() || operation.2 == "/settings", "{operation:?} must ask for {scopes:?}");
            }
            Access::Operator(_) => assert!(scopes.is_empty(), "{operation:?} must ask for {scopes:?}"),
            Access::Node(_) => panic!("{operation:?} is for people and tools, not for nodes"),
        }
    }
}
