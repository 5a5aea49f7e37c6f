fn main() {
    let mut args = std::env::args().skip(1);
    let plan: mqtt_p2p_sim::Plan = args.next().unwrap().parse().unwrap();
    let n: u64 = args.next().map_or(1, |n| n.parse().unwrap());
    let start = std::time::Instant::now();
    let mut tally = mqtt_p2p_sim::Tally::default();
    for seed in plan.seed..plan.seed + n {
        let plan = if n == 1 { plan } else { mqtt_p2p_sim::Plan::of(seed) };
        match mqtt_p2p_sim::run(&plan, n == 1) {
            Ok(t) => tally += t,
            Err(v) => println!("{plan}\n   {v}"),
        }
    }
    let s = start.elapsed().as_secs_f64();
    println!("{tally}\n{:.0} msg/s, {:.0} steps/s", tally.messages() as f64 / s, tally.steps as f64 / s);
}
