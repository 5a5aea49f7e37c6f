//! A W5500-EVB-Pico on ApsaraMQ, over Ethernet: see the README beside it.
#![no_std]
#![no_main]

#[path = "../../device/device.rs"]
mod device;

use core::fmt::Arguments;

use defmt_rtt as _;
use device::{Board, settings::HOST};
use embassy_executor::Spawner;
use embassy_net::dns::DnsSocket;
use embassy_net::tcp::client::{TcpClient, TcpClientState};
use embassy_net::{Runner, StackResources};
use embassy_net_wiznet::chip::W5500;
use embassy_net_wiznet::{Device, State};
use embassy_rp::adc::{self, Adc, Blocking};
use embassy_rp::clocks::RoscRng;
use embassy_rp::flash::{self, Flash};
use embassy_rp::gpio::{Input, Level, Output, Pull};
use embassy_rp::peripherals::{DMA_CH0, DMA_CH1, FLASH, SPI0};
use embassy_rp::spi::{self, Async, Spi};
use embassy_rp::{Peri, bind_interrupts, dma};
use embassy_time::Delay;
use embedded_hal_bus::spi::ExclusiveDevice;
use mqtt_p2p_embedded::TcpDialer;
use panic_probe as _;
use static_cell::StaticCell;

bind_interrupts!(struct Irqs {
    DMA_IRQ_0 => dma::InterruptHandler<DMA_CH0>, dma::InterruptHandler<DMA_CH1>;
});

#[embassy_executor::main]
async fn main(spawner: Spawner) {
    let p = embassy_rp::init(Default::default());

    // The W5500 as the board has it.
    let mut config = spi::Config::default();
    config.frequency = 50_000_000;
    let spi = Spi::new(p.SPI0, p.PIN_18, p.PIN_19, p.PIN_16, p.DMA_CH0, p.DMA_CH1, Irqs, config);
    let select = Output::new(p.PIN_17, Level::High);
    let interrupt = Input::new(p.PIN_21, Pull::Up);
    let reset = Output::new(p.PIN_20, Level::High);
    static STATE: StaticCell<State<8, 8>> = StaticCell::new();
    let Ok(bus) = ExclusiveDevice::new(spi, select, Delay);
    let (device, runner) =
        embassy_net_wiznet::new(own_address(p.FLASH), STATE.init(State::new()), bus, interrupt, reset)
            .await
            .expect("a W5500 answers");
    spawner.spawn(ethernet(runner).expect("it is spawned once"));

    static RESOURCES: StaticCell<StackResources<4>> = StaticCell::new();
    let (stack, runner) = embassy_net::new(
        device,
        embassy_net::Config::dhcpv4(Default::default()),
        RESOURCES.init(StackResources::new()),
        RoscRng.next_u64(),
    );
    spawner.spawn(network(runner).expect("it is spawned once"));
    defmt::info!("waiting for an address");
    stack.wait_config_up().await;

    let mut board = Rp2040 {
        light: Output::new(p.PIN_25, Level::Low),
        adc: Adc::new_blocking(p.ADC, adc::Config::default()),
        sensor: adc::Channel::new_temp_sensor(p.ADC_TEMP_SENSOR),
    };
    static TCP: StaticCell<TcpClientState<1, 1024, 1024>> = StaticCell::new();
    let (tcp, dns) = (TcpClient::new(stack, TCP.init(TcpClientState::new())), DnsSocket::new(stack));
    let mut dialer = TcpDialer::with_dns(&tcp, &dns, HOST, 1883);
    device::run(&mut board, &mut dialer, RoscRng.next_u64()).await;
}

/// An address for Ethernet that no other board has: made of the number of its flash, and marked as made locally.
fn own_address(flash: Peri<'static, FLASH>) -> [u8; 6] {
    let mut id = [0; 8];
    let mut flash = Flash::<_, flash::Blocking, { 2 * 1024 * 1024 }>::new_blocking(flash);
    flash.blocking_unique_id(&mut id).expect("every flash has a number");
    let [.., a, b, c, d, e] = id;
    [0x02, a, b, c, d, e]
}

type Bus = ExclusiveDevice<Spi<'static, SPI0, Async>, Output<'static>, Delay>;

#[embassy_executor::task]
async fn ethernet(
    runner: embassy_net_wiznet::Runner<'static, W5500, Bus, Input<'static>, Output<'static>>,
) -> ! {
    runner.run().await
}

#[embassy_executor::task]
async fn network(mut runner: Runner<'static, Device<'static>>) -> ! {
    runner.run().await
}

struct Rp2040 {
    light: Output<'static>,
    adc: Adc<'static, Blocking>,
    sensor: adc::Channel<'static>,
}

impl Board for Rp2040 {
    fn light(&mut self, on: bool) {
        self.light.set_level(on.into());
    }

    /// RP2040 data sheet, §4.9.5: 27 °C - (U - 0.706 V) / 0.001721 V, of 3.3 V in 4,096 steps.
    fn temperature(&mut self) -> i32 {
        let steps = i32::from(self.adc.blocking_read(&mut self.sensor).unwrap_or_default());
        let microvolts = steps * 3_300_000 / 4096;
        270 - (microvolts - 706_000) * 10 / 1721
    }

    fn say(&mut self, line: Arguments<'_>) {
        defmt::info!("{}", defmt::Display2Format(&line));
    }
}
