//! ApsaraMQ's rules, as functions and small classes. What holds credentials is Python's, in `mqtt_p2p.aliyun`.

use mqtt_p2p_aliyun::{Credentials, UserName};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict};
use zeroize::Zeroizing;

use crate::errors;

/// A client id that the service accepts: `<GroupID>@@@<DeviceID>`.
#[pyclass(frozen, eq, hash, module = "mqtt_p2p.aliyun")]
#[derive(PartialEq, Eq, Hash)]
pub(crate) struct ClientId(mqtt_p2p_aliyun::ClientId);

#[pymethods]
impl ClientId {
    /// Joins a group id and a device id, or reads both out of one text.
    #[new]
    #[pyo3(signature = (group_or_whole, device=None))]
    fn new(group_or_whole: &str, device: Option<&str>) -> PyResult<Self> {
        match device {
            Some(device) => mqtt_p2p_aliyun::ClientId::new(group_or_whole, device),
            None => mqtt_p2p_aliyun::ClientId::parse(group_or_whole),
        }
        .map(Self)
        .map_err(errors::invalid)
    }

    /// Any text of 1 to 64 bytes, which custom authentication allows.
    #[staticmethod]
    fn custom(text: &str) -> PyResult<Self> {
        mqtt_p2p_aliyun::ClientId::custom(text).map(Self).map_err(errors::invalid)
    }

    #[getter]
    fn group(&self) -> Option<&str> {
        self.0.group()
    }

    #[getter]
    fn device(&self) -> Option<&str> {
        self.0.device()
    }

    fn __str__(&self) -> &str {
        self.0.as_str()
    }

    fn __repr__(&self) -> String {
        format!("ClientId('{}')", self.0.as_str().escape_debug())
    }
}

/// A P2P topic, taken apart.
#[pyclass(frozen, eq, hash, get_all, module = "mqtt_p2p.aliyun")]
#[derive(PartialEq, Eq, Hash)]
pub(crate) struct P2p {
    parent: String,
    target: String,
    rest: Option<String>,
}

impl P2p {
    pub(crate) fn of(p2p: &mqtt_p2p_aliyun::P2p<'_>) -> Self {
        Self { parent: p2p.parent.into(), target: p2p.target.into(), rest: p2p.rest.map(Into::into) }
    }
}

#[pymethods]
impl P2p {
    #[classattr]
    #[pyo3(name = "__match_args__")]
    fn match_args() -> (&'static str, &'static str, &'static str) {
        ("parent", "target", "rest")
    }

    fn __repr__(&self) -> String {
        let rest = self.rest.as_ref().map_or_else(|| "None".into(), |rest| format!("{rest:?}"));
        format!("P2p(parent={:?}, target={:?}, rest={rest})", self.parent, self.target)
    }
}

/// The topic that reaches one client.
#[pyfunction]
pub(crate) fn p2p_topic(parent: &str, to: &str) -> PyResult<String> {
    mqtt_p2p_aliyun::P2pTopic::new(parent, to).map(|topic| topic.as_str().to_owned()).map_err(errors::invalid)
}

/// Takes a topic apart if it looks like a P2P topic.
#[pyfunction]
pub(crate) fn parse_p2p(topic: &str) -> Option<P2p> {
    mqtt_p2p_aliyun::parse_p2p(topic).map(|p2p| P2p::of(&p2p))
}

/// The password of signature authentication.
#[pyfunction]
pub(crate) fn sign(secret: &str, client_id: &str) -> String {
    mqtt_p2p_aliyun::sign(secret.as_bytes(), client_id).as_str().to_owned()
}

/// What the service may have against a topic, if anything.
#[pyfunction]
pub(crate) fn topic_warning(topic: &str) -> Option<String> {
    mqtt_p2p_aliyun::topic_warning(topic).map(|warning| warning.to_string())
}

/// User name and password of CONNECT. `mode` is `signature`, `device`, `custom` or `custom-signed`.
#[pyfunction]
pub(crate) fn user_name_and_password<'py>(
    py: Python<'py>,
    mode: &str,
    id: &str,
    secret: &str,
    instance_id: &str,
    client_id: &str,
) -> PyResult<(String, Bound<'py, PyBytes>)> {
    let credentials = match mode {
        "signature" => Credentials::Signature { access_key_id: id, access_key_secret: secret, instance_id },
        "device" => Credentials::DeviceCredential {
            device_access_key_id: id,
            device_access_key_secret: secret,
            instance_id,
        },
        "custom" => Credentials::CustomOrigin { user_name: id, secret },
        "custom-signed" => Credentials::CustomSigned { user_name: id, secret },
        "precomputed" => {
            Credentials::Precomputed { user_name: UserName::parse(id), password: secret.as_bytes() }
        }
        other => return Err(errors::unknown("the mode", other, "one that there is")),
    };
    let (user_name, password) = log_in(&credentials, client_id).map_err(errors::invalid)?;
    Ok((user_name, PyBytes::new(py, &password)))
}

/// What the credentials make for a client id.
pub(crate) fn log_in(
    credentials: &Credentials<'_>,
    client_id: &str,
) -> Result<(String, Zeroizing<Vec<u8>>), mqtt_p2p_aliyun::CredentialsError> {
    let mut user_name = vec![0; credentials.user_name_len()];
    let mut password = Zeroizing::new(vec![0; credentials.password_len()]);
    credentials.write_user_name(&mut user_name)?;
    credentials.write_password(client_id, &mut password)?;
    // It was made of texts.
    Ok((String::from_utf8_lossy(&user_name).into_owned(), password))
}

/// The service's limits, by name.
#[pyfunction]
pub(crate) fn limits(py: Python<'_>) -> PyResult<Bound<'_, PyDict>> {
    use mqtt_p2p_aliyun::limits;
    let known = PyDict::new(py);
    known.set_item("max_payload", limits::MAX_PAYLOAD)?;
    known.set_item("max_topic", limits::MAX_TOPIC_LEN)?;
    known.set_item("max_client_id", limits::MAX_CLIENT_ID)?;
    known.set_item("max_subscriptions", limits::MAX_SUBSCRIPTIONS)?;
    known.set_item("recommended_messages_per_second", limits::RECOMMENDED_MESSAGES_PER_SECOND)?;
    Ok(known)
}
