//! Makes a failing plan small: fewer faults, clients and messages, as long as the same promise breaks.

use crate::faults::Faults;
use crate::plan::Plan;
use crate::violation::Violation;
use crate::world::run;

/// A smaller plan is another world, so several seeds are tried for each.
const SEEDS: u64 = 24;

/// The smallest plan found under which the same promise breaks.
pub fn shrink(plan: Plan, violation: &Violation) -> (Plan, Violation) {
    let mut best = (plan, violation.clone());
    let try_out = |smaller: Plan, best: &mut (Plan, Violation)| {
        for turn in 0..SEEDS {
            let plan = Plan { seed: best.0.seed.wrapping_add(turn * 1_000_003), ..smaller };
            if let Err(found) = run(&plan, false)
                && found.promise == best.1.promise
            {
                *best = (plan, found);
                return true;
            }
        }
        false
    };
    loop {
        let before = best.0;
        for clients in [1, 2, before.clients / 2] {
            if clients > 0 && clients < best.0.clients && try_out(Plan { clients, ..best.0 }, &mut best) {
                break;
            }
        }
        for messages in [10, 30, 100, 300, 1_000, before.messages / 2] {
            if messages > 0 && messages < best.0.messages && try_out(Plan { messages, ..best.0 }, &mut best) {
                break;
            }
        }
        if best.0.faults != Faults::none() && !try_out(Plan { faults: Faults::none(), ..best.0 }, &mut best) {
            for fault in best.0.faults.iter() {
                let mut faults = best.0.faults;
                faults.remove(fault);
                try_out(Plan { faults, ..best.0 }, &mut best);
            }
        }
        for most_faults in [0, 1, 2, 4, 8, 16, 32, before.most_faults / 2] {
            if most_faults < best.0.most_faults && try_out(Plan { most_faults, ..best.0 }, &mut best) {
                break;
            }
        }
        if best.0 == before {
            return best;
        }
    }
}
