//! No bytes and no order of packets bring the emulator down.

use std::time::Duration;

use mqtt_p2p_aliyun::TokenKind;
use mqtt_p2p_emulator::{Account, ConnectionId, Emulator, Faults, Output, Quirks};
use mqtt_p2p_packet::{AckedQoS, Connect, Packet, Publish, ReasonCode, TopicName};
use proptest::prelude::*;

use crate::world::{ack, bytes_of, service};

/// Something that happens to the emulator.
#[derive(Clone, Debug)]
enum Step {
    Open,
    Close(usize),
    Cut(usize),
    Bytes(usize, Vec<u8>),
    Connect(usize, u8, bool, u16),
    Publish(usize, String, u8, u16),
    Subscribe(usize, String, u8),
    Ack(usize, u8, u16),
    /// A log-in with a new token that lives so many milliseconds, or an upload of one, or the end of the last one.
    LogInWithToken(usize, u8, u64),
    Upload(usize, u64),
    Revoke,
    SetClock(u64),
    Fault(u8, u32),
    Pass(u64),
}

fn topic() -> impl Strategy<Value = String> {
    prop_oneof![
        (0..3_u8).prop_map(|client| format!("t/p2p/c{client}")),
        (0..3_u8).prop_map(|client| format!("t/p2p/GID_demo@@@{client}")),
        (0..3_u8).prop_map(|level| format!("t/{level}")),
        Just("$SYS/uploadToken".to_owned()),
        Just("/".to_owned()),
    ]
}

fn filter() -> impl Strategy<Value = String> {
    prop_oneof![topic(), Just("#".to_owned()), Just("t/+".to_owned()), Just("+/+/+".to_owned())]
}

fn step() -> impl Strategy<Value = Step> {
    let who = || 0..6_usize;
    prop_oneof![
        Just(Step::Open),
        who().prop_map(Step::Close),
        who().prop_map(Step::Cut),
        (who(), prop::collection::vec(any::<u8>(), 0..40)).prop_map(|(who, bytes)| Step::Bytes(who, bytes)),
        (who(), 0..3_u8, any::<bool>(), 0..30_u16).prop_map(|(a, b, c, d)| Step::Connect(a, b, c, d)),
        (who(), topic(), 0..3_u8, 1..9_u16).prop_map(|(a, b, c, d)| Step::Publish(a, b, c, d)),
        (who(), topic(), 0..3_u8, 1..9_u16).prop_map(|(a, b, c, d)| Step::Publish(a, b, c, d)),
        (who(), filter(), 0..3_u8).prop_map(|(a, b, c)| Step::Subscribe(a, b, c)),
        (who(), 0..4_u8, 1..9_u16).prop_map(|(a, b, c)| Step::Ack(a, b, c)),
        (who(), 0..3_u8, 0..700_000_u64).prop_map(|(a, b, c)| Step::LogInWithToken(a, b, c)),
        (who(), 0..700_000_u64).prop_map(|(a, b)| Step::Upload(a, b)),
        Just(Step::Revoke),
        (0..700_000_u64).prop_map(Step::SetClock),
        (0..16_u8, 0..3_u32).prop_map(|(a, b)| Step::Fault(a, b)),
        (0..20_000_u64).prop_map(Step::Pass),
    ]
}

struct Run {
    emulator: Emulator,
    now: Duration,
    ids: Vec<ConnectionId>,
    outputs: Vec<Output>,
    last_token: String,
}

impl Run {
    fn new(quirks: Quirks) -> Self {
        let mut config = service().quirks(quirks).account(Account::access_key("AK", "SK"));
        config.min_token_lifetime = Duration::ZERO;
        config.in_flight = 2;
        config.max_waiting_messages = 3;
        let mut emulator = Emulator::new(config, 3);
        let ids = (0..3).map(|_| emulator.connection_opened(Duration::ZERO)).collect();
        Self { emulator, now: Duration::ZERO, ids, outputs: Vec::new(), last_token: String::new() }
    }

    fn take(&mut self, step: &Step) {
        let at = |who: &usize| self.ids.get(who % self.ids.len().max(1)).copied();
        match step {
            Step::Open => self.ids.push(self.emulator.connection_opened(self.now)),
            Step::Close(who) => {
                if let Some(id) = at(who) {
                    self.emulator.connection_closed(self.now, id);
                }
            }
            Step::Cut(who) => {
                if let Some(id) = at(who) {
                    self.emulator.cut(self.now, id);
                }
            }
            Step::Bytes(who, bytes) => self.receive(at(who), bytes),
            Step::Connect(who, client, clean_session, keep_alive) => {
                let client_id = format!("c{client}");
                let mut connect = Connect::new(&client_id);
                connect.clean_session = *clean_session;
                connect.keep_alive = *keep_alive;
                self.receive(at(who), &bytes_of(&Packet::Connect(connect)));
            }
            Step::Publish(who, topic, qos, id) => self.receive(at(who), &publish(topic, *qos, *id)),
            Step::Subscribe(who, filter, qos) => self.receive(at(who), &subscribe(filter, *qos)),
            Step::Ack(who, kind, id) => {
                let ack = ack(*id);
                let packet = match kind {
                    0 => Packet::PubAck(ack),
                    1 => Packet::PubRec(ack),
                    2 => Packet::PubRel(ack),
                    _ => Packet::PubComp(ack),
                };
                self.receive(at(who), &bytes_of(&packet));
            }
            Step::LogInWithToken(who, client, lifetime) => {
                let id = at(who);
                self.issue(*lifetime);
                let (client_id, password) =
                    (format!("GID_demo@@@{client}"), format!("RW|{}", self.last_token));
                let mut connect = Connect::new(&client_id);
                connect.user_name = Some("Token|AK|post-cn-demo");
                connect.password = Some(password.as_bytes());
                self.receive(id, &bytes_of(&Packet::Connect(connect)));
            }
            Step::Upload(who, lifetime) => {
                let id = at(who);
                self.issue(*lifetime);
                let payload = format!(r#"{{"token":"{}","type":"RW"}}"#, self.last_token);
                let topic = TopicName::new("$SYS/uploadToken").unwrap();
                let mut publish = Publish::new(topic, payload.as_bytes());
                publish.delivery = Some((AckedQoS::AtLeastOnce, ack(7).packet_id));
                self.receive(id, &bytes_of(&Packet::Publish(publish)));
            }
            Step::Revoke => _ = self.emulator.revoke_token(self.now, &self.last_token),
            Step::SetClock(millis) => self.emulator.set_unix_time(self.now, Duration::from_millis(*millis)),
            Step::Fault(which, how_often) => self.fault(*which, *how_often),
            Step::Pass(millis) => {
                self.now += Duration::from_millis(*millis);
                self.emulator.advance(self.now);
            }
        }
        self.outputs.extend(std::iter::from_fn(|| self.emulator.poll_output()));
        if let Some(deadline) = self.emulator.next_deadline() {
            assert!(deadline > self.now, "what is due was done");
        }
    }

    fn issue(&mut self, lifetime: u64) {
        let lifetime = Duration::from_millis(lifetime);
        let token = self.emulator.issue_token(self.now, ["t/#"], TokenKind::RW, lifetime);
        self.last_token = token.unwrap().text;
    }

    fn fault(&mut self, which: u8, how_often: u32) {
        let faults = self.emulator.faults_mut();
        let some_time = Duration::from_secs(how_often.into());
        match which {
            0 => *faults = Faults::default(),
            1 => faults.refuse_log_ins = Some(ReasonCode::ServerUnavailable),
            2 => faults.silent_connack = true,
            3 => faults.close_after_connack = Some(some_time),
            4 => faults.take_over_after = Some(some_time),
            5 => faults.half_open = true,
            6 => faults.lose_publishes = how_often,
            7 => faults.lose_pubacks = how_often,
            8 => faults.lose_pubrecs = how_often,
            9 => faults.lose_subacks = how_often,
            10 => faults.duplicate_publishes = how_often,
            11 => faults.delay = some_time,
            12 => faults.client_id = Some("c0".into()),
            _ => _ = self.emulator.send_raw(self.now, "c1", &[0xff]),
        }
    }

    fn receive(&mut self, id: Option<ConnectionId>, bytes: &[u8]) {
        if let Some(id) = id {
            self.emulator.bytes_received(self.now, id, bytes);
        }
    }
}

fn publish(topic: &str, qos: u8, id: u16) -> Vec<u8> {
    let mut body = (topic.len() as u16).to_be_bytes().to_vec();
    body.extend(topic.bytes());
    if qos > 0 {
        body.extend(id.to_be_bytes());
    }
    [vec![0x30 | qos << 1, body.len() as u8], body].concat()
}

fn subscribe(filter: &str, qos: u8) -> Vec<u8> {
    let mut body = vec![0, 1];
    body.extend((filter.len() as u16).to_be_bytes());
    body.extend(filter.bytes());
    body.push(qos);
    [vec![0x82, body.len() as u8], body].concat()
}

fn run(quirks: Quirks, steps: &[Step]) -> Vec<Output> {
    let mut run = Run::new(quirks);
    for step in steps {
        run.take(step);
    }
    run.outputs
}

/// Every connection's packets end with its close.
fn assert_quiet_after_close(outputs: &[Output]) {
    let mut closed = Vec::new();
    for output in outputs {
        match output {
            Output::Send { id, bytes } => assert!(!closed.contains(id) && !bytes.is_empty()),
            Output::Close { id } => closed.push(*id),
        }
    }
}

proptest! {
    #[test]
    fn no_bytes_bring_it_down(
        logged_in: bool,
        chunks in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..100), 0..10),
    ) {
        let mut run = Run::new(Quirks::service());
        if logged_in {
            run.take(&Step::Connect(0, 0, false, 60));
        }
        for chunk in chunks {
            run.take(&Step::Bytes(0, chunk));
        }
    }

    #[test]
    fn no_order_of_packets_brings_it_down(steps in prop::collection::vec(step(), 0..80)) {
        assert_quiet_after_close(&run(Quirks::service(), &steps));
        assert_quiet_after_close(&run(Quirks::standard(), &steps));
    }

    #[test]
    fn the_same_inputs_and_seed_give_the_same_outputs(steps in prop::collection::vec(step(), 0..40)) {
        prop_assert_eq!(run(Quirks::service(), &steps), run(Quirks::service(), &steps));
    }

    #[test]
    fn packets_may_be_cut_anywhere(cut in 0_usize..60) {
        let packets = [
            bytes_of(&Packet::Connect(Connect::new("c0"))),
            subscribe("t/+", 1),
            publish("t/0", 1, 4),
            publish("t/p2p/c0", 2, 5),
        ]
        .concat();
        let outputs = |chunks: &[&[u8]]| {
            let mut run = Run::new(Quirks::standard());
            for chunk in chunks {
                run.take(&Step::Bytes(0, chunk.to_vec()));
            }
            run.outputs
        };
        let (head, tail) = packets.split_at(cut.min(packets.len()));
        prop_assert_eq!(outputs(&[&packets]), outputs(&[head, tail]));
    }
}
