//! The firmware with mqtt-protocol-core, a state machine for MQTT 3.1.1 and 5 that needs a heap: what is not acknowledged is
//! kept, and it says when to ping. Timers, dialling again and when, and subscribing again are the program's.
#![no_std]
#![no_main]

extern crate alloc;

use alloc::vec;
use alloc::vec::Vec;
use core::alloc::{GlobalAlloc, Layout};
use core::cell::UnsafeCell;
use core::ptr::{NonNull, null_mut};

use linked_list_allocator::Heap;
use mqtt_p2p_sizes::{
    Button, begin, button, clock, close, consume, facts, in_static, is_open, open, receive, sleep, transmit,
};
use mqtt_protocol_core::mqtt;
use mqtt_protocol_core::mqtt::connection::{Event, TimerKind};
use mqtt_protocol_core::mqtt::packet::{GenericPacketTrait, Packet, Qos, SubEntry, SubOpts, v3_1_1};

type Connection = mqtt::Connection<mqtt::role::Client>;

/// Its heap.
struct Allocator(UnsafeCell<Heap>);

// SAFETY: there is one thread.
unsafe impl Sync for Allocator {}

// SAFETY: it is as the library promises.
unsafe impl GlobalAlloc for Allocator {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: nobody else uses it now.
        let heap = unsafe { &mut *self.0.get() };
        heap.allocate_first_fit(layout).map_or(null_mut(), NonNull::as_ptr)
    }

    unsafe fn dealloc(&self, place: *mut u8, layout: Layout) {
        if let Some(place) = NonNull::new(place) {
            // SAFETY: nobody else uses it now, and the place came from it, as the caller promises.
            unsafe { (*self.0.get()).deallocate(place, layout) }
        }
    }
}

#[global_allocator]
static HEAP: Allocator = Allocator(UnsafeCell::new(Heap::empty()));
const HEAP_BYTES: usize = 16 * 1024;

#[unsafe(no_mangle)]
extern "C" fn start() -> ! {
    let memory = in_static!(const [u8; HEAP_BYTES], [0; HEAP_BYTES]);
    // SAFETY: this is the first use of both.
    unsafe { (*HEAP.0.get()).init(memory.as_mut_ptr(), HEAP_BYTES) }
    let connection = in_static!(Connection, {
        let mut connection = Connection::new(mqtt::Version::V3_1_1);
        connection.set_auto_pub_response(true);
        connection
    });
    let buffer = in_static!(const [u8; facts::BUFFER], [0; facts::BUFFER]);
    begin();
    let mut device = Device { connection, timers: [None; 2], subscribed: false };
    loop {
        if open() {
            device.connect();
            while is_open() {
                device.timers();
                device.act(button());
                let filled = receive(buffer);
                let mut received = mqtt::common::Cursor::new(buffer.get(..filled).unwrap_or_default());
                while !received.remaining_slice().is_empty() {
                    let events = device.connection.recv(&mut received);
                    device.heed(events);
                }
                sleep(clock().wrapping_add(100));
            }
            let events = device.connection.notify_closed();
            device.heed(events);
            consume(b"off");
        }
        sleep(clock().wrapping_add(2_000));
    }
}

struct Device {
    connection: &'static mut Connection,
    /// When to ping, and when to have the answer.
    timers: [Option<u32>; 2],
    subscribed: bool,
}

impl Device {
    fn connect(&mut self) {
        let connect = v3_1_1::Connect::builder()
            .client_id(facts::CLIENT_ID)
            .and_then(|connect| connect.user_name(facts::USER_NAME))
            .and_then(|connect| connect.password(facts::PASSWORD.to_vec()))
            .and_then(|connect| connect.keep_alive(facts::KEEP_ALIVE).clean_session(false).build());
        if let Ok(connect) = connect {
            let events = self.connection.checked_send(connect);
            self.heed(events);
        }
        self.connection.set_pingresp_recv_timeout(10_000);
    }

    fn act(&mut self, button: Button) {
        match button {
            Button::None => {}
            Button::Subscribe => {
                self.subscribed = true;
                self.subscribe();
            }
            Button::Publish => self.publish(),
        }
    }

    fn subscribe(&mut self) {
        let Ok(id) = self.connection.acquire_packet_id() else { return };
        let Ok(entry) = SubEntry::new(facts::COMMANDS, SubOpts::new().set_qos(Qos::AtLeastOnce)) else {
            return;
        };
        if let Ok(packet) = v3_1_1::Subscribe::builder().entries(vec![entry]).packet_id(id).build() {
            let events = self.connection.checked_send(packet);
            self.heed(events);
        }
    }

    fn publish(&mut self) {
        let Ok(id) = self.connection.acquire_packet_id() else { return };
        let reading = clock().to_be_bytes();
        let packet = v3_1_1::Publish::builder().topic_name(facts::NEIGHBOUR).and_then(|publish| {
            publish.qos(Qos::AtLeastOnce).packet_id(id).payload(reading.to_vec()).build()
        });
        if let Ok(packet) = packet {
            let events = self.connection.checked_send(packet);
            self.heed(events);
        }
    }

    fn timers(&mut self) {
        for (place, kind) in [(0, TimerKind::PingreqSend), (1, TimerKind::PingrespRecv)] {
            if self.timers[place].is_some_and(|at| clock().wrapping_sub(at) as i32 >= 0) {
                self.timers[place] = None;
                let events = self.connection.notify_timer_fired(kind);
                self.heed(events);
            }
        }
    }

    fn heed(&mut self, events: Vec<Event>) {
        for event in events {
            match event {
                Event::RequestSendPacket { packet, .. } => {
                    let bytes = packet.to_continuous_buffer();
                    let mut sent = 0;
                    while is_open() && sent < bytes.len() {
                        sent += transmit(bytes.get(sent..).unwrap_or_default());
                    }
                }
                Event::RequestTimerReset { kind, duration_ms } => {
                    self.timers[place(kind)] = Some(clock().wrapping_add(duration_ms as u32));
                }
                Event::RequestTimerCancel(kind) => self.timers[place(kind)] = None,
                Event::NotifyPacketReceived(Packet::V3_1_1Publish(message)) => {
                    consume(message.topic_name().as_bytes());
                    consume(message.payload().as_slice());
                }
                Event::NotifyPacketReceived(Packet::V3_1_1Connack(connack)) => {
                    consume(b"on");
                    if self.subscribed && !connack.session_present() {
                        self.subscribe();
                    }
                }
                Event::NotifyError(_) | Event::RequestClose => close(),
                _ => {}
            }
        }
    }
}

const fn place(kind: TimerKind) -> usize {
    match kind {
        TimerKind::PingreqSend => 0,
        _ => 1,
    }
}
