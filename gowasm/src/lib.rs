//! Makes the WebAssembly that Go's compiler writes smaller and faster, for any engine.
//!
//! Go's back end (`cmd/internal/obj/wasm`) makes every function resumable, because goroutines are
//! switched by unwinding the WebAssembly stack and entering the frames again. It does so with one
//! loop around the function and a `br_table` at its head: a jump stores the number of a basic block
//! in a local, branches to the head, and dispatches. An engine sees one large loop in which every
//! block may follow every other one, and can optimise little across it.
//!
//! [`optimize`] finds the jumps, builds the control-flow graph, and writes it again as nested
//! blocks and loops. Straight-line code is copied, but for small functions that are written where
//! they are called, and a few of Go's assembly that are written anew. A function that does not have
//! exactly the shape that the back end gives it is copied whole, so that what is not understood is
//! not changed. Program counters keep their values, and with them tracebacks and `runtime.Callers`.
//!
//! # Trust
//!
//! The input may be anything: nothing in this crate panics, recurses, or takes time or memory that
//! is not linear in the size of the module. The output is as little trusted as the input: whoever
//! runs it validates it, as every engine does.
//!
//! # Levels
//!
//! A file imports from those above it in this list alone:
//!
//! | file | what it has |
//! | --- | --- |
//! | `leb`, `operator` | the encoding of numbers; what an instruction does to the stack |
//! | `assemble` | code from text |
//! | `graph` | dominators and loops of any graph |
//! | `reduce` | loops that have several ways in |
//! | `pclntab` | the names that Go's runtime has of its functions |
//! | `names` | which functions are those of Go's runtime |
//! | `shape` | the instructions of a function, how it begins, and how it calls |
//! | `address` | a local improvement: addresses relative to the stack pointer |
//! | `bulk` | another one: copies of a few bytes |
//! | `known` | functions of Go's assembly that are written anew |
//! | `leaf` | functions that are written where they are called |
//! | `body` | a function as segments of straight-line code |
//! | `resume` | the graph of a function with the ways back into it after a switch |
//! | `stack_pointer` | stores of the stack pointer that nobody reads |
//! | `emit` | the graph as structured code |
//! | `module` | reading a module, and writing it |

mod address;
mod assemble;
mod body;
mod bulk;
mod emit;
mod graph;
mod known;
mod leaf;
mod leb;
mod module;
mod names;
mod operator;
mod pclntab;
mod reduce;
mod resume;
mod shape;
mod stack_pointer;

pub use module::{Optimized, Unchanged, VERSION, optimize, optimize_while};
pub use pclntab::GoNames;
