//! The boards: how their firmware is built, and what emulates them.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::Failure;

/// A board, and the firmware for it.
#[derive(Debug)]
pub(crate) struct Board {
    pub(crate) name: &'static str,
    pub(crate) link: Link,
    /// Whether its firmware has tasks, and knows WebSocket.
    pub(crate) embassy: bool,
    target: &'static str,
    emulator: &'static str,
    machine: &'static [&'static str],
}

/// What joins a board to the world.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Link {
    /// Ethernet and TCP/IP: the firmware dials.
    Network,
    /// A serial line that ends in a socket of QEMU's. The firmware sees bytes, or silence.
    Serial,
}

/// All of them, the slowest first.
pub(crate) const BOARDS: [Board; 4] = [
    Board {
        name: "riscv-uart",
        link: Link::Serial,
        embassy: false,
        target: "riscv32imc-unknown-none-elf",
        emulator: "qemu-system-riscv32",
        machine: &["-M", "virt", "-bios", "none"],
    },
    Board {
        name: "lm3s-uart",
        link: Link::Serial,
        embassy: false,
        target: "thumbv7m-none-eabi",
        emulator: "qemu-system-arm",
        machine: &["-M", "lm3s6965evb"],
    },
    Board {
        name: "mps2-smoltcp",
        link: Link::Network,
        embassy: false,
        target: "thumbv7m-none-eabi",
        emulator: "qemu-system-arm",
        machine: &["-M", "mps2-an385"],
    },
    Board {
        name: "mps2-embassy",
        link: Link::Network,
        embassy: true,
        target: "thumbv7m-none-eabi",
        emulator: "qemu-system-arm",
        machine: &["-M", "mps2-an385"],
    },
];

/// Where the firmware's workspace is.
fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

impl Board {
    /// The client id of its firmware.
    pub(crate) fn client_id(&self) -> String {
        format!("GID_demo@@@{}", self.name)
    }

    /// Builds the firmware. Each board for itself, since they want different features of what they share.
    pub(crate) fn build(&self) -> Result<(), Failure> {
        let status = Command::new("cargo")
            .current_dir(workspace())
            .args([
                "build",
                "--quiet",
                "--locked",
                "--release",
                "--target",
                self.target,
                "--target-dir",
                "target",
            ])
            .args(["--package", &format!("firmware-{}", self.name)])
            .status();
        match status {
            Ok(status) if status.success() => Ok(()),
            Ok(status) => Err(format!("building the firmware of {}: {status}", self.name)),
            Err(error) => Err(format!("cargo: {error}")),
        }
    }

    /// QEMU with the firmware in it, its link to this port of the loopback address, and settings for it.
    pub(crate) fn emulate(&self, port: u16, settings: &str) -> tokio::process::Command {
        let firmware = workspace().join("target").join(self.target).join("release").join(self.name);
        let mut command = tokio::process::Command::new(self.emulator);
        command.args(self.machine).args(["-nographic", "-monitor", "none"]);
        command.args(["-semihosting-config", "enable=on,target=native"]);
        match self.link {
            // The host's loopback address is 10.0.2.2 there.
            Link::Network => command.args(["-serial", "null", "-nic", "user"]),
            // A socket that was closed is opened again after a second.
            Link::Serial => command.args([
                "-chardev",
                &format!("socket,id=link,host=127.0.0.1,port={port},nodelay=on,reconnect=1"),
                "-serial",
                "chardev:link",
            ]),
        };
        let mut words = format!("id={} {settings}", self.client_id());
        if self.link == Link::Network {
            words.push_str(&format!(" server=10.0.2.2:{port}"));
        }
        command.arg("-append").arg(words).arg("-kernel").arg(firmware);
        command
    }
}
