//! What Linux says of a process: the CPU time it has used and the memory it holds.

use std::time::Duration;

use anyhow::Context as _;

/// The kernel counts CPU time in these (`getconf CLK_TCK` on every Linux of today).
const TICK: Duration = Duration::from_millis(10);

/// Returns the user and system time that `pids` have used so far.
pub(crate) fn cpu_time(pids: &[u32]) -> anyhow::Result<Duration> {
    let mut total = Duration::ZERO;
    for pid in pids {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat"))
            .with_context(|| format!("no process {pid}"))?;
        // The second field, the program's name, may hold spaces; it ends at the last parenthesis.
        let fields: Vec<&str> = stat
            .rsplit_once(')')
            .map(|(_, rest)| rest.split_whitespace().collect())
            .unwrap_or_default();
        let ticks: u32 = [11, 12]
            .iter()
            .filter_map(|&field| fields.get(field)?.parse::<u32>().ok())
            .sum();
        total += TICK * ticks;
    }
    Ok(total)
}

/// Returns the largest resident memory that this process ever held, in KiB.
pub(crate) fn peak_memory_kib() -> anyhow::Result<u64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    status
        .lines()
        .find_map(|line| {
            line.strip_prefix("VmHWM:")?
                .trim()
                .strip_suffix(" kB")?
                .trim()
                .parse()
                .ok()
        })
        .context("/proc/self/status has no VmHWM")
}
