//! What the contenders talk to: the sink, or mosquitto, in a process and on a CPU of its own.

use std::io::{self, BufRead, BufReader};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use std::{env, fs, thread};

use nix::sched::{CpuSet, sched_getaffinity, sched_setaffinity};
use nix::unistd::Pid;

use super::job::Carrier;

/// A process that ends with this.
pub(crate) struct Server {
    child: Child,
    pub(crate) port: u16,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Where certificates lie, made once.
pub(crate) struct Certificates {
    pub(crate) authority: String,
    certificate: String,
    key: String,
}

impl Certificates {
    pub(crate) fn make(directory: &Path) -> Result<Self, Box<dyn std::error::Error>> {
        let made = rcgen::generate_simple_self_signed(["127.0.0.1".into()])?;
        let path = |name: &str| directory.join(name).display().to_string();
        let (certificate, key) = (path("certificate.pem"), path("key.pem"));
        fs::write(&certificate, made.cert.pem())?;
        fs::write(&key, made.signing_key.serialize_pem())?;
        Ok(Self { authority: certificate.clone(), certificate, key })
    }
}

pub(crate) fn sink(
    cpu: usize,
    carrier: Carrier,
    flood: u32,
    certificates: &Certificates,
) -> io::Result<Server> {
    let mut command = Command::new(env::current_exe()?);
    command.args(["sink", "--carrier", carrier.name(), "--flood", &flood.to_string()]);
    command.args(["--certificate", &certificates.certificate, &certificates.key]);
    let mut child = spawn(cpu, command.stdout(Stdio::piped()))?;
    let mut line = String::new();
    BufReader::new(child.stdout.take().ok_or(io::ErrorKind::BrokenPipe)?).read_line(&mut line)?;
    let port = line.trim().parse().map_err(|_| io::Error::other("the sink did not start"))?;
    Ok(Server { child, port })
}

/// `None` if it is not installed.
pub(crate) fn mosquitto(cpu: usize, directory: &Path) -> io::Result<Option<Server>> {
    let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
    let configuration = directory.join("mosquitto.conf");
    fs::write(
        &configuration,
        format!(
            "listener {port} 127.0.0.1\nallow_anonymous true\nset_tcp_nodelay true\npersistence false\n\
             max_inflight_messages 0\nmax_queued_messages 0\nlog_dest none\nuser root\n"
        ),
    )?;
    let path = if Path::new("/usr/sbin/mosquitto").exists() { "/usr/sbin/mosquitto" } else { "mosquitto" };
    let mut command = Command::new(path);
    command.arg("-c").arg(&configuration).stdout(Stdio::null()).stderr(Stdio::null());
    let child = match spawn(cpu, &mut command) {
        Ok(child) => child,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let server = Server { child, port };
    for _ in 0..100 {
        if TcpStream::connect(("127.0.0.1", port)).is_ok() {
            return Ok(Some(server));
        }
        thread::sleep(Duration::from_millis(50));
    }
    Err(io::Error::other("mosquitto did not start"))
}

/// Starts a process that runs on this CPU alone: it inherits that from its parent.
pub(crate) fn spawn(cpu: usize, command: &mut Command) -> io::Result<Child> {
    let own = Pid::from_raw(0);
    let before = sched_getaffinity(own)?;
    let mut one = CpuSet::new();
    one.set(cpu)?;
    sched_setaffinity(own, &one)?;
    let child = command.spawn();
    sched_setaffinity(own, &before)?;
    child
}

/// The CPUs that this process may use: for who is measured, and for its server, which is the same one if there is but one.
pub(crate) fn cpus() -> io::Result<(usize, usize)> {
    let allowed = sched_getaffinity(Pid::from_raw(0))?;
    let mut cpus = (0..CpuSet::count()).filter(|cpu| allowed.is_set(*cpu).unwrap_or(false));
    // The first one tends to serve interrupts.
    let server = cpus.next().ok_or(io::ErrorKind::Unsupported)?;
    Ok((cpus.next().unwrap_or(server), server))
}
