//! What fuzzing started from and found, with a stable compiler.

use std::path::Path;

use mqtt_p2p_fuzzing::TARGETS;

#[test]
fn every_corpus_holds_what_any_bytes_do() {
    let fuzz = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../fuzz"));
    for (name, check) in TARGETS {
        let mut count = 0;
        for file in std::fs::read_dir(fuzz.join("corpus").join(name)).unwrap() {
            let path = file.unwrap().path();
            let input = std::fs::read(&path).unwrap();
            let result = std::panic::catch_unwind(|| check(&input));
            assert!(result.is_ok(), "{}", path.display());
            count += 1;
        }
        println!("{name}: {count} inputs");
        assert!(count > 10, "{count} inputs for {name}");
    }
}

#[test]
fn every_target_has_its_program_and_its_dictionary_and_there_are_no_others() {
    let fuzz = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../fuzz"));
    let names = |directory: &str| {
        let mut names: Vec<String> = std::fs::read_dir(fuzz.join(directory))
            .unwrap()
            .map(|file| file.unwrap().path().file_stem().unwrap().to_str().unwrap().into())
            .collect();
        names.sort();
        names
    };
    let mut targets = TARGETS.map(|(name, _)| String::from(name));
    targets.sort();
    for directory in ["corpus", "fuzz_targets", "dictionaries"] {
        assert_eq!(names(directory), targets, "{directory}");
    }
}
