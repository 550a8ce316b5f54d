//! Measurements, as arrays in the order of the gem's Structs.

use magnus::{RArray, RString, Ruby};

pub(crate) type Usage = (f64, u64, Option<u64>);

pub(crate) fn usage(usage: &undergo::Usage) -> Usage {
    (usage.time.as_secs_f64(), usage.memory, usage.fuel)
}

pub(crate) type Completed = (i32, RString, RString, bool, Usage, RArray);

pub(crate) fn completed(ruby: &Ruby, completed: undergo::Completed) -> Completed {
    // All fields, by the compiler's word.
    let undergo::Completed { code, stdout, stderr, truncated, usage, denied } = completed;
    let denied = ruby.ary_from_iter(denied.iter().map(|text| ruby.str_new(text)));
    (code, ruby.str_from_slice(&stdout), ruby.str_from_slice(&stderr), truncated, self::usage(&usage), denied)
}

pub(crate) type PoolStats = (usize, usize, usize, u64, u64, u64, u64, u64);

pub(crate) fn pool_stats(stats: &undergo::PoolStats) -> PoolStats {
    // All fields, by the compiler's word.
    let undergo::PoolStats { busy, idle, waiting, calls, made, died, retired, shrunk } = *stats;
    (busy, idle, waiting, calls, made, died, retired, shrunk)
}

pub(crate) type ServerStats = (usize, u64, u64, u64, PoolStats);

pub(crate) fn server_stats(stats: &undergo::ServerStats) -> ServerStats {
    // All fields, by the compiler's word.
    let undergo::ServerStats { connections, requests, refused, failed, pool } = stats;
    (*connections, *requests, *refused, *failed, pool_stats(pool))
}
