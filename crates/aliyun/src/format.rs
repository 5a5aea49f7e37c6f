//! `defmt::Format` for types that can't derive it. Types with secrets use their `Debug`, which redacts them.

use defmt::{Debug2Format, Format, Formatter, write};

#[cfg(feature = "client")]
use crate::diagnosis::Diagnosis;
use crate::identifiers::ClientId;
use crate::identifiers::P2pTopic;
use crate::login::ConnectCredentials;
use crate::login::Credentials;
use crate::login::Password;
use crate::messaging::Deduplicator;
use crate::token::TokenKinds;
use crate::token::TokenLifecycle;
use crate::token::TokenSet;

impl Format for Credentials<'_> {
    fn format(&self, f: Formatter<'_>) {
        Debug2Format(self).format(f);
    }
}

impl<const USER_NAME: usize, const PASSWORD: usize> Format for ConnectCredentials<USER_NAME, PASSWORD> {
    fn format(&self, f: Formatter<'_>) {
        Debug2Format(self).format(f);
    }
}

impl Format for Password {
    fn format(&self, f: Formatter<'_>) {
        Debug2Format(self).format(f);
    }
}

impl Format for TokenSet<'_> {
    fn format(&self, f: Formatter<'_>) {
        Debug2Format(self).format(f);
    }
}

impl Format for TokenKinds {
    fn format(&self, f: Formatter<'_>) {
        Debug2Format(self).format(f);
    }
}

impl Format for TokenLifecycle {
    fn format(&self, f: Formatter<'_>) {
        Debug2Format(self).format(f);
    }
}

#[cfg(feature = "client")]
impl Format for Diagnosis {
    fn format(&self, f: Formatter<'_>) {
        Debug2Format(self).format(f);
    }
}

impl<const N: usize> Format for Deduplicator<N> {
    fn format(&self, f: Formatter<'_>) {
        Debug2Format(self).format(f);
    }
}

impl Format for ClientId {
    fn format(&self, f: Formatter<'_>) {
        write!(f, "{=str}", self.as_str());
    }
}

impl Format for P2pTopic {
    fn format(&self, f: Formatter<'_>) {
        write!(f, "{=str}", self.as_str());
    }
}
