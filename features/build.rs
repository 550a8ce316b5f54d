//! Nothing to build.

fn main() {}
