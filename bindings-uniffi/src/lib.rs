//! Go plugins as typed, sandboxed functions of Kotlin, Swift and Ruby.
