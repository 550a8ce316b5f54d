//! Services under standard names: keys and values, configuration, logs.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::{Duration, Instant};

use undergo::{CallOptions, ErrorKind, Imports, Instance, KeyValue, KeyValueOptions, LogLevel, LogLine, Plugin, Value};

use crate::common::{PLAIN, quiet};

fn plugin() -> &'static Plugin {
    static PLUGIN: OnceLock<Plugin> = OnceLock::new();
    PLUGIN.get_or_init(|| {
        let built = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../build/services.wasm");
        let path = std::env::var_os("UNDERGO_SERVICES_WASM").map_or_else(built, PathBuf::from);
        Plugin::from_file(path).expect("the guest of the services is a plugin")
    })
}

/// An instance with all services, of which `change` changes some.
fn start(change: impl FnOnce(&mut Imports)) -> Instance {
    let mut imports = Imports::default();
    imports.keyvalue(&KeyValue::memory(KeyValueOptions::default()));
    imports.config([("a", "1"), ("ü", "")]);
    imports.logging(|_| {});
    change(&mut imports);
    plugin().instantiate(quiet().imports(imports)).expect("an instance")
}

fn call(instance: &Instance, name: &str, args: &[Value]) -> undergo::Result<Value> {
    instance.call(name, args, &PLAIN)
}

fn text(text: &str) -> Value {
    Value::from(text)
}

#[test]
fn stores_are_shared_and_bounded() {
    let stores = KeyValue::memory(KeyValueOptions { stores: vec!["a".to_owned()], entries: 1000, bytes: 1 << 20 });
    let [one, other] = [(); 2].map(|()| start(|imports| imports.keyvalue(&stores)));
    call(&one, "set", &[text("a"), text("k"), text("v")]).expect("set");
    assert_eq!(call(&other, "get", &[text("a"), text("k")]).expect("get"), text("v"));
    assert_eq!(stores.get("a", "k").expect("get").as_deref(), Some(&b"v"[..]));
    assert_eq!(call(&other, "failure", &[text("default")]).expect("a case"), text("no-such-store"));
    assert_eq!(call(&one, "fill", &[text("a"), Value::Int(900)]).expect("filled"), Value::Int(900));
    let full = call(&one, "fill", &[text("a"), Value::Int(1001)]).expect_err("full");
    assert!(full.kind() == ErrorKind::GuestError && full.message().contains("as many entries as they may"), "{full}");
    let long = call(&one, "large", &[text("a"), Value::Int(1 << 30), Value::Int(0)]).expect_err("a long key");
    assert!(long.message().contains("has 1073741824 bytes, and may have 4096"), "{long}");
    assert_eq!(call(&one, "swap", &[text("a"), text("s"), text("3"), text("2")]).expect("swapped"), text("2"));
}

#[test]
fn a_slow_redis_ends_with_the_call() {
    let server = TcpListener::bind("127.0.0.1:0").expect("a listener");
    let url = format!("redis://{}", server.local_addr().expect("an address"));
    let slow = KeyValue::redis(&url, KeyValueOptions::default()).expect("an address");
    let instance = start(|imports| imports.keyvalue(&slow));
    let options = CallOptions { timeout: Some(Duration::from_millis(200)), ..PLAIN };
    let began = Instant::now();
    let ended = instance.call("get", &[text("default"), text("k")], &options).expect_err("nothing answers");
    assert_eq!(ended.kind(), ErrorKind::Timeout, "{ended}");
    assert!(began.elapsed() < Duration::from_secs(4));
    assert!(KeyValue::redis("rediss://x", KeyValueOptions::default()).is_err());
}

#[test]
fn a_configuration_is_read() {
    let instance = start(|_| {});
    assert_eq!(call(&instance, "config", &[text("a")]).expect("a value"), text("1"));
    assert_eq!(call(&instance, "config", &[text("x")]).expect("none"), Value::None);
    let Value::Map(all) = call(&instance, "configs", &[]).expect("all") else { panic!("no map") };
    assert_eq!(all.len(), 2);
}

#[test]
fn lines_are_plain() {
    let lines: Arc<Mutex<Vec<LogLine>>> = Arc::default();
    let kept = lines.clone();
    let instance = start(move |imports| imports.logging(move |line| kept.lock().expect("lines").push(line.clone())));
    for level in 0..6 {
        call(&instance, "log", &[Value::Int(level), text("a\nb"), text("\x1b[31m\r\nINFO forged\u{202e}")]).expect("logged");
    }
    call(&instance, "log", &[Value::Int(2), text(""), text(&"x".repeat(1_000_000))]).expect("logged");
    let lines = lines.lock().expect("lines");
    assert_eq!(lines.iter().take(6).map(|line| line.level).collect::<Vec<_>>(), LogLevel::ALL);
    assert_eq!((lines[0].context.as_str(), lines[0].message.as_str()), ("a\\nb", "\\u{1b}[31m\\r\\nINFO forged\\u{202e}"));
    assert!(lines[6].message.len() < 70_000);
}

#[test]
fn a_program_may_have_its_own_version_of_a_function() {
    let instance = start(|imports| {
        imports.function("wasi:config/store@0.2.0-draft", "get", |key: String| Err::<Option<String>, _>(format!("no {key}")));
    });
    // The error has two cases with a text, neither of which is meant.
    let error = call(&instance, "config", &[text("a")]).expect_err("no value");
    assert!(error.message().contains("no a (the guest takes no other error than"), "{error}");
}
