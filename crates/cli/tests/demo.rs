//! `mqtt-p2p demo`: its end is what scripts read.

mod common;

use std::time::Duration;

use common::{bare, run};

#[test]
fn the_demo_loses_nothing_doubles_nothing_and_says_so_in_its_last_line() {
    let demo = run(&mut bare(&["demo"])).expect(0);
    assert_eq!(demo.stderr, "");
    assert!(demo.stdout.starts_with("This is a development stand-in"), "{demo:#?}");
    let last = demo.stdout.lines().last().unwrap();
    let mut words = last.strip_prefix("sent ").unwrap().split(", received ");
    let sent: u32 = words.next().unwrap().parse().unwrap();
    assert!(sent > 200, "{last}");
    assert_eq!(last, format!("sent {sent}, received {sent}, lost 0, duplicates 0"));
    assert!(demo.took < Duration::from_secs(20), "{demo:#?}");
}

#[test]
fn the_demo_tells_its_story_in_80_columns_and_without_colour_in_a_pipe() {
    let demo = run(&mut bare(&["demo"])).expect(0);
    for line in demo.stdout.lines() {
        assert!(line.chars().count() <= 80, "{line}");
    }
    assert!(!demo.stdout.contains('\u{1b}'));
    for step in [
        "alice logs in over WebSocket with TLS",
        "bob logs in over TCP",
        "link is cut",
        "is not let in yet",
        "session goes on",
    ] {
        assert!(demo.stdout.contains(step), "{step} is not in {demo:#?}");
    }
}

#[test]
fn json_has_the_story_and_the_bottom_line() {
    let demo = run(&mut bare(&["demo", "--json"])).expect(0);
    let lines: Vec<serde_json::Value> =
        demo.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let (last, story) = lines.split_last().unwrap();
    assert!(story.iter().all(|line| line["seconds"].is_f64() && line["text"].is_string()), "{demo:#?}");
    assert_eq!(last["sent"], last["received"]);
    assert_eq!((&last["lost"], &last["duplicates"]), (&0.into(), &0.into()));
}
