//! Processes as the kernel tells of them.

use std::path::Path;

/// Kernel ticks per second, in which the CPU time of processes is told.
const TICKS_PER_SECOND: f64 = 100.0;

/// The process that was started with this argument.
pub fn with_argument(argument: &Path) -> u32 {
    let wanted = argument.to_str().unwrap().as_bytes();
    let names = std::fs::read_dir("/proc").unwrap().map(|entry| entry.unwrap().file_name());
    let mut processes = names.filter_map(|name| name.to_str()?.parse().ok());
    let is_wanted = |pid: &u32| {
        let line = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        line.split(|byte| *byte == 0).any(|own| own == wanted)
    };
    processes.find(is_wanted).unwrap()
}

/// User and system time of these processes together in microseconds (proc(5), `stat`, fields 14 and 15).
pub fn cpu_us(pids: &[u32]) -> f64 {
    let ticks = |pid: &u32| {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
        let fields: Vec<&str> = stat.rsplit_once(')').unwrap().1.split_whitespace().collect();
        fields[11].parse::<f64>().unwrap() + fields[12].parse::<f64>().unwrap()
    };
    pids.iter().map(ticks).sum::<f64>() * 1_000_000.0 / TICKS_PER_SECOND
}

/// Resident memory in KiB (proc(5), `status`).
pub fn resident_kib(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}
