//! `bench`, `completions` and `man`.

mod common;

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::time::Duration;

use common::{Running, bare, run};
use mqtt_p2p_emulator::{Config, Quirks, Server};
use serde_json::Value;

async fn open_server() -> Server {
    Server::start(Config::new("post-cn-demo").anonymous().quirks(Quirks::standard())).await.unwrap()
}

fn bench(server: &Server, args: &[&str]) -> std::process::Command {
    let mut command = bare(&["bench", &common::tcp(server)]);
    command.args(args);
    command
}

#[tokio::test(flavor = "multi_thread")]
async fn every_message_is_counted_at_every_qos_and_the_figures_agree() {
    let server = open_server().await;
    for qos in ["0", "1", "2"] {
        let args = [
            "--json",
            "-q",
            qos,
            "-n",
            "300",
            "--publishers",
            "2",
            "--subscribers",
            "3",
            "--in-flight",
            "10",
        ];
        let measured = run(&mut bench(&server, &args)).expect(0);
        assert_eq!(measured.stderr, "");
        let report: Value = serde_json::from_str(&measured.stdout).unwrap();
        for (name, value) in [("published", 600), ("received", 1800), ("lost", 0), ("duplicates", 0)] {
            assert_eq!(report[name], value, "{name} of {report}");
        }
        let latency = |name: &str| report["latency_us"][name].as_f64().unwrap();
        let names = ["min", "p50", "p90", "p99", "p999", "max"];
        assert!(names.windows(2).all(|pair| latency(pair[0]) <= latency(pair[1])), "{report}");
        let bins = report["histogram"].as_array().unwrap();
        assert_eq!(bins.iter().map(|bin| bin["messages"].as_u64().unwrap()).sum::<u64>(), 1800);
        assert!(report["measured"].as_str().unwrap().contains("broker"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_table_says_what_is_measured_and_has_no_colour_or_bar_in_a_pipe() {
    let server = open_server().await;
    let measured = run(&mut bench(&server, &["-n", "100"])).expect(0);
    assert_eq!(measured.stderr, "");
    assert!(!measured.stdout.contains('\u{1b}'));
    for text in ["published", "received", "99 %", "publisher, network, broker and subscriber together"] {
        assert!(measured.stdout.contains(text), "{text} is not in {measured:#?}");
    }
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn ctrl_c_ends_the_sending_and_what_was_measured_is_shown() {
    let server = open_server().await;
    let running = Running::start(&mut bench(&server, &["--duration", "60", "--rate", "200", "--json"]));
    while server.connected_clients().len() < 2 || server.counters().published < 20 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    running.interrupt();
    let measured = running.finish().expect(0);
    let report: Value = serde_json::from_str(&measured.stdout).unwrap();
    assert!(report["published"].as_u64().unwrap() >= 20, "{report}");
    assert_eq!((&report["lost"], &report["received"]), (&0.into(), &report["published"]));
}

#[test]
fn messages_that_do_not_come_are_lost_which_is_exit_code_1_where_the_qos_forbids_it() {
    let url = black_hole();
    for (qos, code) in [("0", 0), ("1", 1)] {
        let measured = run(&mut bare(&[
            "bench",
            &url,
            "--json",
            "-n",
            "3",
            "--in-flight",
            "1",
            "--timeout",
            "0.5",
            "-q",
            qos,
        ]));
        let report: Value = serde_json::from_str(&measured.stdout).unwrap();
        assert_eq!(
            (&report["published"], &report["received"], &report["lost"]),
            (&3.into(), &0.into(), &3.into())
        );
        assert!(report.get("latency_us").is_none(), "{report}");
        assert_eq!(measured.stderr.contains("3 messages were lost"), code == 1, "{measured:#?}");
        measured.expect(code);
    }
}

/// A server that takes every message and passes none on. A client that waits for each answer sends one packet at a
/// time.
fn black_hole() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("mqtt://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            std::thread::spawn(move || swallow(stream.unwrap()));
        }
    });
    url
}

fn swallow(mut stream: TcpStream) {
    let mut buffer = [0; 4096];
    while let Ok(1..) = stream.read(&mut buffer) {
        let topic_len = usize::from(u16::from_be_bytes([buffer[2], buffer[3]]));
        let answer = match buffer[0] {
            0x10 => vec![0x20, 2, 0, 0],
            0x82 => {
                let filter_len = usize::from(u16::from_be_bytes([buffer[4], buffer[5]]));
                vec![0x90, 3, buffer[2], buffer[3], buffer[6 + filter_len]]
            }
            0x32 => vec![0x40, 2, buffer[4 + topic_len], buffer[5 + topic_len]],
            _ => continue,
        };
        let _ = stream.write_all(&answer);
    }
}

#[test]
fn completions_exist_for_every_shell_and_bash_reads_its_own() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let printed = run(&mut bare(&["completions", shell])).expect(0);
        assert!(printed.stdout.contains("mqtt-p2p") && printed.stdout.contains("retained-only"), "{shell}");
        if shell == "bash" {
            let mut bash = std::process::Command::new("bash");
            let read = common::run_with_stdin(bash.args(["--norc", "-n", "-s"]), printed.stdout.as_bytes());
            assert_eq!(read.expect(0).stderr, "");
        }
    }
    run(&mut bare(&["completions", "tcsh"])).expect(2);
}

#[test]
fn manual_pages_are_printed_or_written_one_for_each_command() {
    let page = run(&mut bare(&["man"])).expect(0);
    assert!(page.stdout.contains(".TH mqtt-p2p 1"), "{page:#?}");
    let directory = std::env::temp_dir().join(format!("mqtt-p2p-man-{}", std::process::id()));
    run(bare(&["man"]).arg(&directory)).expect(0);
    for command in ["", "-publish", "-subscribe", "-send", "-listen", "-doctor", "-bench", "-emulator"] {
        let page = std::fs::read_to_string(directory.join(format!("mqtt-p2p{command}.1"))).unwrap();
        assert!(page.contains(".SH NAME") && page.contains(".SH OPTIONS"), "{command}");
    }
    std::fs::remove_dir_all(&directory).unwrap();
    run(&mut bare(&["man", "/dev/null/x"])).expect(1).explains(&["/dev/null/x", "help: "]);
}
