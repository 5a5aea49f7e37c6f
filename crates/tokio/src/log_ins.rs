//! Where the log-in of an attempt comes from.

use std::fmt;
use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::Arc;

use futures_util::FutureExt;
use mqtt_p2p_core::TransportError;
use tokio::sync::Mutex;

use crate::dial::DialError;
use crate::options::Login;
use crate::shared::Shared;
use crate::tokens::{TokenSource, Tokens};

type Asking = Pin<Box<dyn Future<Output = Result<Login, String>> + Send>>;

/// What [`Options`](crate::Options) say of it.
#[derive(Clone)]
pub(crate) enum Source {
    /// It is always the same.
    Fixed,
    /// The program is asked before every attempt.
    Asked(Arc<dyn Fn() -> Asking + Send + Sync>),
    /// It is made of tokens.
    Tokens { source: TokenSource, access_key_id: String, instance_id: String },
}

/// The log-ins of one client.
#[derive(Clone)]
pub(crate) enum LogIns {
    Fixed(Arc<Login>),
    Asked(Arc<Asked>),
    Tokens(Arc<str>, Arc<Tokens>),
}

pub(crate) struct Asked {
    ask: Arc<dyn Fn() -> Asking + Send + Sync>,
    /// It may take longer than an attempt: the next one goes on with it.
    asking: Mutex<Option<Asking>>,
}

impl Source {
    pub(crate) fn asked<F, A, E>(ask: F) -> Self
    where
        F: Fn() -> A + Send + Sync + 'static,
        A: Future<Output = Result<Login, E>> + Send + 'static,
        E: fmt::Display,
    {
        Self::Asked(Arc::new(move || {
            let answer = ask();
            Box::pin(async move { answer.await.map_err(|error| error.to_string()) })
        }))
    }
}

impl LogIns {
    pub(crate) fn new(source: Source, login: Login) -> Self {
        match source {
            Source::Fixed => Self::Fixed(Arc::new(login)),
            Source::Asked(ask) => Self::Asked(Arc::new(Asked { ask, asking: Mutex::new(None) })),
            Source::Tokens { source, access_key_id, instance_id } => {
                let tokens = Tokens::new(source, access_key_id, instance_id);
                Self::Tokens(login.client_id.into(), Arc::new(tokens))
            }
        }
    }

    pub(crate) const fn tokens(&self) -> Option<&Arc<Tokens>> {
        match self {
            Self::Tokens(_, tokens) => Some(tokens),
            _ => None,
        }
    }

    /// Sees to it, before an attempt, that there is a log-in; gives it if it is settled by now.
    pub(crate) async fn prepare(&self, shared: &Arc<Shared>) -> Result<Option<Arc<Login>>, DialError> {
        let none = |detail: String| DialError::new(TransportError::NoLogIn, detail);
        match self {
            Self::Fixed(login) => Ok(Some(Arc::clone(login))),
            Self::Asked(asked) => asked.ask().await.map(|login| Some(Arc::new(login))).map_err(none),
            Self::Tokens(_, tokens) => tokens.ready(shared).await.map(|()| None).map_err(none),
        }
    }

    /// The log-in, at the moment when CONNECT goes out.
    pub(crate) fn settle(&self, prepared: Option<Arc<Login>>) -> Result<Arc<Login>, DialError> {
        match (self, prepared) {
            (_, Some(login)) => Ok(login),
            (Self::Tokens(client_id, tokens), None) => tokens
                .log_in(client_id)
                .map(Arc::new)
                .map_err(|detail| DialError::new(TransportError::NoLogIn, detail)),
            (_, None) => Err(DialError::new(TransportError::NoLogIn, "nobody was asked")),
        }
    }
}

impl Asked {
    async fn ask(&self) -> Result<Login, String> {
        let mut asking = self.asking.lock().await;
        let answer = asking.get_or_insert_with(|| {
            let ask = Arc::clone(&self.ask);
            Box::pin(async move {
                let answer = AssertUnwindSafe(async { ask().await }).catch_unwind().await;
                answer.unwrap_or_else(|_| Err("the credentials provider panicked".into()))
            })
        });
        let answer = answer.await;
        *asking = None;
        answer
    }
}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Fixed => "fixed",
            Self::Asked(_) => "asked for",
            Self::Tokens { .. } => "tokens",
        })
    }
}
