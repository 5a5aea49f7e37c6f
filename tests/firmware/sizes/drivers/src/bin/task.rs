//! The firmware with the asynchronous driver, in one task.
#![no_std]
#![no_main]

use core::future::{Future, poll_fn};
use core::pin::pin;
use core::task::Poll;

use mqtt_p2p_embedded::Driver;
use mqtt_p2p_sizes::{Button, block_on, button, clock, facts, in_static};
use mqtt_p2p_sizes_drivers::{CONFIG, Line, Memory, Time, act, heed, login};

type Client = Driver<'static, Memory, Time>;

/// Sizes on this target: each type's is the length of its symbol. They take no flash.
mod types {
    use mqtt_p2p_sizes_drivers::{Line, Time};

    type Login = mqtt_p2p_embedded::Login<'static>;
    type Empty = mqtt_p2p_embedded::Driver<'static, mqtt_p2p_embedded::Inline<0, 0, 0, 0, 0>, Time>;

    const fn of<A, R>(_: fn(A) -> R) -> usize {
        size_of::<R>()
    }

    const fn of_open() -> usize {
        const fn size<A, B, C, R>(_: fn(A, B, C) -> R) -> usize {
            size_of::<R>()
        }
        size(super::Client::open::<Line, Login> as fn(&'static mut _, &'static mut _, &'static mut _) -> _)
    }

    type EmptyClient = mqtt_p2p_embedded::Client<mqtt_p2p_embedded::Inline<0, 0, 0, 0, 0>>;

    type Sharing<const TASKS: usize, const RECEIVERS: usize> = mqtt_p2p_embedded::Shared<
        'static,
        embassy_sync::blocking_mutex::raw::NoopRawMutex,
        mqtt_p2p_embedded::Inline<0, 0, 0, 0, 0>,
        TASKS,
        RECEIVERS,
    >;
    type Link = mqtt_p2p_embedded::Link<'static, 'static, super::Memory, Time, mqtt_p2p_sizes::Socket>;

    const fn of_run() -> usize {
        const fn size<A, B, C, D, R>(_: fn(A, B, C, D) -> R) -> usize {
            size_of::<R>()
        }
        size(
            Sharing::<8, 4>::run::<Line, Login, Time>
                as fn(&'static _, &'static mut _, &'static mut _, &'static _) -> _,
        )
    }

    #[used]
    #[unsafe(link_section = ".types")]
    static FUTURE_OF_SHARED_RUN: [u8; of_run()] = [1; _];
    #[used]
    #[unsafe(link_section = ".types")]
    static SHARED_OF_8_TASKS_AND_4_RECEIVERS: [u8; size_of::<Sharing<8, 4>>()] = [1; _];
    #[used]
    #[unsafe(link_section = ".types")]
    static SHARED_OF_4_TASKS_AND_2_RECEIVERS: [u8; size_of::<Sharing<4, 2>>()] = [1; _];
    #[used]
    #[unsafe(link_section = ".types")]
    static FUTURE_OF_LINK_NEXT: [u8; of(Link::next as fn(&'static mut _) -> _)] = [1; _];
    #[used]
    #[unsafe(link_section = ".types")]
    static CLIENT_WITH_A_CONFIG_THAT_IS_CHOSEN_LATER: [u8; size_of::<EmptyClient>()] = [1; _];
    #[used]
    #[unsafe(link_section = ".types")]
    static DRIVER_WITHOUT_BUFFERS: [u8; size_of::<Empty>()] = [1; _];
    #[used]
    #[unsafe(link_section = ".types")]
    static FUTURE_OF_THE_PROGRAM: [u8; of(super::device)] = [1; _];
    #[used]
    #[unsafe(link_section = ".types")]
    static FUTURE_OF_DRIVER_OPEN: [u8; of_open()] = [1; _];
}

#[unsafe(no_mangle)]
extern "C" fn start() -> ! {
    let buffer = in_static!(const [u8; facts::BUFFER], [0; facts::BUFFER]);
    let driver = in_static!(Client, Driver::new(CONFIG, u64::from(clock()), Memory::new(), buffer, Time));
    block_on(|| device(driver))
}

/// The task.
async fn device(driver: &'static mut Client) {
    let (mut line, mut logins) = (Line, login());
    while let Some(mut link) = driver.open(&mut line, &mut logins).await {
        loop {
            let pressed = {
                let mut next = pin!(link.next());
                poll_fn(|context| match next.as_mut().poll(context) {
                    Poll::Ready(event) => Poll::Ready(event.map(|event| {
                        heed(&event);
                        Button::None
                    })),
                    Poll::Pending => match button() {
                        Button::None => Poll::Pending,
                        pressed => Poll::Ready(Some(pressed)),
                    },
                })
                .await
            };
            match pressed {
                Some(pressed) => act(link.client(), pressed),
                None => break,
            }
        }
    }
}
