//! The go command's flags: of GOFLAGS, behind `--`, and those that `undergo build` adds itself.

use std::path::Path;

use crate::support::{Run, command, folder, run, undergo};

const MOD: &str = "module example.com/v\n\ngo 1.24\n";
const MAIN: &str = "package main\n\nvar version, other = \"dev\", \"dev\"\n\nvar tag = \"none\"\n\n//undergo:export\nfunc Version() string { return version + \" \" + other + \" \" + tag }\n\nfunc main() {}\n";
const TAGGED: &str = "//go:build tagged\n\npackage main\n\nfunc init() { tag = \"tagged\" }\n\n//undergo:export\nfunc Extra() {}\n";

fn build(dir: &Path, goflags: &str, args: &[&str]) -> Run {
    run(command(dir).env("GOFLAGS", goflags).args([&["build", "-o", "v.wasm"], args].concat()))
}

#[test]
fn flags_of_the_linker_are_joined() {
    let dir = folder(&[("go.mod", MOD), ("main.go", MAIN)]);
    let version = |goflags: &str, args: &[&str]| {
        build(dir.path(), goflags, args).ok();
        undergo(dir.path(), &["call", "v.wasm", "version"]).ok()
    };
    assert_eq!(version("'-ldflags=-X main.version=1 -X main.other=2' -mod=mod", &[]), "\"1 2 none\"\n");
    assert!(!undergo(dir.path(), &["inspect", "v.wasm"]).ok().contains("\n  name "));
    assert_eq!(version("-ldflags=-X=main.version=1", &["--debug"]), "\"1 dev none\"\n");
    assert!(undergo(dir.path(), &["inspect", "v.wasm"]).ok().contains("\n  name "));
    // As for 'go build', those of the command line count in place of others.
    assert_eq!(version("-ldflags=-X=main.version=1", &["--", "-ldflags", "-X 'main.other=two words'"]), "\"dev two words none\"\n");
    assert_eq!(version("", &["--", "-ldflags=all=-X main.version=3"]), "\"3 dev none\"\n");
}

#[test]
fn other_flags_are_passed_on_to_all_of_the_build() {
    let dir =
        folder(&[("go.mod", MOD), ("main.go", MAIN), ("tagged.go", TAGGED), ("other.mod", &format!("{MOD}\ngodebug default=go1.23\n"))]);
    for (goflags, args) in
        [("-tags=tagged", &[][..]), ("", &["--", "-tags", "tagged"]), ("-tags=other", &["--tzdata", "--", "-tags=tagged", "-v"])]
    {
        let built = build(dir.path(), goflags, args).ok();
        // The generator has seen it, too.
        assert!(built.contains("2 exports"), "{built}");
        assert_eq!(undergo(dir.path(), &["call", "v.wasm", "version"]).ok(), "\"dev dev tagged\"\n");
    }
    build(dir.path(), "", &["--", "-gcflags=-d=nonsense"]).fails(1, &["nonsense"]);
    build(dir.path(), "", &["--", "-modfile=other.mod"]).ok();
    build(dir.path(), "", &["--", "-modfile=missing.mod"]).fails(1, &["missing.mod"]);
    build(dir.path(), "", &["--", "-nosuchflag=1"]).fails(1, &["nosuchflag"]);
}

#[test]
fn flags_that_contradict_are_refused() {
    let dir = folder(&[("go.mod", MOD), ("main.go", MAIN)]);
    let cases: [(&str, &[&str], &[&str]); 9] = [
        ("-buildmode=pie", &[], &["GOFLAGS has -buildmode=pie", "-buildmode=c-shared"]),
        ("", &["--", "-buildmode", "archive"], &["the command line has -buildmode=archive"]),
        ("", &["--command", "--", "-buildmode=c-shared"], &["-buildmode=exe"]),
        ("", &["--", "-o", "x.wasm"], &["undergo build -o FILE"]),
        ("-race", &[], &["GOFLAGS has -race", "WebAssembly"]),
        ("", &["--", "-C", ".."], &["folder is an argument of"]),
        ("", &["--", "./other"], &["./other is no flag"]),
        ("", &["--", "-tags"], &["-tags=VALUE"]),
        ("-ldflags=-X main.version=1", &[], &["main.version=1 is no flag", "stands in quotes as a whole"]),
    ];
    for (goflags, args, texts) in cases {
        build(dir.path(), goflags, args).fails(1, texts);
        assert!(!dir.path().join("v.wasm").exists());
    }
}

const ZONES: &str = r#"package main

import "time"

//undergo:export
func Zone(name string) (string, error) {
	zone, err := time.LoadLocation(name)
	if err != nil {
		return "", err
	}
	return time.Unix(0, 0).In(zone).Format(time.Kitchen), nil
}

func main() {}
"#;

#[test]
fn time_zones_come_with_tzdata() {
    let dir = folder(&[("go.mod", MOD), ("main.go", ZONES)]);
    build(dir.path(), "", &[]).fails(0, &["main.go:7: warning: ", "--tzdata"]);
    undergo(dir.path(), &["call", "v.wasm", "zone", "Asia/Tokyo"]).fails(1, &["unknown time zone"]);
    for (goflags, args) in [("", &["--tzdata"][..]), ("-tags=timetzdata", &[])] {
        let built = build(dir.path(), goflags, args);
        assert_eq!(built.stderr, "");
        assert_eq!(undergo(dir.path(), &["call", "v.wasm", "zone", "Asia/Tokyo"]).ok(), "\"9:00AM\"\n");
    }
}
