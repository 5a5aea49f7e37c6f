//! The words behind QEMU's `-append`.

use firmware_scenario::Settings;
use semihosting::experimental::env::{Args, args};

use crate::report::{Outcome, finish};

/// The command line as the host has it. It must outlive the [`Settings`], which borrow from it.
#[derive(Debug)]
pub struct Arguments(Option<Args<512>>);

impl Arguments {
    /// Asks the host.
    pub fn of_host() -> Self {
        Self(args().ok())
    }

    /// The settings; a word that is none of them ends the firmware.
    pub fn settings<'a>(&'a self, client_id: &'a str) -> Settings<'a> {
        let mut settings = Settings::new(client_id);
        // The first word is the firmware's own name.
        for word in self.0.iter().flatten().skip(1) {
            let heeded = match word {
                Ok("") => Ok(()),
                Ok(word) => settings.heed(word),
                Err(_) => Err(firmware_scenario::BadSetting("bytes that are no text")),
            };
            if let Err(bad) = heeded {
                finish(Outcome::Unusable(&bad));
            }
        }
        settings
    }
}
