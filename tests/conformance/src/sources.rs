//! What the repository's texts say: which tests there are, and which statements are cited.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// The repository.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Where the tests of a crate may lie.
fn files(package: &str, file: &str) -> [PathBuf; 2] {
    let directory = match package {
        "interop" | "conformance" => root().join("tests").join(package),
        _ => root().join("crates").join(package),
    };
    ["tests", "src"].map(|part| directory.join(part).join(file).with_extension("rs"))
}

/// Whether there is a test of this name, `crate::file::test`, that runs: it is marked as one and not as ignored.
pub fn is_test(name: &str) -> bool {
    let parts: Vec<&str> = name.split("::").collect();
    let [package, file, test] = parts[..] else { return false };
    if package == "python" {
        let path = root().join("bindings/python/tests").join(file).with_extension("py");
        return fs::read_to_string(path).is_ok_and(|text| text.contains(&format!("\ndef {test}(")));
    }
    files(package, file)
        .iter()
        .filter_map(|path| fs::read_to_string(path).ok())
        .any(|text| tests(&text).contains(test))
}

/// The names of the tests in a source text.
pub fn tests(text: &str) -> BTreeSet<&str> {
    let mut names = BTreeSet::new();
    let (mut marked, mut ignored) = (false, false);
    for line in text.lines().map(str::trim) {
        if line == "#[test]" || line.starts_with("#[tokio::test") {
            (marked, ignored) = (true, false);
        } else if line.starts_with("#[ignore") {
            ignored = true;
        } else if let Some(rest) = line.strip_prefix("async fn ").or(line.strip_prefix("fn ")) {
            let name = rest.split(['(', '<']).next().unwrap_or_default();
            if marked && !ignored {
                names.insert(name);
            }
            (marked, ignored) = (false, false);
        }
    }
    names
}

/// Every text of the repository that a person wrote, with its path.
pub fn texts() -> Vec<(PathBuf, String)> {
    let mut texts = Vec::new();
    let mut directories = vec![root()];
    while let Some(directory) = directories.pop() {
        for entry in fs::read_dir(&directory).expect("the repository can be read") {
            let path = entry.expect("the repository can be read").path();
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            if path.is_dir() {
                if !name.starts_with('.')
                    && !["target", "corpus", "artifacts", "node_modules"].contains(&name)
                {
                    directories.push(path);
                }
            } else if is_text(&path)
                && let Ok(text) = fs::read_to_string(&path)
            {
                texts.push((path, text));
            }
        }
    }
    texts
}

fn is_text(path: &Path) -> bool {
    let extension = path.extension().and_then(|extension| extension.to_str());
    matches!(extension, Some("rs" | "md" | "h" | "hpp" | "c" | "cpp" | "py" | "pyi" | "toml"))
}

/// The statements that a text cites, without `MQTT-`: also those that are written in a wrong way.
pub fn cited(text: &str) -> Vec<&str> {
    text.split("MQTT-")
        .skip(1)
        .filter_map(|rest| {
            let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.' && c != '-').unwrap_or(rest.len());
            let id = rest[..end].trim_end_matches(['.', '-']);
            id.contains('.').then_some(id)
        })
        .collect()
}
