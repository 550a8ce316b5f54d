//! WASI preview 1, as Go, TinyGo and wasi-libc depend on it: each function, the numbers of what
//! goes wrong, and what the functions do. Each case is run on the caller's stack and on a fiber,
//! whose functions are linked apart.
#![cfg(unix)]
#![allow(unreachable_pub, reason = "these are modules of one crate")]

#[path = "../common/mod.rs"]
mod common;
mod deadlines;
mod directories;
mod effects;
mod errnos;
mod guest;
mod kept;
mod root;
#[cfg(target_os = "linux")]
mod systems;
