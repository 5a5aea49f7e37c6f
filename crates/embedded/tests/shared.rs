//! One client for several tasks, over a network in memory.

mod ledger;
mod world;

use std::cell::{Cell, RefCell};
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use embassy_sync::blocking_mutex::raw::NoopRawMutex;
use ledger::{config, logins};
use mqtt_p2p_aliyun::{Credentials, EXPIRE_NOTICE_TOPIC, TokenKind, TokenNotice, TokenSet};
use mqtt_p2p_embedded::{
    AliyunLogin, Clock as _, DisconnectReason, Error, Inline, Instant, Login, Publication, QoS, ReasonCode,
    Receiver, Shared, Status, SubscribeError, Timer as _, TopicFilter, TopicName,
};
use world::{CLIENT_ID, World};

type Client<'b> = Shared<'b, NoopRawMutex, Inline<1024, 8>, 4, 2>;
type Task<'t> = Pin<Box<dyn Future<Output = ()> + 't>>;

/// Runs tasks until the first one is through.
async fn until_first_ends(mut tasks: Vec<Task<'_>>) {
    poll_fn(|context| {
        let mut through = Poll::Pending;
        for (index, task) in tasks.iter_mut().enumerate() {
            if task.as_mut().poll(context).is_ready() {
                assert_eq!(index, 0, "another task ended");
                through = Poll::Ready(());
            }
            if through.is_ready() {
                break;
            }
        }
        through
    })
    .await;
}

async fn run(client: &Client<'_>, world: &World) {
    client.run(&mut world.dialer(), &mut logins(), world).await;
}

fn payload(number: u32) -> [u8; 100] {
    let mut payload = [0x5a; 100];
    payload[..4].copy_from_slice(&number.to_be_bytes());
    payload
}

fn number(payload: &[u8]) -> u32 {
    assert_eq!(payload[4..], [0x5a; 96]);
    u32::from_be_bytes(payload[..4].try_into().unwrap())
}

async fn send(client: &Client<'_>, numbers: std::ops::Range<u32>) {
    for number in numbers {
        client.publish_p2p("demo", CLIENT_ID, &payload(number), QoS::AtLeastOnce).await.unwrap();
    }
    std::future::pending().await
}

/// Takes messages until all have come; each may come more often if `again`.
async fn take_all<const T: usize, const R: usize>(
    receiver: &mut Receiver<'_, '_, NoopRawMutex, Inline<1024, 8>, T, R>,
    total: u32,
    again: bool,
) {
    let mut seen = vec![false; total as usize];
    while seen.contains(&false) {
        let number = receiver.next(|message| number(message.payload)).await as usize;
        assert!(again || !seen[number], "{number} came again");
        seen[number] = true;
    }
}

#[test]
fn two_publishers_and_a_receiver_share_a_client_with_little_memory() {
    for (chop, transmit_size) in [(usize::MAX, 256), (40, 256), (7, 16), (1, 1)] {
        let world = World::new();
        world.set(|world| (world.chop, world.lazy) = (chop, 4));
        let (mut receive, mut transmit) = ([0; 512], vec![0; transmit_size]);
        let client = Client::new(config(), 1, Inline::new(), &mut receive, &mut transmit);
        let mut receiver = client.receiver(None).unwrap();
        world.run(until_first_ends(vec![
            Box::pin(take_all(&mut receiver, 200, false)),
            Box::pin(run(&client, &world)),
            Box::pin(send(&client, 0..100)),
            Box::pin(send(&client, 100..200)),
        ]));
        assert_eq!(client.unclaimed(), 0);
        assert_eq!(world.set(|world| world.emulator.client_counters(CLIENT_ID).published), 200);
    }
}

#[test]
fn a_run_that_is_dropped_anywhere_and_links_that_break_lose_nothing() {
    for seed in 1..=60 {
        let world = World::new();
        world.set(|world| (world.chop, world.lazy, world.flush_after) = (80, 3, seed % 4));
        for _ in 0..seed {
            world.random(2);
        }
        let (mut receive, mut transmit) = ([0; 512], [0; 100]);
        let client = Client::new(config(), 1, Inline::new(), &mut receive, &mut transmit);
        let mut receiver = client.receiver(None).unwrap();
        let chaos = async {
            for round in 0..30 {
                let mut run = pin!(run(&client, &world));
                let mut steps = 5 + world.random(40);
                poll_fn(|context| {
                    if run.as_mut().poll(context).is_ready() || (round < 29 && steps == 0) {
                        return Poll::Ready(());
                    }
                    if world.random(30) == 0 && round < 29 {
                        world.set(world::State::cut);
                    }
                    steps -= u64::from(round < 29);
                    Poll::Pending
                })
                .await;
            }
        };
        world.run(until_first_ends(vec![
            Box::pin(take_all(&mut receiver, 60, true)),
            Box::pin(chaos),
            Box::pin(send(&client, 0..60)),
        ]));
    }
}

#[test]
fn a_receiver_that_takes_nothing_slows_the_server_down_and_gets_all_in_the_end() {
    let world = World::new();
    let (mut receive, mut transmit) = ([0; 300], [0; 256]);
    let client = Client::new(config(), 1, Inline::new(), &mut receive, &mut transmit);
    let mut receiver = client.receiver(None).unwrap();
    let lazy = async {
        client.connected().await;
        world.set(|world| {
            for number in 0..20 {
                let mut packet = vec![0x32, 105, 0, 1, b't', 0, number + 1];
                packet.extend(payload(number.into()));
                let now = world.time();
                assert!(world.emulator.send_raw(now, CLIENT_ID, &packet));
            }
        });
        // Several keep alives go by, and no ping is missed.
        let start = world.now();
        world.wait_until(start.after_millis(600_000)).await;
        assert!(client.status().is_connected());
        take_all(&mut receiver, 20, false).await;
    };
    world.run(until_first_ends(vec![Box::pin(lazy), Box::pin(run(&client, &world))]));
    assert_eq!(world.set(|world| world.dials), 1);
}

#[test]
fn a_message_goes_to_every_receiver_that_it_matches_and_to_no_other() {
    let world = World::new();
    let (mut receive, mut transmit) = ([0; 512], [0; 256]);
    let client = Client::new(config(), 1, Inline::new(), &mut receive, &mut transmit);
    let mut all = client.receiver(None).unwrap();
    let mut some = client.receiver(Some(TopicFilter::new("demo/a/+").unwrap())).unwrap();
    assert!(client.receiver(None).is_err());
    let (seen_by_all, seen_by_some) = (RefCell::new(Vec::new()), RefCell::new(Vec::new()));
    let topics = ["demo/a/1", "demo/b/1", "demo/a/2/", "demo/a/3"];
    let main = async {
        assert_eq!(
            client.subscribe(TopicFilter::new("demo/#").unwrap(), QoS::AtLeastOnce).await,
            Ok(QoS::AtLeastOnce)
        );
        for topic in topics {
            let topic = TopicName::new(topic).unwrap();
            let publication = Publication::new(topic, b"").with_qos(QoS::AtLeastOnce);
            let ticket = client.publish(&publication).await.unwrap();
            client.acknowledged(ticket).await;
        }
        while seen_by_all.borrow().len() < 4 || seen_by_some.borrow().len() < 3 {
            let now = world.now();
            world.wait_until(now.after_millis(1)).await;
        }
        assert_eq!(client.unsubscribe(TopicFilter::new("demo/#").unwrap()).await, Ok(()));
    };
    let first = async {
        loop {
            let topic = all.next(|message| message.topic.as_str().to_owned()).await;
            seen_by_all.borrow_mut().push(topic);
        }
    };
    let second = async {
        loop {
            let topic = some.next(|message| message.topic.as_str().to_owned()).await;
            seen_by_some.borrow_mut().push(topic);
        }
    };
    world.run(until_first_ends(vec![
        Box::pin(main),
        Box::pin(run(&client, &world)),
        Box::pin(first),
        Box::pin(second),
    ]));
    let bare = |topics: &RefCell<Vec<String>>| -> Vec<String> {
        topics.borrow().iter().map(|topic| topic.trim_end_matches('/').to_owned()).collect()
    };
    assert_eq!(bare(&seen_by_all), ["demo/a/1", "demo/b/1", "demo/a/2", "demo/a/3"]);
    assert_eq!(bare(&seen_by_some), ["demo/a/1", "demo/a/2", "demo/a/3"]);
}

#[test]
fn nothing_is_acknowledged_before_it_is_taken_and_a_receiver_that_is_dropped_holds_nothing_back() {
    let world = World::new();
    let (mut receive, mut transmit) = ([0; 512], [0; 256]);
    let client = Client::new(config(), 1, Inline::new(), &mut receive, &mut transmit);
    let idle = client.receiver(None).unwrap();
    let main = async {
        for number in 0..5 {
            client.publish_p2p("demo", CLIENT_ID, &payload(number), QoS::AtLeastOnce).await.unwrap();
        }
        client.connected().await;
        let now = world.now();
        world.wait_until(now.after_millis(1_000)).await;
        assert_eq!(world.set(|world| world.emulator.client_counters(CLIENT_ID).acknowledged), 0);
        drop(idle);
        world.wait_until(now.after_millis(2_000)).await;
    };
    world.run(until_first_ends(vec![Box::pin(main), Box::pin(run(&client, &world))]));
    assert_eq!(world.set(|world| world.emulator.client_counters(CLIENT_ID).acknowledged), 5);
    assert_eq!(client.unclaimed(), 4);
}

#[test]
fn a_task_that_answers_what_it_receives_waits_for_its_acknowledgements_and_takes_messages_meanwhile() {
    let world = World::new();
    let (mut receive, mut transmit) = ([0; 512], [0; 256]);
    let client = Client::new(config(), 1, Inline::new(), &mut receive, &mut transmit);
    let mut receiver = client.receiver(None).unwrap();
    let main = async {
        let (mut waiting, mut answered) = (std::collections::VecDeque::new(), 0);
        // Each message has an answer, which is a message again.
        while answered < 40 {
            if waiting.is_empty() {
                receiver.next(|message| waiting.push_back(number(message.payload))).await;
            }
            let number = waiting.pop_front().unwrap() + 1;
            let answer = async {
                let ticket = client.publish_p2p("demo", CLIENT_ID, &payload(number), QoS::AtLeastOnce).await;
                client.acknowledged(ticket.unwrap()).await;
            };
            receiver.take_until(answer, |message| waiting.push_back(self::number(message.payload))).await;
            answered += 1;
        }
    };
    // Several at once: the acknowledgement of an answer lies behind a message.
    world.run(until_first_ends(vec![
        Box::pin(main),
        Box::pin(run(&client, &world)),
        Box::pin(send(&client, 0..4)),
        // Or it would wait for ever.
        Box::pin(world.wait_until(Instant::from_millis(600_000))),
    ]));
    assert_eq!(client.unclaimed(), 0);
}

#[test]
fn publishing_waits_for_room_and_accepts_nothing_if_it_is_dropped_before() {
    let world = World::new();
    let (mut receive, mut transmit) = ([0; 512], [0; 256]);
    let client = Client::new(config(), 1, Inline::new(), &mut receive, &mut transmit);
    let topic = TopicName::new("demo/x").unwrap();
    let publication = Publication::new(topic, &[0; 300]).with_qos(QoS::AtLeastOnce);
    for _ in 0..3 {
        client.try_publish(&publication).unwrap();
    }
    assert!(matches!(client.try_publish(&publication), Err(Error::Full(_))));
    {
        let mut waiting = pin!(client.publish(&publication));
        let mut context = std::task::Context::from_waker(std::task::Waker::noop());
        assert!(waiting.as_mut().poll(&mut context).is_pending());
    }
    let main = async {
        let ticket = client.publish(&publication).await.unwrap();
        client.acknowledged(ticket).await;
    };
    world.run(until_first_ends(vec![Box::pin(main), Box::pin(run(&client, &world))]));
    assert_eq!(world.set(|world| world.emulator.client_counters(CLIENT_ID).published), 4);
    let larger = Publication::new(topic, &[0; 2_000]).with_qos(QoS::AtLeastOnce);
    assert!(matches!(client.try_publish(&larger), Err(Error::TooLarge { .. })));
}

#[test]
fn a_wrong_password_ends_the_run_and_stands_in_the_status() {
    let world = World::new();
    let (mut receive, mut transmit) = ([0; 512], [0; 256]);
    let client = Client::new(config(), 1, Inline::new(), &mut receive, &mut transmit);
    let mut wrong = Login::new(CLIENT_ID).with_password("Signature|demo-key|post-cn-demo", b"wrong");
    let mut watcher = client.watch();
    world.run(client.run(&mut world.dialer(), &mut wrong, &world));
    let refused = Status::Refused { reason: ReasonCode::BadUserNameOrPassword, retry_at: None };
    assert_eq!(client.status(), refused);
    assert_eq!(world.run(watcher.next()), refused);
    // With the right one it may run again.
    world.run(until_first_ends(vec![Box::pin(client.connected()), Box::pin(run(&client, &world))]));
}

#[test]
fn a_task_that_disconnects_ends_the_run_with_a_good_bye() {
    let world = World::new();
    let (mut receive, mut transmit) = ([0; 512], [0; 256]);
    let client = Client::new(config(), 1, Inline::new(), &mut receive, &mut transmit);
    let leave = async {
        client.connected().await;
        client.publish_p2p("demo", "GID_demo@@@other", b"last", QoS::AtMostOnce).await.unwrap();
        client.disconnect();
        std::future::pending().await
    };
    world.run(until_first_ends(vec![Box::pin(run(&client, &world)), Box::pin(leave)]));
    assert_eq!(client.status(), Status::Disconnected { reason: DisconnectReason::Requested, retry_at: None });
    let closed = world.set(|world| std::iter::from_fn(|| world.emulator.poll_event()).last());
    assert!(format!("{closed:?}").contains("Disconnect"), "{closed:?}");
    assert_eq!(world.set(|world| world.emulator.client_counters(CLIENT_ID).published), 1);
}

#[test]
fn a_dial_is_given_up_when_a_task_disconnects() {
    let world = World::new();
    world.set(|world| world.dial_takes = 1_000_000);
    let (mut receive, mut transmit) = ([0; 512], [0; 256]);
    let slow = config().with_connect_timeout_ms(2_000_000);
    let client = Client::new(slow, 1, Inline::new(), &mut receive, &mut transmit);
    let leave = async {
        world.wait_until(Instant::from_millis(500)).await;
        client.disconnect();
        std::future::pending().await
    };
    world.run(until_first_ends(vec![Box::pin(run(&client, &world)), Box::pin(leave)]));
    assert!(world.now().as_millis() < 1_000);
}

#[test]
fn a_subscription_that_the_server_refuses_says_so() {
    let world = World::with(mqtt_p2p_emulator::Config::demo().anonymous());
    let (mut receive, mut transmit) = ([0; 512], [0; 256]);
    let client = Client::new(config(), 1, Inline::new(), &mut receive, &mut transmit);
    let result = Cell::new(None);
    let main = async {
        client.connected().await;
        // The server's SUBACK comes from here, so that it can refuse.
        let subscribe = client.subscribe(TopicFilter::new("demo/x").unwrap(), QoS::AtLeastOnce);
        world.set(|world| world.deaf = true);
        let refuse = async {
            let now = world.now();
            world.wait_until(now.after_millis(10)).await;
            world.set(|world| world.say(&[0x90, 3, 0, 1, 0x80]));
            std::future::pending::<()>().await;
        };
        let mut subscribe = pin!(subscribe);
        let mut refuse = pin!(refuse);
        let answer = poll_fn(|context| {
            assert!(refuse.as_mut().poll(context).is_pending());
            subscribe.as_mut().poll(context)
        })
        .await;
        result.set(Some(answer));
    };
    world.run(until_first_ends(vec![Box::pin(main), Box::pin(run(&client, &world))]));
    assert_eq!(result.get(), Some(Err(SubscribeError::Refused(ReasonCode::UnspecifiedError))));
}

const START: u64 = 1_700_000_000;

#[test]
fn a_token_is_renewed_on_the_connection_that_lives_when_its_notice_comes() {
    let world = World::new();
    let issue = |life: u64| {
        world.set(|world| {
            let now = world.time();
            world
                .emulator
                .issue_token(now, ["demo/#"], TokenKind::RW, Duration::from_secs(life))
                .unwrap()
                .text
        })
    };
    world.set(|world| {
        let now = world.time();
        world.emulator.set_unix_time(now, Duration::from_secs(START));
    });
    let first = issue(400);
    let credentials = Credentials::Token {
        access_key_id: "demo-key",
        instance_id: "post-cn-demo",
        tokens: TokenSet::new(TokenKind::RW, &first).unwrap(),
    };
    let mut logins: AliyunLogin<'_> = AliyunLogin::new(CLIENT_ID, credentials).unwrap();
    let (mut receive, mut transmit) = ([0; 512], [0; 2048]);
    let client: Shared<'_, NoopRawMutex, Inline<1024, 8, 1200>, 4, 2> =
        Shared::new(config(), 1, Inline::new(), &mut receive, &mut transmit);
    let filter = TopicFilter::new(EXPIRE_NOTICE_TOPIC).unwrap();
    let mut notices = client.receiver(Some(filter)).unwrap();
    let main = async {
        let notice =
            notices.next(|message| TokenNotice::parse(message.topic.as_str(), message.payload)).await;
        assert!(matches!(notice, Some(Ok(TokenNotice::Expire { kind: TokenKind::RW, .. }))), "{notice:?}");
        let mut scratch = [0; 1024];
        client.upload_token(TokenKind::RW, &issue(4_000), &mut scratch).await.unwrap();
        assert_eq!(scratch, [0; 1024]);
        // The first one has long expired by then.
        let now = world.now();
        world.wait_until(now.after_millis(1_000_000)).await;
        assert!(client.status().is_connected());
    };
    let mut dialer = world.dialer();
    world.run(until_first_ends(vec![Box::pin(main), Box::pin(client.run(&mut dialer, &mut logins, &world))]));
    let counters = world.set(|world| world.emulator.counters());
    assert_eq!((counters.uploads, counters.uploads_refused), (1, 0));
}

#[test]
fn without_a_connection_no_token_is_uploaded() {
    let (mut receive, mut transmit) = ([0; 512], [0; 256]);
    let client = Client::new(config(), 1, Inline::new(), &mut receive, &mut transmit);
    let world = World::new();
    let result = world.run(client.upload_token(TokenKind::RW, "LzMT+XLFl5u=", &mut [0; 64]));
    assert_eq!(result, Err(mqtt_p2p_embedded::UploadError::NotAccepted(Error::Offline)));
}
