//! What a process costs, as the kernel counts it: time on a processor of each of its threads, and memory.

use std::collections::BTreeMap;
use std::fs;
use std::io;

/// Sums since the process began.
#[derive(Debug, Clone, Default)]
pub(crate) struct Cost {
    /// Seconds on a processor, user and system together, by the threads' names.
    by_thread_s: BTreeMap<String, f64>,
    /// Resident memory, bytes: now, and most so far.
    pub(crate) resident_bytes: u64,
    pub(crate) resident_bytes_max: u64,
}

impl Cost {
    pub(crate) fn of(process: u32) -> io::Result<Self> {
        let mut cost = Self::default();
        for task in fs::read_dir(format!("/proc/{process}/task"))? {
            let folder = task?.path();
            // A thread may end meanwhile.
            let (Ok(name), Ok(times)) =
                (fs::read_to_string(folder.join("comm")), fs::read_to_string(folder.join("schedstat")))
            else {
                continue;
            };
            let on_ns: f64 = times.split_whitespace().next().and_then(|word| word.parse().ok()).unwrap_or_default();
            *cost.by_thread_s.entry(name.trim().to_owned()).or_default() += on_ns * 1e-9;
        }
        let status = fs::read_to_string(format!("/proc/{process}/status"))?;
        let field = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name));
            let kib: u64 = line.and_then(|rest| rest.split_whitespace().next()?.parse().ok()).unwrap_or_default();
            kib << 10
        };
        (cost.resident_bytes, cost.resident_bytes_max) = (field("VmRSS:"), field("VmHWM:"));
        Ok(cost)
    }

    /// Seconds of all threads together since `before`.
    pub(crate) fn processor_s(&self, before: &Self) -> f64 {
        self.by_thread_s.iter().map(|(name, on_s)| on_s - before.thread(name)).sum()
    }

    /// Seconds of the threads with this name since `before`.
    pub(crate) fn thread_s(&self, before: &Self, name: &str) -> f64 {
        self.thread(name) - before.thread(name)
    }

    fn thread(&self, name: &str) -> f64 {
        self.by_thread_s.get(name).copied().unwrap_or_default()
    }
}
