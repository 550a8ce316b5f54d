//! Measures calls from a program in Rust: by the module that bindgen wrote, and beside them native
//! Go through a shared library, and Wasmtime's own typed functions, whose calls are written by
//! hand.

mod plugin;

use std::error::Error;
use std::ffi::{CString, c_char, c_int, c_void};
use std::hint::black_box;
use std::time::{Duration, Instant};

use undergo::{Compile, InstanceOptions, Output, Plugin, PluginOptions, Sandbox};
use wasmtime::{Engine, Linker, Memory, Module, Store, TypedFunc};
use wasmtime_wasi::WasiCtxBuilder;
use wasmtime_wasi::p1::WasiP1Ctx;

const TEXT: &str = "hello world";

type Done<T = ()> = Result<T, Box<dyn Error + Send + Sync>>;

struct Host;

impl plugin::Host for Host {
    fn upper(&self, s: String) -> String {
        s
    }

    fn pause(&self, n: i32) -> i32 {
        n
    }
}

fn main() -> Done {
    let mut args = std::env::args().skip(1);
    let (Some(wasm), Some(native)) = (args.next(), args.next()) else { return Err("usage: bench plugin.wasm native.so".into()) };
    let compiled = Plugin::from_file_with(&wasm, &PluginOptions::default().compile(Compile::Best))?;
    let options = InstanceOptions::default().imports(plugin::imports(Host)).sandbox(Sandbox::default().stderr(Output::Discard));
    let ours = plugin::Plugin::new(compiled.instantiate(options)?)?;
    let native = Native::open(&native)?;
    let mut hand = ByHand::new(&wasm)?;

    println!("| Rust | against | Undergo | the other | ratio | bound |");
    println!("| --- | --- | --- | --- | --- | --- |");
    let add = || assert_eq!(ours.add(black_box(1), black_box(2)).expect("a sum"), 3);
    let echo = || assert_eq!(ours.echo_string(black_box(TEXT)).expect("a text"), TEXT);
    let mut held = row("`add(int32, int32)`", "native Go, c-shared", Some(1.5), add, || assert_eq!(native.add(black_box(1), black_box(2)), 3));
    row("`add(int32, int32)`", "Wasmtime's `TypedFunc`", None, add, || assert_eq!(hand.add(black_box(1), black_box(2)), 3));
    held &= row("`&str` → `String`, 11 bytes", "native Go, c-shared", Some(1.0), echo, || assert_eq!(native.echo(black_box(TEXT)), TEXT));
    row("`&str` → `String`, 11 bytes", "Wasmtime's `TypedFunc`, by hand", None, echo, || assert_eq!(hand.echo(black_box(TEXT)), TEXT));
    std::process::exit(if held { 0 } else { 3 });
}

/// Measures both in turns, and prints the medians. Returns whether the bound holds.
fn row(what: &str, against: &str, bound: Option<f64>, mut ours: impl FnMut(), mut theirs: impl FnMut()) -> bool {
    const COUNT: u32 = 100_000;
    let measure = |call: &mut dyn FnMut(&mut [Duration; 2])| {
        let mut times: Vec<[Duration; 2]> = (0..15)
            .map(|_| {
                let mut both = [Duration::ZERO; 2];
                call(&mut both);
                both
            })
            .collect();
        let mut median = |i: usize| {
            times.sort_by_key(|both| both[i]);
            times[7][i].as_nanos() as f64 / f64::from(COUNT)
        };
        (median(0), median(1))
    };
    let (a, b) = measure(&mut |both| {
        let begun = Instant::now();
        (0..COUNT).for_each(|_| ours());
        both[0] = begun.elapsed();
        let begun = Instant::now();
        (0..COUNT).for_each(|_| theirs());
        both[1] = begun.elapsed();
    });
    let shown = bound.map_or(String::new(), |bound| format!("≤ {bound:.1} ×"));
    println!("| {what} | {against} | {a:.0} ns | {b:.0} ns | {:.2} × | {shown} |", a / b);
    bound.is_none_or(|bound| a / b <= bound)
}

unsafe extern "C" {
    fn dlopen(file: *const c_char, flags: c_int) -> *mut c_void;
    fn dlsym(library: *mut c_void, name: *const c_char) -> *mut c_void;
    fn free(pointer: *mut c_void);
}

/// The same functions in Go, compiled to a shared library.
struct Native {
    add: unsafe extern "C" fn(i32, i32) -> i32,
    echo: unsafe extern "C" fn(*const c_char) -> *mut c_char,
}

impl Native {
    fn open(file: &str) -> Done<Native> {
        const NOW: c_int = 2;
        let (file, add, echo) = (CString::new(file)?, c"Add", c"EchoString");
        // SAFETY: bench/rust.py has compiled the library from bench/native, whose functions have
        // these types.
        unsafe {
            let library = dlopen(file.as_ptr(), NOW);
            let (add, echo) = (dlsym(library, add.as_ptr()), dlsym(library, echo.as_ptr()));
            if add.is_null() || echo.is_null() {
                return Err("the native library has no Add or no EchoString".into());
            }
            Ok(Native { add: std::mem::transmute::<*mut c_void, unsafe extern "C" fn(i32, i32) -> i32>(add), echo: std::mem::transmute::<*mut c_void, unsafe extern "C" fn(*const c_char) -> *mut c_char>(echo) })
        }
    }

    fn add(&self, a: i32, b: i32) -> i32 {
        // SAFETY: as in `open`.
        unsafe { (self.add)(a, b) }
    }

    fn echo(&self, text: &str) -> String {
        let text = CString::new(text).expect("no zero");
        // SAFETY: it gives a string of its own, from malloc, that ends with a zero.
        unsafe {
            let given = (self.echo)(text.as_ptr());
            let same = std::ffi::CStr::from_ptr(given).to_string_lossy().into_owned();
            free(given.cast());
            same
        }
    }
}

/// The plugin under Wasmtime alone.
struct ByHand {
    store: Store<WasiP1Ctx>,
    memory: Memory,
    add: TypedFunc<(i32, i32), i32>,
    echo: TypedFunc<(u32, u32), u32>,
    room: TypedFunc<(u32, u32, u32, u32), u32>,
}

impl ByHand {
    fn new(wasm: &str) -> Done<ByHand> {
        let engine = Engine::default();
        let module = Module::from_file(&engine, wasm)?;
        let mut linker: Linker<WasiP1Ctx> = Linker::new(&engine);
        wasmtime_wasi::p1::add_to_linker_sync(&mut linker, |wasi| wasi)?;
        linker.define_unknown_imports_as_traps(&module)?;
        let mut store = Store::new(&engine, WasiCtxBuilder::new().build_p1());
        let instance = linker.instantiate(&mut store, &module)?;
        instance.get_typed_func::<(), ()>(&mut store, "_initialize")?.call(&mut store, ())?;
        let memory = instance.get_memory(&mut store, "memory").ok_or("no memory")?;
        let add = instance.get_typed_func(&mut store, "add")?;
        let echo = instance.get_typed_func(&mut store, "echo-string")?;
        let room = instance.get_typed_func(&mut store, "cabi_realloc")?;
        Ok(ByHand { store, memory, add, echo, room })
    }

    fn add(&mut self, a: i32, b: i32) -> i32 {
        self.add.call(&mut self.store, (a, b)).expect("a sum")
    }

    /// What the canonical ABI asks for: a block for the text, and a place where the result is.
    fn echo(&mut self, text: &str) -> String {
        let len = text.len() as u32;
        let at = self.room.call(&mut self.store, (0, 0, 1, len)).expect("room");
        self.memory.write(&mut self.store, at as usize, text.as_bytes()).expect("within the memory");
        let result = self.echo.call(&mut self.store, (at, len)).expect("a text") as usize;
        let data = self.memory.data(&self.store);
        let word = |at: usize| u32::from_le_bytes(data[at..at + 4].try_into().expect("four bytes")) as usize;
        let (begin, len) = (word(result), word(result + 4));
        std::str::from_utf8(&data[begin..begin + len]).expect("text").to_owned()
    }
}
