//! The contenders in C, built when they are wanted, of the libraries that Debian has.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::{fs, io};

const HEADER: &str = include_str!("c/contender.h");

/// A program, and how it is built.
pub(crate) struct Native {
    pub(crate) name: &'static str,
    /// What to install.
    pub(crate) package: &'static str,
    source: &'static str,
    library: &'static str,
}

pub(crate) const NATIVE: [Native; 2] = [
    Native {
        name: "libmosquitto",
        package: "libmosquitto-dev",
        source: include_str!("c/libmosquitto.c"),
        library: "-lmosquitto",
    },
    Native {
        name: "Paho C",
        package: "libpaho-mqtt-dev",
        source: include_str!("c/paho.c"),
        library: "-lpaho-mqtt3a",
    },
];

impl Native {
    /// The program, if a compiler and the library are there.
    pub(crate) fn build(&self, directory: &Path) -> io::Result<Option<PathBuf>> {
        let (source, program) =
            (directory.join(self.package).with_extension("c"), directory.join(self.package));
        fs::write(directory.join("contender.h"), HEADER)?;
        fs::write(&source, self.source)?;
        let built = Command::new("cc")
            .args(["-O2", "-o"])
            .args([&program, &source])
            .args([self.library, "-lpthread"])
            .stderr(Stdio::null())
            .status();
        Ok(built.is_ok_and(|status| status.success()).then_some(program))
    }
}
