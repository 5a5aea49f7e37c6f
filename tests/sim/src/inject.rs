//! Makes things go wrong.

use crate::agenda::Event;
use crate::faults::Fault;
use crate::violation::Check;
use crate::world::{World, trace};

impl World {
    pub(crate) fn next_fault(&mut self) -> Check {
        if self.settling || self.faults_left == 0 {
            return Ok(());
        }
        if self.tally.publications >= self.fault_from
            && let Some(fault) = self.plan.faults.any(&mut self.chance)
        {
            self.fault_from = self.tally.publications + self.chance.u64(..=2 * self.weather.fault_after);
            self.faults_left -= 1;
            self.tally.faults += 1;
            let p = self.chance.usize(..self.parties.len());
            trace!(self, "-- {fault:?} {p}");
            self.inject(fault, p)?;
        }
        let later = self.chance.u64(1..=2 * self.weather.fault_every);
        self.agenda.after(later, Event::Fault);
        Ok(())
    }

    fn inject(&mut self, fault: Fault, p: usize) -> Check {
        let link = self.parties[p].link.filter(|link| self.links.all[*link].open);
        match (fault, link) {
            (Fault::Reset, Some(link)) => self.reset(link),
            (Fault::Stall, Some(link)) => {
                let until = self.agenda.now + self.chance.u64(1..120_000);
                let it = &mut self.links.all[link];
                it.conn.disturbed = true;
                if self.chance.bool() {
                    it.up.stalled_until = until;
                }
                if self.chance.bool() {
                    it.down.stalled_until = until;
                }
            }
            // Without keep alive nobody would ever find out.
            (Fault::BlackHole, Some(link)) if self.parties[p].config.keep_alive_secs > 0 => {
                let it = &mut self.links.all[link];
                it.conn.disturbed = true;
                it.up.swallow();
                it.down.swallow();
            }
            (Fault::HalfClose, Some(link)) => {
                let it = &mut self.links.all[link];
                it.down.cut(&mut self.chance);
                self.move_soon(link);
            }
            (Fault::ServerCrash, _) => self.crash_server(false),
            (Fault::ServerLoses, _) => self.crash_server(true),
            (Fault::ServerDown, _) => {
                self.server_down = true;
                self.crash_server(false);
                let later = self.chance.u64(1..30_000);
                self.agenda.after(later, Event::ServerUp);
            }
            (Fault::ForgetOne, _) => self.forget_one(p),
            (Fault::ClientCrash, _) => {
                let config = &self.parties[p].config;
                // Who loses its own side of a session must not go on with the server's.
                if config.keep_session || (config.clean_session && self.emulator.is_none()) {
                    return self.crash(p);
                }
            }
            (Fault::ClientRestart, _) => {
                if let Some(link) = link {
                    self.links.all[link].down.broken = true;
                    self.client_loses(link)?;
                }
                return self.restart(p);
            }
            (Fault::ClockAhead, _) => {
                let most = [1_000, 60_000, 86_400_000][self.chance.usize(..3)];
                let jump = self.chance.i64(1..most);
                return self.jump(p, jump);
            }
            (Fault::ClockBack, _) => {
                let jump = self.chance.i64(1..5_000);
                return self.jump(p, -jump);
            }
            (Fault::Refuse, _) => self.refusal = Some([1, 2, 3, 3, 3, 4, 5][self.chance.usize(..7)]),
            (Fault::Garbage, _) => self.garbage(p),
            (Fault::Repeat, _) => self.repeat(p),
            (Fault::Stray, _) => self.stray(p),
            (Fault::Leave, _) => {
                self.leave(p)?;
                if self.chance.bool() {
                    self.abandon(p)?;
                }
                let later = self.chance.u64(..10_000);
                self.agenda.after(later, Event::Again(p as u32));
            }
            (Fault::Pause, _) => {
                if let Some(link) = link {
                    self.links.all[link].conn.disturbed = true;
                }
                self.pause(p)?;
                let later = self.chance.u64(1..120_000);
                self.agenda.after(later, Event::Resume(p as u32));
            }
            (Fault::Abandon, None) => return self.abandon(p),
            (Fault::Dial, _) => self.parties[p].bad_dial = true,
            (Fault::Withhold, _) => self.sessions[p].withholds = true,
            (Fault::Takeover, _) => self.sessions[p].kicks = self.chance.u8(1..5),
            _ => {}
        }
        Ok(())
    }

    /// All connections break. The emulator never loses its sessions.
    fn crash_server(&mut self, loses: bool) {
        for link in 0..self.links.all.len() {
            if self.links.all[link].server_holds {
                self.links.all[link].up.cut(&mut self.chance);
                self.links.all[link].down.cut(&mut self.chance);
                self.server_loses_now(link);
            }
        }
        if loses {
            for p in 0..self.sessions.len() {
                self.forget_one(p);
            }
        }
    }

    /// The server's end is gone at once; the client learns of it.
    fn server_loses_now(&mut self, link: usize) {
        self.server_loses(link);
        self.move_soon(link);
    }

    fn forget_one(&mut self, p: usize) {
        if self.emulator.is_some() {
            return;
        }
        if let Some(link) = self.sessions[p].link {
            self.server_closes(link);
        }
        self.sessions[p].forget();
    }

    /// A client's clock jumps.
    fn jump(&mut self, p: usize, millis: i64) -> Check {
        let party = &mut self.parties[p];
        if millis < 0 && party.clock_skew + millis < 0 {
            return Ok(());
        }
        party.clock_skew += millis;
        if let Some(link) = party.link {
            self.links.all[link].conn.disturbed = true;
        }
        self.run(p)
    }
}
