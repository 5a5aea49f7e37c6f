//! An ESP32-C3 on ApsaraMQ, over Wi-Fi: see the README beside it.
#![no_std]
#![no_main]

#[path = "../../device/device.rs"]
mod device;

use core::fmt::Arguments;

use device::{Board, settings::HOST};
use embassy_executor::Spawner;
use embassy_net::dns::DnsSocket;
use embassy_net::tcp::client::{TcpClient, TcpClientState};
use embassy_net::{Runner, StackResources};
use embassy_time::Timer;
use esp_backtrace as _;
use esp_hal::gpio::{Level, Output, OutputConfig};
use esp_hal::rng::Rng;
use esp_hal::timer::timg::TimerGroup;
use esp_hal::tsens::{self, TemperatureSensor};
use esp_println::println;
use esp_radio::wifi::sta::StationConfig;
use esp_radio::wifi::{AuthenticationMethodConfig, Config, Interface, WifiController};
use mqtt_p2p_embedded::TcpDialer;
use static_cell::StaticCell;

const SSID: &str = match option_env!("WIFI_SSID") {
    Some(ssid) => ssid,
    None => "example",
};
const WIFI_PASSWORD: &str = match option_env!("WIFI_PASSWORD") {
    Some(password) => password,
    None => "example-password",
};

esp_bootloader_esp_idf::esp_app_desc!();

#[esp_rtos::main]
async fn main(spawner: Spawner) -> ! {
    let peripherals = esp_hal::init(esp_hal::Config::default());
    esp_alloc::heap_allocator!(size: 72 * 1024);
    esp_rtos::start(TimerGroup::new(peripherals.TIMG0).timer0, peripherals.FROM_CPU_INTR0);

    let controller = WifiController::new(peripherals.WIFI, Default::default()).expect("the radio starts");
    // Random once the radio is on.
    let rng = Rng::new();
    let random = || u64::from(rng.random()) << 32 | u64::from(rng.random());

    static RESOURCES: StaticCell<StackResources<4>> = StaticCell::new();
    let (stack, runner) = embassy_net::new(
        Interface::station(),
        embassy_net::Config::dhcpv4(Default::default()),
        RESOURCES.init(StackResources::new()),
        random(),
    );
    spawner.spawn(network(runner).expect("it is spawned once"));
    spawner.spawn(wifi(controller).expect("it is spawned once"));
    println!("waiting for an address from {SSID}");
    stack.wait_config_up().await;

    let mut board = Esp32C3 {
        // Blue, on the small boards; on Espressif's own, the pin leads to a light that wants more than a level.
        light: Output::new(peripherals.GPIO8, Level::High, OutputConfig::default()),
        sensor: TemperatureSensor::new(peripherals.TSENS, tsens::Config::default()).expect("it is there"),
    };
    static TCP: StaticCell<TcpClientState<1, 1024, 1024>> = StaticCell::new();
    let (tcp, dns) = (TcpClient::new(stack, TCP.init(TcpClientState::new())), DnsSocket::new(stack));
    let mut dialer = TcpDialer::with_dns(&tcp, &dns, HOST, 1883);
    device::run(&mut board, &mut dialer, random()).await;
    core::future::pending().await
}

#[embassy_executor::task]
async fn network(mut runner: Runner<'static, Interface>) {
    runner.run().await
}

/// Joins the Wi-Fi again and again.
#[embassy_executor::task]
async fn wifi(mut controller: WifiController<'static>) {
    let station =
        StationConfig::default().with_ssid(SSID.try_into().expect("at most 32 bytes")).with_authentication(
            AuthenticationMethodConfig::Wpa2Personal(WIFI_PASSWORD.try_into().expect("at most 64 bytes")),
        );
    controller.set_config(&Config::Station(station)).expect("a station's settings");
    loop {
        match controller.connect_async().await {
            Ok(_) => {
                println!("on {SSID}");
                let _ = controller.wait_for_disconnect_async().await;
                println!("{SSID} is gone");
            }
            Err(error) => println!("can't join {SSID}: {error:?}"),
        }
        Timer::after_secs(3).await;
    }
}

struct Esp32C3 {
    /// Lit when low.
    light: Output<'static>,
    sensor: TemperatureSensor<'static>,
}

impl Board for Esp32C3 {
    fn light(&mut self, on: bool) {
        self.light.set_level((!on).into());
    }

    fn temperature(&mut self) -> i32 {
        (self.sensor.get_temperature().to_celsius() * 10.0) as i32
    }

    fn say(&mut self, line: Arguments<'_>) {
        println!("{line}");
    }
}
