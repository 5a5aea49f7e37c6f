//! The threat model names tests that exist.

use mqtt_p2p_conformance::sources::{is_test, root};

#[test]
fn every_test_that_the_threat_model_names_is_there_and_runs() {
    let page = std::fs::read_to_string(root().join("tests/security/README.md")).unwrap();
    let names: Vec<&str> = page.split('`').filter(|text| text.split("::").count() == 3).collect();
    let missing: Vec<_> = names.iter().filter(|name| !is_test(name)).collect();
    assert!(missing.is_empty(), "{missing:#?}");
    assert!(names.len() > 40, "{} tests are named", names.len());
}
