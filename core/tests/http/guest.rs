//! A server in the text format. What it does depends on the path of the request.

use std::path::Path;
use std::sync::OnceLock;

use undergo::Plugin;
use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};
use wit_parser::Resolve;

/// The server, compiled once.
pub(crate) fn server() -> &'static Plugin {
    static PLUGIN: OnceLock<Plugin> = OnceLock::new();
    PLUGIN.get_or_init(|| Plugin::from_bytes("server.wasm", &component(MODULE, "proxy")).unwrap_or_else(|error| panic!("{error}")))
}

/// The same with one path more, `/aX`, whose status is what the function `ask` of the host's
/// interface `test:host/ask` answers to the character X.
pub(crate) fn asking() -> &'static Plugin {
    static PLUGIN: OnceLock<Plugin> = OnceLock::new();
    let load = || Plugin::from_bytes("asking.wasm", &component(&asking_module(), "asking"));
    PLUGIN.get_or_init(|| load().unwrap_or_else(|error| panic!("{error}")))
}

fn asking_module() -> String {
    let with_import = MODULE.replacen("(import", ASK, 1);
    with_import.replacen(";; /trap", ASKING, 1)
}

/// The files have them for the tests of the hosts. With `UNDERGO_UPDATE_GUEST=1` they are written.
#[test]
fn the_files_are_these_guests() {
    for (name, bytes) in [("server", component(MODULE, "proxy")), ("asking", component(&asking_module(), "asking"))] {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../conformance/http/{name}.wasm"));
        if std::env::var_os("UNDERGO_UPDATE_GUEST").is_some() {
            std::fs::write(&path, &bytes).expect("the file");
        }
        let is_same = std::fs::read(&path).is_ok_and(|file| file == bytes);
        assert!(is_same, "conformance/http/{name}.wasm is not that of core/tests/http/guest.rs");
    }
}

/// The interfaces of WASI with the functions that the guest needs.
fn wit() -> String {
    // The component imports no clock.
    let http = undergo::host::HTTP_WIT.replace("use wasi:clocks/monotonic-clock@0.2.12.{duration};", "type duration = u64;");
    http + "world proxy { import types; import outgoing-handler; export incoming-handler; }
world asking { import types; import outgoing-handler; import test:host/ask; export incoming-handler; }
package test:host { interface ask { ask: func(what: u32) -> u32; } }
package wasi:io@0.2.12 {
  interface error { resource error; }
  interface poll { resource pollable { block: func(); } }
  interface streams {
    use error.{error};
    variant stream-error { last-operation-failed(error), closed }
    resource input-stream { blocking-read: func(len: u64) -> result<list<u8>, stream-error>; }
    resource output-stream { blocking-write-and-flush: func(contents: list<u8>) -> result<_, stream-error>; }
  }
}"
}

/// A core module as a component of that world.
fn component(module: &str, world: &str) -> Vec<u8> {
    let mut module = wat::parse_str(module).unwrap_or_else(|error| panic!("{error}"));
    let mut resolve = Resolve::default();
    let package = resolve.push_source("http.wit", &wit()).unwrap_or_else(|error| panic!("{error:#}"));
    let world = resolve.select_world(&[package], Some(world)).expect("the world");
    embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8).expect("a section");
    let encoded = ComponentEncoder::default().module(&module).and_then(|encoder| encoder.validate(true).encode());
    encoded.unwrap_or_else(|error| panic!("{error:#}"))
}

/// What the asking guest has more: an import, before the others, and a path, before the others.
const ASK: &str = r#"(import "test:host/ask" "ask" (func $ask (param i32) (result i32)))
    (import"#;
const ASKING: &str = "(if (i32.eq (local.get $what) (i32.const 0x61)) (then
            (local.set $from (call $ask (i32.load8_u (i32.add (i32.load (i32.const 20)) (i32.const 2)))))
            (call $drop-request (local.get $request))
            (local.set $to (call $serve (local.get $outparam) (local.get $from) (call $fields)))
            (drop (call $say (local.get $to) (i32.const 256) (i32.const 6)))
            (call $end (local.get $to))
            (return)))
        ;; /trap";

/// The second letter of the path says what to do. `$serve` answers with a status, and gives the
/// stream of the body.
const MODULE: &str = r#"(module
    (import "wasi:http/types@0.2.12" "[method]incoming-request.path-with-query" (func $path (param i32 i32)))
    (import "wasi:http/types@0.2.12" "[method]incoming-request.consume" (func $consume (param i32 i32)))
    (import "wasi:http/types@0.2.12" "[method]incoming-body.stream" (func $stream (param i32 i32)))
    (import "wasi:http/types@0.2.12" "[constructor]fields" (func $fields (result i32)))
    (import "wasi:http/types@0.2.12" "[method]fields.append" (func $append (param i32 i32 i32 i32 i32 i32)))
    (import "wasi:http/types@0.2.12" "[constructor]outgoing-response" (func $response (param i32) (result i32)))
    (import "wasi:http/types@0.2.12" "[method]outgoing-response.set-status-code" (func $status (param i32 i32) (result i32)))
    (import "wasi:http/types@0.2.12" "[method]outgoing-response.body" (func $body (param i32 i32)))
    (import "wasi:http/types@0.2.12" "[method]outgoing-body.write" (func $write (param i32 i32)))
    (import "wasi:http/types@0.2.12" "[static]outgoing-body.finish" (func $finish (param i32 i32 i32 i32)))
    (import "wasi:http/types@0.2.12" "[static]response-outparam.set" (func $set (param i32 i32 i32 i32 i64 i32 i32 i32 i32)))
    (import "wasi:http/types@0.2.12" "[constructor]outgoing-request" (func $request (param i32) (result i32)))
    (import "wasi:http/types@0.2.12" "[method]outgoing-request.set-authority" (func $authority (param i32 i32 i32 i32) (result i32)))
    (import "wasi:http/types@0.2.12" "[method]outgoing-request.set-scheme" (func $scheme (param i32 i32 i32 i32 i32) (result i32)))
    (import "wasi:http/types@0.2.12" "[method]future-incoming-response.subscribe" (func $subscribe (param i32) (result i32)))
    (import "wasi:http/types@0.2.12" "[method]future-incoming-response.get" (func $get (param i32 i32)))
    (import "wasi:http/types@0.2.12" "[method]incoming-response.status" (func $code (param i32) (result i32)))
    (import "wasi:http/types@0.2.12" "[method]incoming-response.consume" (func $consume-response (param i32 i32)))
    (import "wasi:http/types@0.2.12" "[resource-drop]incoming-request" (func $drop-request (param i32)))
    (import "wasi:http/types@0.2.12" "[resource-drop]response-outparam" (func $drop-outparam (param i32)))
    (import "wasi:http/types@0.2.12" "[resource-drop]incoming-body" (func $drop-body (param i32)))
    (import "wasi:http/types@0.2.12" "[resource-drop]future-incoming-response" (func $drop-future (param i32)))
    (import "wasi:http/types@0.2.12" "[resource-drop]incoming-response" (func $drop-response (param i32)))
    (import "wasi:http/outgoing-handler@0.2.12" "handle" (func $handle (param i32 i32 i32 i32)))
    (import "wasi:io/streams@0.2.12" "[method]input-stream.blocking-read" (func $read (param i32 i64 i32)))
    (import "wasi:io/streams@0.2.12" "[method]output-stream.blocking-write-and-flush" (func $put (param i32 i32 i32 i32)))
    (import "wasi:io/streams@0.2.12" "[resource-drop]input-stream" (func $drop-in (param i32)))
    (import "wasi:io/streams@0.2.12" "[resource-drop]output-stream" (func $drop-out (param i32)))
    (import "wasi:io/poll@0.2.12" "[method]pollable.block" (func $block (param i32)))
    (import "wasi:io/poll@0.2.12" "[resource-drop]pollable" (func $drop-pollable (param i32)))
    (memory (export "memory") 8)
    (data (i32.const 256) "hello\n")
    (data (i32.const 288) "content-length10")
    (global $body (mut i32) (i32.const 0))
    (global $requests (mut i32) (i32.const 0))
    ;; What is read or named lies at 64 KiB, and is over with the next.
    (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 65536))

    ;; Answers, and gives the stream of the body.
    (func $serve (param $outparam i32) (param $status i32) (param $headers i32) (result i32) (local $response i32)
        (local.set $response (call $response (local.get $headers)))
        (if (call $status (local.get $response) (local.get $status)) (then (unreachable)))
        (call $body (local.get $response) (i32.const 16))
        (global.set $body (i32.load (i32.const 20)))
        (call $set (local.get $outparam) (i32.const 0) (local.get $response) (i32.const 0) (i64.const 0)
            (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0))
        (call $write (global.get $body) (i32.const 16))
        (i32.load (i32.const 20)))
    ;; Writes to a stream; returns whether it failed.
    (func $say (param $to i32) (param $at i32) (param $length i32) (result i32)
        (call $put (local.get $to) (local.get $at) (local.get $length) (i32.const 32))
        (i32.load8_u (i32.const 32)))
    (func $end (param $to i32)
        (call $drop-out (local.get $to))
        (call $finish (global.get $body) (i32.const 0) (i32.const 0) (i32.const 48)))
    ;; The body of a request or a response, as a stream.
    (global $read-body (mut i32) (i32.const 0))
    (func $open (param $body i32) (result i32)
        (global.set $read-body (local.get $body))
        (call $stream (local.get $body) (i32.const 16))
        (i32.load (i32.const 20)))
    (func $copy (param $from i32) (param $to i32)
        (loop $more
            (call $read (local.get $from) (i64.const 4096) (i32.const 16))
            (if (i32.eqz (i32.load8_u (i32.const 16))) (then
                (if (i32.eqz (call $say (local.get $to) (i32.load (i32.const 20)) (i32.load (i32.const 24)))) (then (br $more))))))
        (call $drop-in (local.get $from))
        (call $drop-body (global.get $read-body)))

    ;; Asks another server, and answers as it does; 502 if that fails, with the number of the error.
    (func $proxy (param $outparam i32) (param $scheme i32) (param $at i32) (param $length i32)
        (local $request i32) (local $future i32) (local $pollable i32) (local $to i32) (local $answer i32)
        (local.set $request (call $request (call $fields)))
        (if (call $authority (local.get $request) (i32.const 1) (local.get $at) (local.get $length)) (then (unreachable)))
        (drop (call $scheme (local.get $request) (i32.const 1) (local.get $scheme) (i32.const 0) (i32.const 0)))
        (call $handle (local.get $request) (i32.const 0) (i32.const 0) (i32.const 128))
        (if (i32.load8_u (i32.const 128)) (then
            (i32.store8 (i32.const 600) (i32.add (i32.const 65) (i32.load8_u (i32.const 136))))
            (local.set $to (call $serve (local.get $outparam) (i32.const 502) (call $fields)))
            (drop (call $say (local.get $to) (i32.const 600) (i32.const 1)))
            (call $end (local.get $to))
            (return)))
        (local.set $future (i32.load (i32.const 136)))
        (local.set $pollable (call $subscribe (local.get $future)))
        (call $block (local.get $pollable))
        (call $drop-pollable (local.get $pollable))
        (call $get (local.get $future) (i32.const 128))
        (if (i32.load8_u (i32.const 144))
            (then
                (i32.store8 (i32.const 600) (i32.add (i32.const 65) (i32.load8_u (i32.const 152))))
                (local.set $to (call $serve (local.get $outparam) (i32.const 502) (call $fields)))
                (drop (call $say (local.get $to) (i32.const 600) (i32.const 1))))
            (else
                (local.set $answer (i32.load (i32.const 152)))
                (local.set $to (call $serve (local.get $outparam) (call $code (local.get $answer)) (call $fields)))
                (call $consume-response (local.get $answer) (i32.const 16))
                (call $copy (call $open (i32.load (i32.const 20))) (local.get $to))
                (call $drop-response (local.get $answer))))
        (call $drop-future (local.get $future))
        (call $end (local.get $to)))

    (func (export "wasi:http/incoming-handler@0.2.12#handle") (param $request i32) (param $outparam i32)
        (local $to i32) (local $what i32) (local $headers i32) (local $from i32)
        (global.set $requests (i32.add (global.get $requests) (i32.const 1)))
        (call $path (local.get $request) (i32.const 16))
        (if (i32.gt_u (i32.load (i32.const 24)) (i32.const 1)) (then
            (local.set $what (i32.load8_u (i32.add (i32.load (i32.const 20)) (i32.const 1))))))
        ;; /trap
        (if (i32.eq (local.get $what) (i32.const 0x74)) (then (unreachable)))
        ;; /spin
        (if (i32.eq (local.get $what) (i32.const 0x73)) (then (loop $again (br $again))))
        ;; /never answers, and says so
        (if (i32.eq (local.get $what) (i32.const 0x6e)) (then
            (call $drop-request (local.get $request))
            (call $drop-outparam (local.get $outparam))
            (return)))
        ;; /leak does not even say so
        (if (i32.eq (local.get $what) (i32.const 0x6c)) (then (return)))
        ;; /proxy?authority, and /quiet?authority by HTTPS
        (if (i32.eq (i32.or (local.get $what) (i32.const 1)) (i32.const 0x71)) (then
            (call $drop-request (local.get $request))
            (memory.copy (i32.const 70000) (i32.add (i32.load (i32.const 20)) (i32.const 7)) (i32.load (i32.const 24)))
            (call $proxy (local.get $outparam) (i32.and (local.get $what) (i32.const 1)) (i32.const 70000) (i32.sub (i32.load (i32.const 24)) (i32.const 7)))
            (return)))
        ;; /xecho copies the body
        (if (i32.eq (local.get $what) (i32.const 0x78)) (then
            (call $consume (local.get $request) (i32.const 16))
            (local.set $from (call $open (i32.load (i32.const 20))))
            (local.set $to (call $serve (local.get $outparam) (i32.const 200) (call $fields)))
            (call $copy (local.get $from) (local.get $to))
            (call $drop-request (local.get $request))
            (call $end (local.get $to))
            (return)))
        (call $drop-request (local.get $request))
        (local.set $headers (call $fields))
        ;; /wrong says that the body has 10 bytes
        (if (i32.eq (local.get $what) (i32.const 0x77)) (then
            (call $append (local.get $headers) (i32.const 288) (i32.const 14) (i32.const 302) (i32.const 2) (i32.const 48))))
        ;; /interim has a status that is none
        (if (i32.eq (local.get $what) (i32.const 0x69)) (then
            (local.set $to (call $serve (local.get $outparam) (i32.const 101) (local.get $headers)))
            (call $end (local.get $to))
            (return)))
        (local.set $to (call $serve (local.get $outparam) (i32.const 200) (local.get $headers)))
        ;; /endless
        (if (i32.eq (local.get $what) (i32.const 0x65)) (then
            (loop $again (br_if $again (i32.eqz (call $say (local.get $to) (i32.const 0) (i32.const 4096)))))))
        (drop (call $say (local.get $to) (i32.const 256) (i32.const 6)))
        ;; /half ends in the middle
        (if (i32.eq (local.get $what) (i32.const 0x68)) (then (unreachable)))
        ;; /keep does not end the body
        (if (i32.eq (local.get $what) (i32.const 0x6b)) (then (return)))
        ;; /count
        (if (i32.eq (local.get $what) (i32.const 0x63)) (then
            (i32.store8 (i32.const 600) (i32.add (i32.const 48) (global.get $requests)))
            (drop (call $say (local.get $to) (i32.const 600) (i32.const 1)))))
        (call $end (local.get $to)))
)"#;
