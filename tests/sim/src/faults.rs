//! What can go wrong.

use std::fmt;
use std::str::FromStr;

macro_rules! faults {
    ($($(#[$doc:meta])* $name:ident = $text:literal,)*) => {
        /// Something that goes wrong once, unless it says otherwise.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Fault {
            $($(#[$doc])* $name,)*
        }

        impl Fault {
            /// All of them.
            pub const ALL: [Self; [$($text),*].len()] = [$(Self::$name),*];

            const fn name(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }
        }
    };
}

faults! {
    /// A link breaks, with what is on its way, or part of it; both ends learn of it, at different times.
    Reset = "reset",
    /// Nothing moves over a link for a while, one way or both.
    Stall = "stall",
    /// Nothing moves over a link any more, and nobody learns of it.
    BlackHole = "black-hole",
    /// The way to the client ends; the other one goes on until the client closes.
    HalfClose = "half-close",
    /// The server crashes and keeps its sessions.
    ServerCrash = "server-crash",
    /// The server crashes and loses its sessions.
    ServerLoses = "server-loses",
    /// The server is down for a while.
    ServerDown = "server-down",
    /// The server forgets one session, and ends its connection.
    ForgetOne = "forget-one",
    /// A client crashes and comes back with what its store has.
    ClientCrash = "client-crash",
    /// A client's program ends in good order and starts again with the session it exported.
    ClientRestart = "client-restart",
    /// A client's clock jumps ahead: the host was suspended.
    ClockAhead = "clock-ahead",
    /// A client's clock goes back, which its contract does not allow; the core promises to take the latest moment seen.
    ClockBack = "clock-back",
    /// The server refuses the next log-in.
    Refuse = "refuse",
    /// The server sends what is no MQTT.
    Garbage = "garbage",
    /// The server sends again what is under way, without need.
    Repeat = "repeat",
    /// The server answers what was never asked.
    Stray = "stray",
    /// A program leaves and comes back.
    Leave = "leave",
    /// A program goes to the background and comes back.
    Pause = "pause",
    /// A program gives up what waits.
    Abandon = "abandon",
    /// The next dial fails, or takes too long.
    Dial = "dial",
    /// The server answers one request much later than all others.
    Withhold = "withhold",
    /// The server closes several connections in a row right after it accepted them, as in a fight for a client id.
    Takeover = "takeover",
}

/// A set of faults.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Faults(u32);

impl Faults {
    /// Every fault.
    pub const fn all() -> Self {
        Self((1 << Fault::ALL.len()) - 1)
    }

    /// A world without faults.
    pub const fn none() -> Self {
        Self(0)
    }

    /// Takes one out.
    pub const fn remove(&mut self, fault: Fault) {
        self.0 &= !(1 << fault as u32);
    }

    /// Whether it is one of them.
    pub const fn has(self, fault: Fault) -> bool {
        self.0 & (1 << fault as u32) != 0
    }

    /// Those in the set.
    pub fn iter(self) -> impl Iterator<Item = Fault> {
        Fault::ALL.into_iter().filter(move |fault| self.has(*fault))
    }

    /// One of them, if there is any.
    pub fn any(self, chance: &mut fastrand::Rng) -> Option<Fault> {
        let count = self.0.count_ones();
        if count == 0 { None } else { self.iter().nth(chance.usize(..count as usize)) }
    }
}

impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if *self == Self::all() {
            return f.write_str("all");
        }
        if *self == Self::none() {
            return f.write_str("none");
        }
        let names: Vec<_> = self.iter().map(Fault::name).collect();
        f.write_str(&names.join("+"))
    }
}

impl FromStr for Faults {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "all" => return Ok(Self::all()),
            "none" => return Ok(Self::none()),
            _ => {}
        }
        let mut faults = Self::none();
        for name in text.split('+') {
            let fault = Fault::ALL.into_iter().find(|fault| fault.name() == name);
            faults.0 |= 1 << fault.ok_or_else(|| format!("{name:?} is no fault"))? as u32;
        }
        Ok(faults)
    }
}
