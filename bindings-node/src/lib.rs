//! Go plugins as typed, sandboxed functions of Node.
