//! Archives that people make by hand.

use super::*;

fn archive(files: &[(&str, &str)]) -> Vec<u8> {
    let files: Vec<ArchiveFile> = files
        .iter()
        .map(|(path, text)| ArchiveFile { path: (*path).to_owned(), bytes: text.as_bytes().to_vec() })
        .collect();
    guarded_archive::write(&files).unwrap()
}

const API: &str = "type: api\nversion: v4.7.0\ndata:\n  name: Pizza\n  version: '1'\n  lifeCycleStatus: PUBLISHED\n";

fn refusal(files: &[(&str, &str)]) -> String {
    read(&archive(files)).unwrap_err().to_string()
}

#[test]
fn one_folder_or_none_and_both_formats_are_read() {
    let json = r#"{"type": "api", "version": "v4.1.0", "data": {"name": "Pizza"}}"#;
    for files in [
        vec![("api.yaml", API)],
        vec![("Pizza-1/api.yaml", API), ("Pizza-1/api_meta.yaml", "name: x"), ("Pizza-1/Docs/a.txt", "x")],
        vec![("Pizza-1/api.json", json)],
    ] {
        assert_eq!(read(&archive(&files)).unwrap().data["name"], "Pizza");
    }
    let environments =
        "type: deployment_environments\ndata:\n- deploymentEnvironment: Default\n  displayOnDevportal: false\n";
    let files =
        [("x/api.yaml", API), ("x/deployment_environments.yaml", environments), ("x/Definitions/swagger.yaml", "a: b")];
    let read = read(&archive(&files)).unwrap();
    assert_eq!((read.targets.len(), read.targets[0].display_on_devportal), (1, false));
    assert_eq!((read.definition.as_deref(), read.state), (Some(&b"a: b"[..]), LifecycleState::Published));
}

#[test]
fn what_is_wrong_is_named() {
    assert!(refusal(&[("readme", "x")]).contains("no api.yaml"));
    assert!(refusal(&[("a/api.yaml", API), ("b/api.yaml", API)]).contains("only folder"));
    assert!(refusal(&[("api.yaml", "type: application\ndata: {}")]).contains("'type' must be 'api'"));
    assert!(refusal(&[("api.yaml", "type: api")]).contains("'data' is missing"));
    assert!(refusal(&[("api.yaml", "type: api\ndata: [1]")]).contains("must be an object"));
    assert!(refusal(&[("api.yaml", "type: [api")]).contains("api.yaml"));
    assert!(refusal(&[("api.yaml", API), ("api.json", "{}")]).contains("more than one format"));
    assert!(refusal(&[("api.yaml", API), ("Client-certificates/a.crt", "x")]).contains("not served"));
    let state = "type: api\ndata: {lifeCycleStatus: GONE}";
    assert!(refusal(&[("api.yaml", state)]).starts_with("lifeCycleStatus: "));
    let environments = "type: deployment_environments\ndata: [{deploymentVhost: x}]";
    assert!(
        refusal(&[("api.yaml", API), ("deployment_environments.yaml", environments)]).contains("deploymentEnvironment")
    );
}
