//! What a run does, all of it: who has the plan can run it again.

use std::fmt;
use std::str::FromStr;

use crate::faults::{Fault, Faults};

/// Which server the clients talk to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ServerKind {
    /// The model that follows the standard.
    Standard,
    /// The emulator, with the quirks of ApsaraMQ.
    Aliyun,
}

/// A run. Everything in it that is left to chance comes from the seed.
///
/// ```
/// use mqtt_p2p_sim::Plan;
///
/// let plan = Plan::of(7);
/// assert_eq!(plan.to_string().parse(), Ok(plan));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Plan {
    /// The source of all chance.
    pub seed: u64,
    /// Whom the clients talk to.
    pub server: ServerKind,
    /// How many clients there are.
    pub clients: u16,
    /// How many publications they make, all together.
    pub messages: u32,
    /// What may go wrong.
    pub faults: Faults,
    /// How often something goes wrong, at most.
    pub most_faults: u32,
}

impl Plan {
    /// The plan that a seed stands for.
    pub fn of(seed: u64) -> Self {
        let mut chance = fastrand::Rng::with_seed(seed ^ 0x5eed);
        let mut faults = Faults::all();
        // Some faults drown others: most plans do without a few.
        for fault in Fault::ALL {
            if chance.u8(..4) == 0 {
                faults.remove(fault);
            }
        }
        if chance.u8(..32) == 0 {
            faults = Faults::none();
        }
        let server = if chance.u8(..8) == 0 { ServerKind::Aliyun } else { ServerKind::Standard };
        // So many that packet identifiers come round; ApsaraMQ would take long to send what it has kept of them.
        let many = chance.u8(..64) == 0 && server == ServerKind::Standard;
        Self {
            seed,
            server,
            clients: if chance.u8(..16) == 0 { chance.u16(16..48) } else { chance.u16(1..10) },
            messages: if many { 200_000 } else { chance.u32(500..6_000) },
            faults,
            most_faults: u32::MAX,
        }
    }
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let server = match self.server {
            ServerKind::Standard => "standard",
            ServerKind::Aliyun => "aliyun",
        };
        write!(
            f,
            "seed={} server={server} clients={} messages={} most={} faults={}",
            self.seed, self.clients, self.messages, self.most_faults, self.faults
        )
    }
}

impl FromStr for Plan {
    type Err = String;

    /// A bare number is the plan of that seed.
    fn from_str(text: &str) -> Result<Self, String> {
        if let Ok(seed) = text.parse() {
            return Ok(Self::of(seed));
        }
        let field = |name: &str| {
            text.split_whitespace()
                .find_map(|word| word.strip_prefix(name)?.strip_prefix('='))
                .ok_or_else(|| format!("{name}= is missing in {text:?}"))
        };
        fn number<T: FromStr>(text: &str) -> Result<T, String> {
            text.parse().map_err(|_| format!("{text:?} is no number"))
        }
        Ok(Self {
            seed: number(field("seed")?)?,
            server: match field("server")? {
                "standard" => ServerKind::Standard,
                "aliyun" => ServerKind::Aliyun,
                other => return Err(format!("{other:?} is no server")),
            },
            clients: number(field("clients")?)?,
            messages: number(field("messages")?)?,
            most_faults: number(field("most")?)?,
            faults: field("faults")?.parse()?,
        })
    }
}
