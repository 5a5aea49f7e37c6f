//! The table is complete and true.

use std::collections::BTreeSet;

use mqtt_p2p_conformance::sources::{cited, is_test, root, tests, texts};
use mqtt_p2p_conformance::{APPENDIX_B, Binds, STATEMENTS, page};

#[test]
fn every_statement_of_appendix_b_has_a_row_and_there_are_no_others() {
    let expected: Vec<String> = APPENDIX_B
        .iter()
        .flat_map(|(section, count)| (1..=*count).map(move |number| format!("{section}-{number}")))
        .collect();
    let rows: Vec<String> = STATEMENTS.iter().map(|row| row.id.into()).collect();
    assert_eq!(rows, expected);
}

#[test]
fn every_statement_that_binds_a_client_has_a_test() {
    for row in STATEMENTS {
        assert!(!row.says.is_empty());
        match row.binds {
            Binds::Client | Binds::Both => assert!(!row.tests.is_empty(), "MQTT-{} has no test", row.id),
            Binds::Server(reason) => assert!(!reason.is_empty()),
        }
    }
}

#[test]
fn every_test_of_the_table_is_there_and_runs() {
    let missing: BTreeSet<_> =
        STATEMENTS.iter().flat_map(|row| row.tests).filter(|name| !is_test(name)).collect();
    assert!(missing.is_empty(), "{missing:#?}");
}

#[test]
fn every_statement_that_the_repository_cites_is_in_the_table() {
    let known: BTreeSet<_> = STATEMENTS.iter().map(|row| row.id).collect();
    let mut count = 0;
    for (path, text) in texts() {
        // The slips of the standard's own appendix.
        if path.ends_with("conformance/src/statements.rs") {
            continue;
        }
        for id in cited(&text) {
            assert!(known.contains(id), "{} cites MQTT-{id}", path.display());
            count += 1;
        }
    }
    assert!(count > 200, "{count} citations were found");
}

#[test]
fn the_page_is_the_table() {
    let path = root().join("tests/conformance/TABLE.md");
    let written = std::fs::read_to_string(path).unwrap_or_default();
    assert!(written == page(), "cargo run -p mqtt-p2p-conformance > tests/conformance/TABLE.md");
}

#[test]
fn tests_and_citations_are_found_in_texts() {
    let text =
        "#[test]\nfn a() {\n#[tokio::test(flavor)]\nasync fn b(\nfn c() {\n#[test]\n#[ignore]\nfn d() {";
    assert_eq!(tests(text), BTreeSet::from(["a", "b"]));
    let text = format!("[{0}3.1.2-1], {0}4.7.3-4. {0}C, {0}3.1.2.3; {0}3-8.3-4", "MQTT-");
    assert_eq!(cited(&text), ["3.1.2-1", "4.7.3-4", "3.1.2.3", "3-8.3-4"]);
}
