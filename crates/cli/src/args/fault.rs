//! The faults of the emulator by name: `--fault lose-pubacks=2`.

use std::time::Duration;

use mqtt_p2p_emulator::Faults;
use mqtt_p2p_tokio::ReasonCode;

use super::seconds;

/// A fault that is switched on.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Fault {
    Switch(fn(&mut Faults)),
    Number(fn(&mut Faults, u32), u32),
    Time(fn(&mut Faults, Duration), Duration),
    Code(ReasonCode),
}

impl Fault {
    pub(crate) fn switch_on(self, faults: &mut Faults) {
        match self {
            Self::Switch(set) => set(faults),
            Self::Number(set, number) => set(faults, number),
            Self::Time(set, time) => set(faults, time),
            Self::Code(code) => faults.refuse_log_ins = Some(code),
        }
    }
}

/// Reads `NAME` or `NAME=VALUE`.
pub(super) fn parse(text: &str) -> Result<Fault, String> {
    let (name, value) = match text.split_once('=') {
        Some((name, value)) => (name, Some(value)),
        None => (text, None),
    };
    let switch = |set| match value {
        None => Ok(Fault::Switch(set)),
        Some(_) => Err(format!("{name} takes no value")),
    };
    let number = |set| match value.unwrap_or("1").parse() {
        Ok(number) => Ok(Fault::Number(set, number)),
        Err(_) => Err(format!("{name} takes a whole number: how many of the next ones")),
    };
    let time = |set| match value.map(seconds) {
        Some(Ok(time)) => Ok(Fault::Time(set, time)),
        _ => Err(format!("{name} takes seconds, more than 0 and at most 86400")),
    };
    match name {
        "refuse-log-ins" => value
            .and_then(|code| code.parse().ok())
            .and_then(ReasonCode::from_connack)
            .filter(|code| code.is_error())
            .map(Fault::Code)
            .ok_or_else(|| format!("{name} takes a return code of CONNACK, from 1 to 5")),
        "silent-connack" => switch(|faults| faults.silent_connack = true),
        "half-open" => switch(|faults| faults.half_open = true),
        "close-after-connack" => time(|faults, time| faults.close_after_connack = Some(time)),
        "take-over-after" => time(|faults, time| faults.take_over_after = Some(time)),
        "delay" => time(|faults, time| faults.delay = time),
        "lose-publishes" => number(|faults, number| faults.lose_publishes = number),
        "lose-pubacks" => number(|faults, number| faults.lose_pubacks = number),
        "lose-pubrecs" => number(|faults, number| faults.lose_pubrecs = number),
        "lose-pubrels" => number(|faults, number| faults.lose_pubrels = number),
        "lose-pubcomps" => number(|faults, number| faults.lose_pubcomps = number),
        "lose-subacks" => number(|faults, number| faults.lose_subacks = number),
        "lose-unsubacks" => number(|faults, number| faults.lose_unsubacks = number),
        "lose-pingresps" => number(|faults, number| faults.lose_pingresps = number),
        "duplicate-publishes" => number(|faults, number| faults.duplicate_publishes = number),
        _ => Err("there is no such fault: mqtt-p2p emulator --help lists them".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::super::help;
    use super::*;

    #[test]
    fn every_fault_that_the_help_lists_changes_one_thing() {
        let list = help::EMULATOR.lines().filter_map(|line| line.strip_prefix("  --fault "));
        let mut changed = Vec::new();
        for line in list {
            let (name, value) = line.split_once(' ').unwrap().0.split_once('=').unwrap_or((line, ""));
            let text = match value {
                "" => line.split_once(' ').unwrap().0.to_owned(),
                "CODE" => format!("{name}=3"),
                "SECONDS" => format!("{name}=0.5"),
                _ => format!("{name}=7"),
            };
            let mut faults = Faults::default();
            parse(&text).unwrap_or_else(|error| panic!("{text}: {error}")).switch_on(&mut faults);
            assert!(faults != Faults::default() && !changed.contains(&faults), "{text}");
            changed.push(faults);
        }
        // All that there are, but for the client that they hit.
        assert_eq!(changed.len(), format!("{:?}", Faults::default()).matches(": ").count() - 1);
    }

    #[test]
    fn a_fault_with_a_wrong_value_says_what_it_takes() {
        for text in [
            "",
            "no-such-fault",
            "half-open=1",
            "lose-pubacks=x",
            "delay",
            "delay=0",
            "refuse-log-ins",
            "refuse-log-ins=0",
            "refuse-log-ins=6",
        ] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
