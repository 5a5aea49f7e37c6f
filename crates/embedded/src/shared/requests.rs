//! What the tasks ask of the client.

use core::fmt;
use core::task::Poll;

use embassy_sync::blocking_mutex::raw::RawMutex;
use mqtt_p2p_aliyun::{P2pTopic, PublishP2pError, TokenKind, UPLOAD_TOPIC, write_upload};
use mqtt_p2p_core::{
    Error, Publication, QoS, ReasonCode, Storage, SubscribeFilter, Ticket, TopicFilter, TopicName,
};

use super::Shared;
use super::state::{Answer, State, Upload, Wish};

/// Why there is no subscription.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum SubscribeError {
    /// The client did not accept it.
    NotAccepted(Error),
    /// The server refused it: check the permission for this topic.
    Refused(ReasonCode),
}

impl fmt::Display for SubscribeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotAccepted(error) => fmt::Display::fmt(error, f),
            Self::Refused(reason) => {
                write!(
                    f,
                    "the server refused the subscription ({reason:?}); check the permission for this topic"
                )
            }
        }
    }
}

impl core::error::Error for SubscribeError {}

/// Why a token was not uploaded. It shows nothing of the token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum UploadError {
    /// Caller: the text can't be a token, or the buffer is too small for the message.
    Message(mqtt_p2p_aliyun::UploadError),
    /// The client did not accept it, [`Error::Offline`] without a connection; or the connection ended before the
    /// acknowledgement, which is [`Error::Offline`] as well. The next log-in must have the new token.
    NotAccepted(Error),
}

impl fmt::Display for UploadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Message(error) => fmt::Display::fmt(error, f),
            Self::NotAccepted(error) => fmt::Display::fmt(error, f),
        }
    }
}

impl core::error::Error for UploadError {}

impl<'b, M: RawMutex, S: Storage, const TASKS: usize, const RECEIVERS: usize>
    Shared<'b, M, S, TASKS, RECEIVERS>
{
    /// Accepts a message as soon as there is room. With a connection it goes out at once; without one it waits, as
    /// [`Config::offline`](crate::Config::offline) says. [`acknowledged`](Self::acknowledged) waits for its end.
    ///
    /// To drop the future before it is ready means that nothing was accepted.
    ///
    /// # Errors
    /// What [`Client::publish`](crate::Client::publish) says, but for a memory that is full for now: that is waited for.
    pub async fn publish(&self, publication: &Publication<'_>) -> Result<Ticket, Error> {
        self.wait(|state| room(state.publish(publication))).await
    }

    /// The same without waiting.
    ///
    /// # Errors
    /// What [`Client::publish`](crate::Client::publish) says.
    pub fn try_publish(&self, publication: &Publication<'_>) -> Result<Ticket, Error> {
        self.with(|state| state.publish(publication)).unwrap_or(Err(Error::InUse))
    }

    /// Accepts a message for one client id of ApsaraMQ as soon as there is room: see [`publish`](Self::publish).
    ///
    /// # Errors
    /// A parent topic or client id against the rules; what [`publish`](Self::publish) says.
    pub async fn publish_p2p(
        &self,
        parent: &str,
        target: &str,
        payload: &[u8],
        qos: QoS,
    ) -> Result<Ticket, PublishP2pError> {
        let topic = P2pTopic::new(parent, target).map_err(PublishP2pError::Topic)?;
        let topic = TopicName::new(topic.as_str()).map_err(PublishP2pError::TopicName)?;
        let publication = Publication::new(topic, payload).with_qos(qos);
        self.publish(&publication).await.map_err(PublishP2pError::NotAccepted)
    }

    /// Waits until a request has ended: a publication of QoS 1 or 2 was acknowledged, one of QoS 0 was handed to the
    /// network. It goes on over any number of connections. With MQTT 3.1.1, which is what this client speaks, no server can
    /// refuse a publication.
    pub async fn acknowledged(&self, ticket: Ticket) {
        self.wait(|state| {
            if state.client.requests().any(|open| open == ticket) { Poll::Pending } else { Poll::Ready(()) }
        })
        .await;
    }

    /// Asks for the messages of a topic filter, and waits for the server's answer: the QoS that it granted. A
    /// [`receiver`](Self::receiver) takes them.
    ///
    /// To drop the future leaves it open whether it was asked for; asking again does no harm.
    ///
    /// # Errors
    /// It was not accepted, or refused.
    pub async fn subscribe(&self, filter: TopicFilter<'_>, qos: QoS) -> Result<QoS, SubscribeError> {
        let accepted = self.wait(|state| room(state.subscribe(SubscribeFilter::new(filter, qos)))).await;
        let answer = Waiting { shared: self, ticket: accepted.map_err(SubscribeError::NotAccepted)? };
        let code = self
            .wait(|state| match state.answer(answer.ticket).and_then(|answer| answer.code) {
                Some(code) => Poll::Ready(code),
                None => Poll::Pending,
            })
            .await;
        match code {
            ReasonCode::Success => Ok(QoS::AtMostOnce),
            ReasonCode::GrantedQoS1 => Ok(QoS::AtLeastOnce),
            ReasonCode::GrantedQoS2 => Ok(QoS::ExactlyOnce),
            reason => Err(SubscribeError::Refused(reason)),
        }
    }

    /// Ends a subscription, and waits for the server's answer.
    ///
    /// # Errors
    /// What [`Client::unsubscribe`](crate::Client::unsubscribe) says, but for a memory that is full for now.
    pub async fn unsubscribe(&self, filter: TopicFilter<'_>) -> Result<(), Error> {
        let accepted = self.wait(|state| room(state.unsubscribe(filter))).await;
        self.acknowledged(accepted?).await;
        Ok(())
    }

    /// Gives ApsaraMQ a new token on the connection that lives, and waits for its acknowledgement; until then no other
    /// publication and no subscription goes out. The log-in of the next attempt must have the new token as well
    /// ([`LoginSource`](crate::LoginSource)), and before it is safe to upload: an upload may be cut off.
    ///
    /// `scratch` takes the message: [`upload_len`](mqtt_p2p_aliyun::upload_len) bytes. It is wiped. The control memory of
    /// the client's storage must have room for it, too.
    ///
    /// # Errors
    /// The token or the buffer is invalid; there is no connection, or it ended meanwhile.
    pub async fn upload_token(
        &self,
        kind: TokenKind,
        token: &str,
        scratch: &mut [u8],
    ) -> Result<(), UploadError> {
        let topic = TopicName::new(UPLOAD_TOPIC).map_err(|_| UploadError::NotAccepted(Error::InUse))?;
        let written = write_upload(kind, token, scratch).map_err(UploadError::Message)?;
        let accepted = self
            .wait(|state| {
                let message = scratch.get(..written).unwrap_or_default();
                let result = state.client.publish_alone(topic, message);
                if result.is_ok() {
                    state.upload = Upload::UnderWay;
                    state.wake_runner();
                }
                room(result)
            })
            .await;
        scratch.fill(0);
        accepted.map_err(UploadError::NotAccepted)?;
        self.wait(|state| match state.upload {
            Upload::Done => Poll::Ready(Ok(())),
            Upload::UnderWay => Poll::Pending,
            Upload::None | Upload::Lost => Poll::Ready(Err(UploadError::NotAccepted(Error::Offline))),
        })
        .await
    }

    /// Leaves: what may already be sent goes out, then DISCONNECT; [`run`](Self::run) comes back. What waits stays for the
    /// next run.
    pub fn disconnect(&self) {
        self.wish(Wish::Disconnect);
    }

    /// Wants a connection again after a refusal, or without waiting for the next attempt.
    pub fn reconnect(&self) {
        self.wish(Wish::Connect);
    }

    fn wish(&self, wish: Wish) {
        self.with(|state| {
            state.wish = Some(wish);
            state.wake_runner();
        });
    }
}

/// A full memory is waited for.
fn room<T>(result: Result<T, Error>) -> Poll<Result<T, Error>> {
    match result {
        Err(Error::Full(_)) => Poll::Pending,
        result => Poll::Ready(result),
    }
}

impl<S: Storage, const TASKS: usize, const RECEIVERS: usize> State<'_, S, TASKS, RECEIVERS> {
    fn publish(&mut self, publication: &Publication<'_>) -> Result<Ticket, Error> {
        let ticket = self.client.publish(publication)?;
        self.wake_runner();
        Ok(ticket)
    }

    /// Notes a place for the answer, too.
    fn subscribe(&mut self, filter: SubscribeFilter<'_>) -> Result<Ticket, Error> {
        let place = self.answers.iter_mut().find(|place| place.is_none());
        let place = place.ok_or(Error::Full(mqtt_p2p_core::Need::Requests))?;
        let ticket = self.client.subscribe(&[filter])?;
        *place = Some(Answer { ticket, code: None });
        self.wake_runner();
        Ok(ticket)
    }

    fn unsubscribe(&mut self, filter: TopicFilter<'_>) -> Result<Ticket, Error> {
        let ticket = self.client.unsubscribe(&[filter])?;
        self.wake_runner();
        Ok(ticket)
    }

    fn answer(&self, ticket: Ticket) -> Option<Answer> {
        self.answers.iter().flatten().find(|answer| answer.ticket == ticket).copied()
    }
}

/// Whoever waits for an answer gives its place back in any case.
struct Waiting<'s, 'b, M: RawMutex, S: Storage, const TASKS: usize, const RECEIVERS: usize> {
    shared: &'s Shared<'b, M, S, TASKS, RECEIVERS>,
    ticket: Ticket,
}

impl<M: RawMutex, S: Storage, const TASKS: usize, const RECEIVERS: usize> Drop
    for Waiting<'_, '_, M, S, TASKS, RECEIVERS>
{
    fn drop(&mut self) {
        self.shared.with(|state| {
            for place in &mut state.answers {
                if place.is_some_and(|answer| answer.ticket == self.ticket) {
                    *place = None;
                }
            }
            state.waiting.wake();
        });
    }
}
