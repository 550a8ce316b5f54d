//! What loading a module may cost, and what ends it.

mod bombs;
#[path = "../common/mod.rs"]
mod common;

use std::path::PathBuf;
use std::thread;
use std::time::{Duration, Instant};

use common::expect;
use undergo::{CancelToken, CodeCache, Compile, CompileOptions, Error, ErrorKind, ModuleInfo, Plugin, PluginOptions};

/// On a machine that has much else to do.
const GENEROUS: Duration = Duration::from_secs(120);

fn options(compile: Compile) -> PluginOptions {
    PluginOptions { compile, cache: CodeCache::Off, ..PluginOptions::default() }
}

fn load(bytes: &[u8], options: &PluginOptions) -> Result<Plugin, Error> {
    Plugin::from_bytes_with("bomb.wasm", bytes, options)
}

#[track_caller]
fn refused(bytes: &[u8], parts: &[&str]) {
    for compile in [Compile::Fast, Compile::Best] {
        expect(&load(bytes, &options(compile)).expect_err("too much"), ErrorKind::InvalidPlugin, parts);
    }
}

#[test]
fn no_small_module_takes_long() {
    for (kind, make) in bombs::KINDS {
        let mut worst = (Duration::ZERO, 0, Compile::Fast);
        // As large as one may be that is not refused, as far as that can be told, and larger.
        for size in [30, 200, 2000] {
            let bytes = make(size);
            for compile in [Compile::Fast, Compile::Best] {
                let began = Instant::now();
                let made = load(&bytes, &options(compile));
                let took = began.elapsed();
                if took > worst.0 {
                    worst = (took, size, compile);
                }
                assert!(took < GENEROUS, "{kind}, {size}: {took:?}");
                if let Err(error) = made {
                    // Not all of these are valid at each size; no kind is wrong throughout.
                    assert_eq!(error.kind(), ErrorKind::InvalidPlugin, "{kind}, {size}: {error}");
                    assert!(!error.message().contains("panicked"), "{kind}, {size}: {error}");
                    assert!(size > 30 || !error.message().contains("can't be compiled"), "{kind}, {size}: {error}");
                }
            }
        }
        println!("{kind}: {worst:?}");
    }
}

#[test]
fn what_asks_for_too_much_is_told_what_and_what_to_do() {
    for (kind, make) in bombs::KINDS {
        let bytes = make(2000);
        let error = load(&bytes, &options(Compile::Tiered)).err();
        // Those in a straight line are what they look like: long, and no worse.
        if bytes.len() < 100_000 {
            let error = error.unwrap_or_else(|| panic!("{kind} is accepted"));
            expect(&error, ErrorKind::InvalidPlugin, &["are accepted", "bounds = "]);
        }
    }
    refused(&bombs::many(10_000, 0, 1), &["10000 imports, and 2000 are accepted"]);
    refused(&bombs::many(0, 100_000, 1), &["100001 exports"]);
    refused(&bombs::many(0, 5000, 1000), &["signatures of imports and exports"]);
    refused(&bombs::types(100_000, 3), &["types"]);
    refused(&bombs::types(1000, 1000), &["values in types"]);
    refused(&bombs::passive(40 << 20), &["passive segments"]);
}

#[test]
fn bounds_can_be_raised() {
    let bytes = bombs::many(3000, 0, 1);
    let wider = PluginOptions { bounds: 2, ..options(Compile::Best) };
    let imports = |plugin: Plugin| plugin.imports().count();
    assert_eq!(load(&bytes, &wider).map(imports).expect("within twice the bounds"), 3000);
    // What is known under wider bounds is not known under the usual ones, in the cache neither.
    let folder = tempfile::tempdir().expect("a folder");
    let kept = |bounds| PluginOptions { bounds, cache: CodeCache::Folder(folder.path().to_owned()), ..options(Compile::Best) };
    let (_, make) = bombs::KINDS.iter().find(|(kind, _)| *kind == "ifs one behind the other").expect("the kind");
    let mut bytes = make(300);
    // Code of small modules is not kept.
    bytes.extend([0, 0xF2, 0xA2, 4, 1, b'n']);
    bytes.extend([0; 70_000]);
    assert!(load(&bytes, &kept(1)).is_err());
    assert!(load(&bytes, &kept(4)).is_ok());
    assert!(load(&bytes, &kept(4)).expect("it is there").was_cached());
    assert!(load(&bytes, &kept(1)).is_err());
    expect(&Plugin::compile(&bytes, false).expect_err("too much"), ErrorKind::InvalidPlugin, &["bounds = "]);
    assert!(Plugin::compile_with(&bytes, CompileOptions { bounds: 4, ..CompileOptions::default() }).is_ok());
}

#[test]
fn modules_of_go_are_far_within() {
    let bytes = std::fs::read(common::conformance_path().unwrap_or_else(|text| panic!("{text}"))).expect("the guest");
    assert!(load(&bytes, &options(Compile::Fast)).is_ok());
}

#[test]
fn what_a_module_says_is_read_in_one_pass() {
    let began = Instant::now();
    let info = ModuleInfo::parse(&bombs::many(200_000, 0, 1)).expect("a module");
    assert_eq!(info.imports.len(), 200_000);
    let info = ModuleInfo::parse(&bombs::many(0, 200_000, 1)).expect("a module");
    assert_eq!(info.exports.len(), 200_001);
    assert!(began.elapsed() < GENEROUS, "{:?}", began.elapsed());
    // Names in errors are few and short.
    let plugin = load(&bombs::many(0, 15_000, 1), &options(Compile::Best)).expect("within the bounds");
    let error = plugin.export(&"x".repeat(100_000)).expect_err("there is none");
    assert_eq!(error.kind(), ErrorKind::UnknownExport);
    assert!(began.elapsed() < GENEROUS, "{:?}", began.elapsed());
}

/// Each is compared with those before it.
#[test]
fn many_interfaces_in_one_module_are_refused_at_once() {
    const COUNT: usize = 200_000;
    let headers: Vec<u8> = (0..COUNT).flat_map(|i| common::header(&format!("package a:b{i};"))).collect();
    let text = r#"(module (memory (export "memory") 1000) (func (export "_initialize")) (data (i32.const 0) "HEADERS"))"#;
    let bytes = common::assemble(&text.replace("HEADERS", &common::escape(&headers)));
    let began = Instant::now();
    refused(&bytes, &["different interfaces; link one plugin only"]);
    assert!(began.elapsed() < GENEROUS, "{:?}", began.elapsed());
}

#[test]
fn loading_ends_with_its_timeout() {
    let bytes = bombs::slow();
    let began = Instant::now();
    let short = PluginOptions { timeout: Some(Duration::from_millis(1)), ..options(Compile::Best) };
    expect(&load(&bytes, &short).expect_err("too slow"), ErrorKind::Timeout, &["timeout of loading"]);
    let waited = began.elapsed();
    // What was given up is the same code for who comes next.
    assert!(load(&bytes, &options(Compile::Best)).is_ok());
    assert!(waited < began.elapsed());
    let long = PluginOptions { timeout: Some(GENEROUS), ..options(Compile::Best) };
    assert!(load(&bytes, &long).is_ok());
    expect(
        &load(&bytes, &PluginOptions { timeout: Some(Duration::ZERO), ..options(Compile::Fast) }).expect_err("no time"),
        ErrorKind::Timeout,
        &[],
    );
}

#[test]
fn loading_ends_with_its_token() {
    let token = CancelToken::new();
    let cancelled = PluginOptions { cancel: Some(token.clone()), ..options(Compile::Best) };
    let bytes = bombs::slow();
    let began = Instant::now();
    thread::scope(|scope| {
        let loading = scope.spawn(|| load(&bytes, &cancelled));
        thread::sleep(Duration::from_millis(20));
        token.cancel();
        expect(&loading.join().expect("a thread").expect_err("cancelled"), ErrorKind::Cancelled, &["loading was cancelled"]);
    });
    expect(&load(&bytes, &cancelled).expect_err("cancelled before"), ErrorKind::Cancelled, &["loading was cancelled"]);
    assert!(began.elapsed() < GENEROUS);
}

#[test]
fn what_was_given_up_does_not_pile_up() {
    // Each is another module; those that nobody waits for any more when their turn comes are never
    // begun.
    let began = Instant::now();
    for n in 0..40_u32 {
        let mut bytes = bombs::slow();
        bytes.extend([0, 6, 1, b'n']);
        bytes.extend(n.to_le_bytes());
        let short = PluginOptions { timeout: Some(Duration::from_millis(2)), ..options(Compile::Best) };
        expect(&load(&bytes, &short).expect_err("too slow"), ErrorKind::Timeout, &[]);
    }
    assert!(load(&bombs::many(0, 1, 1), &options(Compile::Best)).is_ok());
    assert!(began.elapsed() < GENEROUS, "{:?}", began.elapsed());
}

#[cfg(unix)]
#[test]
fn a_compiler_that_is_none() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().expect("a folder");
    let program = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).expect("a file");
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).expect("its mode");
        path
    };
    let with =
        |compiler: PathBuf| PluginOptions { compiler: Some(compiler), timeout: Some(Duration::from_secs(20)), ..options(Compile::Best) };
    let bytes = bombs::slow();
    let error = |compiler: PathBuf| load(&bytes, &with(compiler)).expect_err("no compiler");
    expect(&error(folder.path().join("missing")), ErrorKind::InvalidPlugin, &["missing", "can't be started"]);
    expect(&error(program("false", "#!/bin/sh\necho no such thing >&2\nexit 3\n")), ErrorKind::InvalidPlugin, &["code 3", "no such thing"]);
    expect(&error(program("true", "#!/bin/sh\nexit 0\n")), ErrorKind::InvalidPlugin, &["gave no code"]);
    expect(&error(program("cat", "#!/bin/sh\nexec cat\n")), ErrorKind::InvalidPlugin, &["gave no code"]);
    expect(&error(program("killed", "#!/bin/sh\nkill -9 $$\n")), ErrorKind::InvalidPlugin, &["was killed"]);
    expect(&error(program("cpu", "#!/bin/sh\nkill -XCPU $$\n")), ErrorKind::InvalidPlugin, &["processor time"]);
    expect(&error(program("memory", "#!/bin/sh\nkill -ABRT $$\n")), ErrorKind::InvalidPlugin, &["memory"]);
    // One that never ends is ended along with the loading.
    let marker = folder.path().join("alive");
    let text = format!("#!/bin/sh\nwhile true; do : >{}; sleep 0.05; done\n", marker.display());
    let endless = PluginOptions { timeout: Some(Duration::from_millis(300)), ..with(program("endless", &text)) };
    let began = Instant::now();
    expect(&load(&bytes, &endless).expect_err("it never ends"), ErrorKind::Timeout, &[]);
    assert!(began.elapsed() < GENEROUS);
    // The next compilation comes behind it, so it has ended by then.
    assert!(load(&bombs::many(0, 2, 1), &options(Compile::Best)).is_ok());
    let _ = std::fs::remove_file(&marker);
    thread::sleep(Duration::from_secs(1));
    assert!(!marker.exists(), "the program goes on");
}
