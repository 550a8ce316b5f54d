//! Go plugins as typed, sandboxed functions of C and C++.
