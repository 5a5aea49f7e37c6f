//! The header is what cbindgen makes of the source.

use std::fs;
use std::path::Path;

fn generated() -> String {
    let crate_dir = env!("CARGO_MANIFEST_DIR");
    let config = cbindgen::Config::from_root_or_default(crate_dir);
    let mut header = Vec::new();
    cbindgen::Builder::new()
        .with_crate(crate_dir)
        .with_config(config)
        .generate()
        .expect("cbindgen reads the source")
        .write(&mut header);
    // Comments of a Rust programmer's concern are not a C programmer's.
    let mut text = String::from_utf8(header).expect("the source is UTF-8");
    while let Some(at) = text.find(" *\n * # Safety\n") {
        let end = text[at..].find(" */").expect("a comment ends");
        text.replace_range(at..at + end, "");
    }
    text.replace('`', "")
}

#[test]
fn the_header_that_is_checked_in_is_the_one_that_the_source_makes() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("include/mqttp2p.h");
    let generated = generated();
    if std::env::var_os("MQTTP2P_WRITE_HEADER").is_some() {
        fs::write(&path, &generated).expect("the header can be written");
    }
    let kept = fs::read_to_string(&path).expect("there is a header");
    assert!(
        kept == generated,
        "include/mqttp2p.h is not what the source says: MQTTP2P_WRITE_HEADER=1 cargo test -p mqtt-p2p-c --test header"
    );
}
