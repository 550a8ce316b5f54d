//! An instance from its start to its end, with the conformance guest.

use std::sync::{Arc, Barrier, OnceLock};
use std::thread;
use std::time::{Duration, Instant};

use crate::common::host::{Hosted, fail};
use crate::common::{PLAIN, conformance, expect, expect_dead, quiet};
use undergo::host::{Lift, Piece, ToValue};
use undergo::interface::{EnumType, RecordType, ResourceType, Scalar, VariantType};
use undergo::{CallOptions, Dir, Error, ErrorKind, Handle, InstanceOptions, Output, Result, Time, Value};

fn hosted(options: InstanceOptions) -> Hosted {
    Hosted::new(conformance(), options).expect("an instance")
}

fn int(value: i64) -> Value {
    Value::Int(value)
}

#[test]
fn it_is_initialized_once_and_each_instance_is_a_world() {
    let (a, b) = (hosted(quiet()), hosted(quiet()));
    for n in 1..=3 {
        assert_eq!(a.call("counter", &[]).expect("a call"), int(n));
    }
    assert_eq!(b.call("counter", &[]).expect("a call"), int(1));
    assert_eq!((a.call("started", &[]).expect("a call"), b.call("started", &[]).expect("a call")), (int(1), int(1)));
}

#[test]
fn host_functions_call_back_last_in_first_out() {
    let calls = || {
        let hosted = hosted(quiet());
        assert_eq!(hosted.call("reenter", &[int(30)]).expect("a call"), int(30));
        assert_eq!(hosted.call("counter", &[]).expect("a call"), int(1));
    };
    // Host functions have what their thread has, and without optimisation each takes 50 KiB of it.
    let thread = thread::Builder::new().stack_size(8 << 20).spawn(calls);
    thread.expect("a thread").join().expect("no panic");
}

#[test]
fn a_host_function_cannot_hide_the_end_of_its_instance() {
    let plugin = conformance();
    let slot = Arc::new(OnceLock::<std::sync::Weak<undergo::Instance>>::new());
    let inner = slot.clone();
    let mut options = quiet();
    for (module, function) in plugin.imports() {
        options.imports.func(module, function.name.clone(), |_| Err(fail("not of this test")));
    }
    options.imports.func("host", "reenter", move |_| {
        let instance = inner.get().and_then(std::sync::Weak::upgrade).ok_or_else(|| fail("no instance"))?;
        let nested = instance.call("panic", &["inner".into()], &PLAIN).expect_err("a panic");
        expect(&nested, ErrorKind::Panic, &["inner"]);
        // As if nothing had happened.
        Ok(int(1))
    });
    let instance = Arc::new(plugin.instantiate(options).expect("an instance"));
    slot.set(Arc::downgrade(&instance)).expect("the first time");
    expect(&instance.call("reenter", &[int(1)], &PLAIN).expect_err("the instance has ended"), ErrorKind::Panic, &["inner"]);
    expect_dead(&instance, ErrorKind::Panic);
}

#[test]
fn the_first_cause_is_kept() {
    let hosted = hosted(quiet());
    let panic = hosted.call("panic", &["oh dear".into()]).expect_err("a panic");
    expect(&panic, ErrorKind::Panic, &["oh dear"]);
    assert!(panic.stderr().contains("panic: oh dear"), "{}", panic.stderr());
    let frames = panic.frames();
    let places: Vec<_> = frames.iter().map(|frame| (frame.function.as_str(), frame.file.rsplit('/').next().unwrap_or_default())).collect();
    assert!(places.contains(&("main.Panic", "lifecycle.go")), "{places:?}");
    assert!(frames.iter().all(|frame| frame.line > 0), "{frames:?}");
    for _ in 0..2 {
        let dead = hosted.call("exit", &[int(3)]).expect_err("a dead instance");
        expect(&dead, ErrorKind::DeadInstance, &["panic", "oh dear"]);
        assert_eq!(dead.frames(), frames);
    }
    expect_dead(&hosted.instance, ErrorKind::Panic);
}

#[test]
fn exits_have_their_codes() {
    for code in [0, 1, 3, 125, 255] {
        let hosted = hosted(quiet());
        let exit = hosted.call("exit", &[int(code)]).expect_err("an exit");
        expect(&exit, ErrorKind::Exit, &[&code.to_string()]);
        assert_eq!(exit.exit_code().map(i64::from), Some(code));
        expect_dead(&hosted.instance, ErrorKind::Exit);
    }
}

/// Calls the instance in the middle of a conversion.
struct Meddling<'h>(&'h Hosted);

impl Lift for Meddling<'_> {
    type Value = Value;
    fn cost(&self, piece: Piece<'_>) -> u64 {
        ToValue.cost(piece)
    }
    fn bool(&self, value: bool) -> Result<Value> {
        ToValue.bool(value)
    }
    fn s64(&self, _: i64) -> Result<Value> {
        self.0.call("counter", &[])
    }
    fn u64(&self, value: u64) -> Result<Value> {
        ToValue.u64(value)
    }
    fn f32(&self, value: f32) -> Result<Value> {
        ToValue.f32(value)
    }
    fn f64(&self, value: f64) -> Result<Value> {
        ToValue.f64(value)
    }
    fn string(&self, value: &str) -> Result<Value> {
        ToValue.string(value)
    }
    fn json(&self, value: &str) -> Result<Value> {
        ToValue.json(value)
    }
    fn scalars(&self, scalar: Scalar, bytes: &[u8]) -> Result<Value> {
        ToValue.scalars(scalar, bytes)
    }
    fn duration(&self, nanoseconds: i64) -> Result<Value> {
        ToValue.duration(nanoseconds)
    }
    fn time(&self, time: Time) -> Result<Value> {
        ToValue.time(time)
    }
    fn none(&self) -> Result<Value> {
        ToValue.none()
    }
    fn case(&self, cases: &EnumType, case: u32) -> Result<Value> {
        ToValue.case(cases, case)
    }
    fn variant(&self, variant: &VariantType, case: u32, value: Option<Value>) -> Result<Value> {
        ToValue.variant(variant, case, value)
    }
    fn list(&self, len: usize, item: impl FnMut(usize) -> Result<Value>) -> Result<Value> {
        ToValue.list(len, item)
    }
    fn tuple(&self, len: usize, item: impl FnMut(usize) -> Result<Value>) -> Result<Value> {
        ToValue.tuple(len, item)
    }
    fn map(&self, len: usize, entry: impl FnMut(usize) -> Result<(Value, Value)>) -> Result<Value> {
        ToValue.map(len, entry)
    }
    fn record(&self, record: &RecordType, field: impl FnMut(usize) -> Result<Value>) -> Result<Value> {
        ToValue.record(record, field)
    }
    fn handle(&self, resource: &Arc<ResourceType>, handle: Handle) -> Result<Value> {
        ToValue.handle(resource, handle)
    }
}

#[test]
fn a_call_in_the_middle_of_a_conversion_is_busy() {
    let hosted = hosted(quiet());
    let export = conformance().export("counter").expect("the export");
    let mut arguments = hosted.instance.arguments(export).expect("arguments");
    let lifted = arguments.call(&hosted.instance, &PLAIN, |outcome| outcome.lift(&Meddling(&hosted)));
    expect(&lifted.expect_err("busy"), ErrorKind::Busy, &["in the middle of a call of this thread"]);
    assert_eq!(hosted.call("counter", &[]).expect("it lives"), int(2));
}

#[test]
fn threads_take_turns() {
    let hosted = hosted(quiet());
    let (threads, calls) = (4, 200);
    let start = Barrier::new(threads);
    thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                start.wait();
                for _ in 0..calls {
                    assert!(matches!(hosted.call("counter", &[]), Ok(Value::Int(1..=800))));
                }
            });
        }
    });
    assert_eq!(hosted.call("counter", &[]).expect("a call"), int(801));
}

#[test]
fn who_waits_too_long_gives_up_and_harms_nobody() {
    let (entered, turned_away) = (Arc::new(Barrier::new(2)), Arc::new(Barrier::new(2)));
    let mut options = quiet();
    for (module, function) in conformance().imports() {
        options.imports.func(module, function.name.clone(), |_| Err(fail("not of this test")));
    }
    let (inside, over) = (entered.clone(), turned_away.clone());
    options.imports.func("host", "reenter", move |_| {
        inside.wait();
        over.wait();
        Ok(int(7))
    });
    let instance = conformance().instantiate(options).expect("an instance");
    thread::scope(|scope| {
        let holder = scope.spawn(|| instance.call("reenter", &[int(1)], &PLAIN));
        entered.wait();
        let impatient = CallOptions { timeout: Some(Duration::from_millis(1)), ..PLAIN };
        let error = instance.call("nothing", &[], &impatient);
        turned_away.wait();
        expect(&error.expect_err("it is busy"), ErrorKind::Timeout, &["busy with another call", "1ms"]);
        assert!(instance.dead().is_none());
        holder.join().expect("the thread").expect("the call that held it");
    });
    assert_eq!(instance.call("counter", &[], &PLAIN).expect("it lives"), int(1));
}

#[test]
fn deadlines_reach_the_guest_and_end_it() {
    let mut options = quiet();
    options.limits.timeout = Some(Duration::from_secs(3600));
    let hosted = hosted(options);
    let Value::Int(left) = hosted.call("remaining", &[]).expect("a call") else { panic!("not a number") };
    assert!((3_500_000..=3_600_000).contains(&left), "{left}");
    let brief = CallOptions { timeout: Some(Duration::from_secs(60)), ..PLAIN };
    let Value::Int(left) = hosted.instance.call("remaining", &[], &brief).expect("a call") else { panic!("not a number") };
    assert!((1..=60_000).contains(&left), "{left}");
    for (name, args) in [("spin", vec![]), ("sleep", vec![int(600_000)])] {
        let hosted = Hosted::new(conformance(), quiet()).expect("an instance");
        let began = Instant::now();
        let brief = CallOptions { timeout: Some(Duration::from_millis(100)), ..PLAIN };
        expect(&hosted.instance.call(name, &args, &brief).expect_err("too long"), ErrorKind::Timeout, &["100ms"]);
        assert!(began.elapsed() < Duration::from_secs(20), "{name}: {:?}", began.elapsed());
        expect_dead(&hosted.instance, ErrorKind::Timeout);
    }
}

#[test]
fn a_memory_limit_tells_go_and_holds() {
    let mut options = quiet();
    options.limits.memory = Some(64 << 20);
    let limited = hosted(options.clone());
    let wanted = ((64_u64 << 20) / 10 * 9).to_string();
    assert_eq!(limited.call("env", &["GOMEMLIMIT".into()]).expect("a call"), Value::String(wanted));
    expect(&limited.call("alloc", &[int(300)]).expect_err("too much"), ErrorKind::OutOfMemory, &["limit is 67108864 bytes"]);
    expect_dead(&limited.instance, ErrorKind::OutOfMemory);
    options.sandbox.env = vec![("GOMEMLIMIT".into(), "1MiB".into())];
    assert_eq!(hosted(options).call("env", &["GOMEMLIMIT".into()]).expect("a call"), "1MiB".into());
}

#[test]
fn the_sandbox_gives_what_it_is_told_to() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("a.txt"), "in a file").expect("a file");
    let mut options = quiet();
    options.sandbox.args = vec!["-v".into()];
    options.sandbox.env = vec![("MODE".into(), "prod".into())];
    options.sandbox.stdin = b"from the host".to_vec().into();
    options.sandbox.dirs = vec![("/data".into(), Dir { path: folder.path().into(), readonly: true })];
    let hosted = hosted(options.clone());
    let read = |path: &str| hosted.call("read-file", &[path.into()]);
    assert_eq!(hosted.call("args", &[]).expect("a call"), Value::List(vec!["-v".into()]));
    assert_eq!(hosted.call("env", &["MODE".into()]).expect("a call"), "prod".into());
    assert_eq!(hosted.call("env", &["PATH".into()]).expect("a call"), Value::None);
    assert_eq!(read("/data/a.txt").expect("a file"), Value::Bytes(b"in a file".to_vec()));
    for path in ["/data/../etc/passwd", "/etc/passwd", "/data/none"] {
        expect(&read(path).expect_err("no file"), ErrorKind::GuestError, &[path]);
    }
    assert!(hosted.instance.dead().is_none());
    options.sandbox.dirs[0].1.path = folder.path().join("none");
    let denied = Hosted::new(conformance(), options).map(drop).expect_err("no such folder");
    expect(&denied, ErrorKind::Denied, &["/data", "none"]);
}

#[test]
fn output_is_kept_up_to_its_limit() {
    let mut options = quiet();
    options.sandbox.stdout = Output::Capture(5);
    options.sandbox.stderr = Output::Capture(100);
    let hosted = hosted(options);
    let print = |out: &str, err: &str| hosted.call("print", &[out.into(), err.into()]).expect("a call");
    print("abc", "x");
    print("defgh", "y");
    assert_eq!((hosted.instance.take_stdout(), hosted.instance.take_stderr()), (b"abcde".to_vec(), b"xy".to_vec()));
    print("again", "");
    assert_eq!((hosted.instance.take_stdout(), hosted.instance.take_stderr()), (b"again".to_vec(), vec![]));
}

#[test]
fn an_instance_lets_go_of_its_host_functions() {
    let kept = Arc::new(());
    let mut options = quiet();
    for (module, function) in conformance().imports() {
        let kept = kept.clone();
        options.imports.func(module, function.name.clone(), move |_| {
            let _kept = &kept;
            Err(fail("not of this test"))
        });
    }
    let instances: Vec<_> = (0..50).map(|_| conformance().instantiate(options.clone()).expect("an instance")).collect();
    let ended = instances[0].call("crash", &["x".into()], &PLAIN).expect_err("a failure");
    assert_eq!(ended.kind(), ErrorKind::HostError);
    drop((instances, options));
    assert_eq!(Arc::strong_count(&kept), 1);
}

#[test]
fn errors_are_send_and_sync() {
    fn check<T: Send + Sync + 'static>() {}
    check::<Error>();
    check::<undergo::Instance>();
    check::<undergo::Plugin>();
}

#[test]
fn the_frames_of_a_guest_that_did_not_end_itself_have_gos_names() {
    let named = |error: &Error| error.frames().iter().map(|frame| frame.function.clone()).collect::<Vec<_>>();
    let overflow = hosted(quiet()).call("recurse", &[int(5_000_000)]).expect_err("too deep");
    expect(&overflow, ErrorKind::Trap, &["overflowed"]);
    let frames = named(&overflow);
    assert!(frames.len() > 10 && frames[1..].iter().all(|name| name == "main.Recurse"), "{frames:?}");
    let mut options = quiet();
    options.limits.timeout = Some(Duration::from_millis(50));
    let late = hosted(options).call("spin", &[]).expect_err("no end");
    expect(&late, ErrorKind::Timeout, &["50ms"]);
    let frames = named(&late);
    // The compiler may have put it into the glue, which has its name.
    assert!(late.origin().is_some_and(|frame| frame.function.starts_with("main.") && frame.function.ends_with("Spin")), "{frames:?}");
}
