//! The machine that the figures are of.

use std::fs;
use std::process::Command;

/// One line for each of its properties, as Markdown.
pub(crate) fn markdown() -> String {
    let cpu_info = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpu_info.lines().find_map(|line| line.strip_prefix("model name")).unwrap_or_default();
    let cores = cpu_info.lines().filter(|line| line.starts_with("processor")).count();
    let memory = fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let memory = memory.split_whitespace().nth(1).and_then(|kib| kib.parse::<u64>().ok()).unwrap_or(0);
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    format!(
        "- CPU: {}, {cores} cores\n- Memory: {:.0} GiB\n- Kernel: Linux {}\n- Compiler: {}\n- Load before: {}\n",
        model.trim_start_matches(['\t', ' ', ':']),
        memory as f64 / (1 << 20) as f64,
        kernel.trim(),
        compiler(),
        load.split(' ').take(3).collect::<Vec<_>>().join(" "),
    )
}

/// The compiler, as it names itself.
pub(crate) fn compiler() -> String {
    let output = Command::new("rustc").arg("--version").output();
    output.map_or_else(
        |_| "rustc unknown".into(),
        |output| String::from_utf8_lossy(&output.stdout).trim().into(),
    )
}
