//! What fuzzing started from and found, with a stable compiler.

mod common;

#[test]
fn the_fuzzing_corpus_holds_what_any_bytes_do() {
    let corpus = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fuzz/corpus/websocket");
    let mut count = 0;
    for file in std::fs::read_dir(corpus).unwrap() {
        let path = file.unwrap().path();
        println!("{}", path.display());
        common::check::check(&std::fs::read(path).unwrap());
        count += 1;
    }
    assert!(count > 10, "{count} files in {corpus}");
}
