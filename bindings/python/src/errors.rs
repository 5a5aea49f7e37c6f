//! What is raised. The classes are Python's own, in `mqtt_p2p.errors`.

use std::fmt::Display;

use mqtt_p2p_aliyun::PublishP2pError;
use mqtt_p2p_core::{Error, SessionError, TopicError};
use pyo3::{PyErr, import_exception};

import_exception!(mqtt_p2p.errors, DisconnectedError);
import_exception!(mqtt_p2p.errors, InvalidError);
import_exception!(mqtt_p2p.errors, QueueFull);

/// The caller's fault, in the words of whoever found it.
pub(crate) fn invalid(error: impl Display) -> PyErr {
    InvalidError::new_err(error.to_string())
}

/// A value that is none of those that there are.
pub(crate) fn unknown(what: &str, value: impl Display, known: &str) -> PyErr {
    InvalidError::new_err(format!("{what} is {value}: give {known}"))
}

pub(crate) fn topic(error: TopicError) -> PyErr {
    invalid(error)
}

pub(crate) fn not_accepted(error: Error) -> PyErr {
    match error {
        Error::Full(_) => QueueFull::new_err(error.to_string()),
        Error::Offline | Error::Stale => DisconnectedError::new_err(error.to_string()),
        _ => invalid(error),
    }
}

pub(crate) fn p2p_not_accepted(error: PublishP2pError) -> PyErr {
    match error {
        PublishP2pError::NotAccepted(error) => not_accepted(error),
        other => invalid(other),
    }
}

pub(crate) fn session(error: SessionError) -> PyErr {
    match error {
        SessionError::NotTaken(error) => not_accepted(error),
        other => invalid(other),
    }
}
