//! What the state machine tells, on its way to Python.

use pyo3::prelude::*;

use crate::events;
use crate::message::{Parcel, Topics};

/// What is to be told: made under the lock, and made an object of Python's without it.
pub(crate) enum Told<'b> {
    Message(Parcel<'b>),
    Event(events::Event),
}

impl<T: Into<events::Event>> From<T> for Told<'_> {
    fn from(event: T) -> Self {
        Self::Event(event.into())
    }
}

impl Told<'_> {
    pub(crate) fn into_owned(self) -> Told<'static> {
        match self {
            Self::Message(parcel) => Told::Message(parcel.into_owned()),
            Self::Event(event) => Told::Event(event),
        }
    }

    pub(crate) fn object<'py>(&self, py: Python<'py>, topics: &mut Topics) -> PyResult<Bound<'py, PyAny>> {
        match self {
            Self::Message(parcel) => parcel.open(py, topics).map(Bound::into_any),
            Self::Event(event) => event.object(py),
        }
    }
}
