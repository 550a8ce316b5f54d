//! Go programs that use github.com/stealthrocket/net, unchanged: on a thread, and as a task.

use std::env;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::Command;
use std::sync::mpsc::channel;
use std::sync::{Arc, LazyLock, Mutex};
use std::thread;
use std::time::Duration;

use undergo::{CallOptions, Completed, Input, InstanceOptions, Network, Output, Plugin, Result};

/// The program of `guests/network`, built as any Go program is: with the go command on PATH, or
/// that which `UNDERGO_GO` names.
static PROGRAM: LazyLock<Plugin> = LazyLock::new(|| {
    let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join("network.wasm");
    let mut build = Command::new(env::var_os("UNDERGO_GO").unwrap_or_else(|| "go".into()));
    build.args(["build", "-trimpath", "-o"]).arg(&file).arg(".");
    build.current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/guests/network"));
    build.envs([("GOOS", "wasip1"), ("GOARCH", "wasm"), ("GOWORK", "off"), ("GOFLAGS", "-mod=mod")]);
    let built = build.output().expect("the go command starts");
    assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
    Plugin::from_file(file).expect("a program")
});

#[derive(Clone, Copy, Debug)]
enum Way {
    Thread,
    Task,
}

const WAYS: [Way; 2] = [Way::Thread, Way::Task];

fn options(rules: &[&str], args: &[&str]) -> InstanceOptions {
    let mut options = InstanceOptions::default();
    options.sandbox.network = Network::new(rules).expect("rules");
    options.limits.descriptors = Some(4000);
    options.sandbox.args = args.iter().map(|arg| (*arg).to_owned()).collect();
    options.sandbox.stdin = Input::default();
    (options.sandbox.stdout, options.sandbox.stderr) = (Output::Capture(1 << 16), Output::Capture(1 << 16));
    options
}

fn run(way: Way, options: InstanceOptions) -> Result<Completed> {
    let call = CallOptions { timeout: Some(Duration::from_secs(240)), ..CallOptions::default() };
    match way {
        Way::Thread => PROGRAM.run(options, &call),
        Way::Task => {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
            runtime.block_on(PROGRAM.run_async(options, &call))
        }
    }
}

#[track_caller]
fn prints(way: Way, options: InstanceOptions) -> String {
    let done = run(way, options).expect("it ends");
    assert_eq!(done.code, 0, "{way:?}: {}{:?}", String::from_utf8_lossy(&done.stderr), done.denied);
    String::from_utf8(done.stdout).expect("text")
}

#[test]
fn streams_go_through_tcp() {
    for way in WAYS {
        let text = prints(way, options(&["127.0.0.1:*", "listen=127.0.0.1:0"], &["streams", "tcp", "127.0.0.1:0"]));
        assert!(text.starts_with("true 127.0.0.1:"), "{text}");
    }
}

#[cfg(unix)]
#[test]
fn streams_go_through_unix_sockets() {
    let folder = tempfile::tempdir().expect("a folder");
    for (i, way) in WAYS.into_iter().enumerate() {
        let path = folder.path().join(format!("{i}.sock")).to_str().expect("text").to_owned();
        let rules = [format!("connect=unix:{path}"), format!("listen=unix:{path}")];
        let text = prints(way, options(&[&rules[0], &rules[1]], &["streams", "unix", &path]));
        assert!(text.starts_with("true "), "{text}");
    }
}

#[test]
fn datagrams_go_through_udp() {
    for way in WAYS {
        assert_eq!(prints(way, options(&["127.0.0.1:*", "listen=127.0.0.1:0"], &["datagrams", "udp", "127.0.0.1:0"])), "all there\n");
    }
}

#[test]
fn what_is_denied_is_an_error_of_go_and_told_to_the_host() {
    for way in WAYS {
        let done = run(way, options(&["listen=127.0.0.1:0"], &["streams", "tcp", "127.0.0.1:0"])).expect("it ends");
        assert_eq!(done.code, 1);
        let said = String::from_utf8_lossy(&done.stderr).into_owned();
        assert!(said.contains("dial tcp 127.0.0.1:") && said.contains("ermission denied"), "{said}");
        assert!(done.denied.iter().any(|text| text.contains("it takes the rule connect=127.0.0.1:")), "{:?}", done.denied);
    }
}

#[test]
fn a_web_client_gets_what_a_server_has() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a listener");
    let at = listener.local_addr().expect("an address");
    let server = thread::spawn(move || {
        for _ in WAYS {
            let (mut conn, _) = listener.accept().expect("a connection");
            let mut buffer = [0; 4096];
            let count = conn.read(&mut buffer).expect("a request");
            assert!(buffer[..count].starts_with(b"GET /data HTTP/1.1\r\n"));
            let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", 1 << 20);
            conn.write_all(&[head.as_bytes(), &[b'x'; 1 << 20]].concat()).expect("written");
        }
    });
    for way in WAYS {
        assert_eq!(prints(way, options(&[&at.to_string()], &["get", &format!("http://{at}/data")])), format!("200 {}\n", 1 << 20));
    }
    server.join().expect("no panic");
}

/// Room for the sockets of both sides, which are in this process.
#[cfg(unix)]
fn make_room() {
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: the structure is this function's own; the soft limit may go up to the hard one.
    unsafe {
        assert_eq!(libc::getrlimit(libc::RLIMIT_NOFILE, &raw mut limit), 0);
        limit.rlim_cur = limit.rlim_max.min(8192);
        assert_eq!(libc::setrlimit(libc::RLIMIT_NOFILE, &raw const limit), 0);
    }
}

/// All connections are open at once, and all requests sent, before any answer is read.
#[cfg(unix)]
#[test]
fn of_a_thousand_requests_at_once_none_is_lost() {
    const REQUESTS: usize = 1000;
    make_room();
    for way in WAYS {
        let (tell, port) = channel();
        let tell = Mutex::new(tell);
        let mut options = options(&["listen=127.0.0.1:0"], &["serve", "127.0.0.1:0"]);
        options.sandbox.stdout = Output::lines(move |line| {
            let port = String::from_utf8_lossy(line).parse::<u16>().expect("a port");
            tell.lock().expect("no panic").send(port).expect("the test listens");
            Ok(())
        });
        let server = thread::spawn(move || run(way, options));
        let port = port.recv_timeout(Duration::from_secs(120)).expect("the server starts");
        let ask = |path: &str| {
            let mut conn = TcpStream::connect(("127.0.0.1", port)).expect("a connection");
            conn.set_read_timeout(Some(Duration::from_secs(120))).expect("a timeout");
            conn.write_all(format!("GET {path} HTTP/1.1\r\nHost: guest\r\nConnection: close\r\n\r\n").as_bytes()).expect("written");
            conn
        };
        let asked: Vec<_> = (0..REQUESTS).map(|i| (i, ask(&format!("/page/{i}")))).collect();
        for (i, mut conn) in asked {
            let mut answer = String::new();
            conn.read_to_string(&mut answer).unwrap_or_else(|error| panic!("{way:?}, request {i}: {error}"));
            assert!(answer.starts_with("HTTP/1.1 200 OK\r\n") && answer.ends_with(&format!("\r\n\r\nyou asked for /page/{i}")), "{answer}");
        }
        drop(ask("/exit"));
        assert_eq!(server.join().expect("no panic").expect("it ends").code, 7);
    }
}

/// Two guests that talk to each other, both on one thread.
#[test]
fn guests_on_one_thread_serve_each_other() {
    let (tell, port) = channel();
    let tell = Arc::new(Mutex::new(tell));
    let mut serving = options(&["listen=127.0.0.1:0"], &["serve", "127.0.0.1:0"]);
    serving.sandbox.stdout = Output::lines(move |line| {
        tell.lock().expect("no panic").send(String::from_utf8_lossy(line).into_owned()).expect("the test listens");
        Ok(())
    });
    let call = CallOptions { timeout: Some(Duration::from_secs(240)), ..CallOptions::default() };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let asking = async {
            let port = loop {
                match port.try_recv() {
                    Ok(port) => break port,
                    Err(_) => tokio::time::sleep(Duration::from_millis(5)).await,
                }
            };
            for path in ["page", "exit"] {
                let asked = options(&["127.0.0.1:*"], &["get", &format!("http://127.0.0.1:{port}/{path}")]);
                let done = PROGRAM.run_async(asked, &call).await.expect("it ends");
                let expected = if path == "page" { (0, "200 19\n") } else { (1, "") };
                assert_eq!((done.code, String::from_utf8_lossy(&done.stdout).as_ref()), expected);
            }
        };
        let (served, ()) = tokio::join!(PROGRAM.run_async(serving, &call), asking);
        assert_eq!(served.expect("it ends").code, 7);
    });
}
