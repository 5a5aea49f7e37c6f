//! As much of the simulation as fits a test run: `tests/soak sim` has the long form.

use std::time::Duration;

use mqtt_p2p_sim::{
    Bounds, Faults, Length, Plan, ServerKind, Storm, Strategy, explore, run, run_storm, soak,
};

#[track_caller]
fn assert_kept(plan: &Plan) {
    if let Err(violation) = run(plan, false) {
        panic!("{violation}\n  {plan}");
    }
}

#[test]
fn many_worlds_under_faults_keep_all_promises() {
    let length = Length { seed: 1, worlds: 150, messages: u64::MAX, time: Duration::MAX, violations: 1 };
    let report = soak(&length, 2, |_| {});
    assert!(report.violations.is_empty(), "{:?}", report.violations);
    println!("{}", report.tally);
    assert_eq!(report.tally.worlds, 150);
    assert!(report.tally.faults > 1_000 && report.tally.crashes > 50 && report.tally.resends > 1_000);
}

#[test]
fn worlds_that_once_broke_a_promise_keep_it() {
    let plans =
        include_str!("../regressions.txt").lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    for plan in plans {
        assert_kept(&plan.parse().expect("a plan"));
    }
}

#[test]
fn a_seed_repeats_a_run() {
    for server in [ServerKind::Standard, ServerKind::Aliyun] {
        let plan = Plan { server, messages: 2_000, ..Plan::of(11) };
        let first = run(&plan, false);
        assert!(first.is_ok(), "{first:?}");
        assert_eq!(run(&plan, false), first);
        assert_ne!(run(&Plan { seed: 12, ..plan }, false), first);
    }
}

#[test]
fn identifiers_that_come_round_are_not_taken_from_who_still_has_them() {
    // More than 65,533 publications by one client, some of them answered late.
    let faults = "withhold".parse::<Faults>().expect("a fault");
    for seed in 1..4 {
        let server = ServerKind::Standard;
        assert_kept(&Plan { seed, server, clients: 1, messages: 80_000, faults, most_faults: u32::MAX });
    }
}

#[test]
fn the_exchange_keeps_its_promises_whatever_happens_in_whichever_order() {
    for (name, bounds) in Bounds::scenes(false) {
        let explored = explore(bounds, 2);
        println!("{name}: {} states, {} steps deep", explored.states, explored.depth - 1);
        assert_eq!(explored.broken, None, "{name}");
        assert!(explored.complete && explored.states > 100, "{name} is explored to its end: {explored:?}");
    }
}

#[test]
fn after_an_outage_all_come_back_and_jitter_keeps_them_apart() {
    let storm = Storm { clients: 20_000, outage: 30, accepts: 200, refusals: 20, horizon: 400, seed: 1 };
    let [ours, fixed, no_jitter] = Strategy::ALL.map(|strategy| run_storm(&storm, strategy));
    assert!(ours.reached(storm.clients).is_some(), "all are back");
    // When the server returns, it meets fewer attempts.
    assert!(ours.peak_from(storm.outage) * 5 < fixed.peak_from(storm.outage));
    assert!(ours.peak_from(storm.outage) * 5 < no_jitter.peak_from(storm.outage));
    assert!(ours.total() * 2 < fixed.total());
}
