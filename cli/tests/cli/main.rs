//! The `undergo` command, run as users run it, with the real Go toolchain and without a network.

mod bindgen;
mod build;
mod call;
mod compile;
mod component;
mod exec;
mod flags;
mod go_guest;
mod hostile;
mod inspect;
mod new;
mod optimize;
mod overlay;
mod run;
mod serve;
mod streams;
mod support;
mod tree;
mod types;
mod wit;
mod world;
