//! What is compiled is what 'go build' compiles: with the language, the go.work and the vendor
//! folder of the tree.

use std::fs;
use std::path::Path;

use crate::support::{Run, command, folder, names, run, undergo};

const SDK: &str = "github.com/undergo-dev/undergo/go-guest-sdk";

const LOOPS: &str = r#"package main

type Named struct{ Name string; Times []int }

//undergo:export
func Loops(named Named) map[string][]int {
	var all []func() int
	for i := 0; i < 3; i++ {
		all = append(all, func() int { return i })
	}
	for _, f := range all {
		named.Times = append(named.Times, f())
	}
	return map[string][]int{named.Name: named.Times}
}

func main() {}
"#;

/// A result, without its spaces.
fn call(dir: &Path, function: &str, args: &[&str]) -> String {
    undergo(dir, &[&["call", "out.wasm", function], args].concat()).ok().split_whitespace().collect()
}

/// Without the flags of the other tests: those of the tree are meant.
fn build(dir: &Path, args: &[&str]) -> Run {
    run(command(dir).env("GOFLAGS", "").args([&["build", "-o", "out.wasm"], args].concat()))
}

#[test]
fn an_older_language_stays_that_of_the_plugin() {
    let cases = [("go 1.21\n", "[3,3,3]"), ("go 1.22\n", "[0,1,2]"), ("go 1.17\n", "[3,3,3]"), ("", "[3,3,3]")];
    for (line, times) in cases {
        let dir = folder(&[("go.mod", &format!("module example.com/old\n\n{line}")), ("main.go", LOOPS)]);
        build(dir.path(), &[]).ok();
        let said = call(dir.path(), "loops", &[r#"{"name":"a","times":[]}"#]);
        assert_eq!(said, format!("{{\"a\":{times}}}"), "{line}");
        assert_eq!(names(dir.path()), ["go.mod", "main.go", "out.wasm"]);
    }
    // A file may choose for itself, and what its language does not have is refused as ever.
    let new = LOOPS.replace("package main", "//go:build go1.22\n\npackage main");
    let dir = folder(&[("go.mod", "module example.com/old\n\ngo 1.21\n"), ("main.go", &new)]);
    build(dir.path(), &[]).ok();
    let said = call(dir.path(), "loops", &[r#"{"name":"a","times":[]}"#]);
    assert_eq!(said, "{\"a\":[0,1,2]}");
    fs::write(dir.path().join("main.go"), LOOPS.replace("for i := 0; i < 3; i++", "for i := range 3")).expect("written");
    build(dir.path(), &[]).fails(1, &["requires go1.22"]);
}

/// A value of any type takes another package of the SDK.
#[test]
fn an_older_language_has_all_of_the_glue() {
    let main = "package main\n\n//undergo:export\nfunc Echo(v interface{}) interface{} { return v }\n\nfunc len(string) {}\n\n//undergo:export\nfunc Both(a, b []string) []string { return append(a, b...) }\n\nfunc main() {}\n";
    let dir = folder(&[("go.mod", "module example.com/old\n\ngo 1.16\n"), ("main.go", main)]);
    build(dir.path(), &[]).ok();
    assert_eq!(call(dir.path(), "echo", &[r#"{"a":[1]}"#]), "{\"a\":[1]}");
    assert_eq!(call(dir.path(), "both", &[r#"["a"]"#, r#"["b"]"#]), "[\"a\",\"b\"]");
}

const MOD: &str = "module example.com/plug\n\ngo 1.24\n\nrequire example.org/dep v1.0.0\n";
const MAIN: &str =
    "package main\n\nimport \"example.org/dep\"\n\n//undergo:export\nfunc Twice(n int) int { return dep.Twice(n) }\n\nfunc main() {}\n";
const DEP: &str = "package dep\n\nfunc Twice(n int) int { return 2 * n }\n";
const MODULES: &str = "# example.org/dep v1.0.0\n## explicit; go 1.24\nexample.org/dep\n";

/// Of the dependency there is only what the tree has: no version of it was ever released.
#[test]
fn a_vendor_folder_is_what_is_built() {
    let dir = folder(&[("go.mod", MOD), ("main.go", MAIN), ("vendor/modules.txt", MODULES), ("vendor/example.org/dep/dep.go", DEP)]);
    build(dir.path(), &[]).ok();
    assert_eq!(call(dir.path(), "twice", &["21"]), "42");
    assert_eq!(names(dir.path()), ["go.mod", "main.go", "out.wasm", "vendor"]);
    build(dir.path(), &["--", "-mod=mod"]).fails(1, &["example.org/dep"]);
    // A program, and a plugin without glue.
    let program = "package main\n\nimport \"example.org/dep\"\n\nfunc main() { println(dep.Twice(4)) }\n";
    fs::write(dir.path().join("main.go"), program).expect("written");
    build(dir.path(), &["--command"]).ok();
    undergo(dir.path(), &["run", "out.wasm"]).fails(0, &["8\n"]);
    fs::write(
        dir.path().join("main.go"),
        MAIN.replace("//undergo:export", "//go:wasmexport twice")
            .replace("int", "int64")
            .replace("dep.Twice(n)", "int64(dep.Twice(int(n)))"),
    )
    .expect("written");
    build(dir.path(), &[]).ok();
    assert_eq!(call(dir.path(), "twice", &["5"]), "10");
}

#[test]
fn a_workspace_is_what_is_built() {
    let dir = folder(&[
        ("go.work", "go 1.24\n\nuse (\n\t./plug\n\t./dep\n)\n"),
        ("plug/go.mod", MOD),
        ("plug/main.go", MAIN),
        ("dep/go.mod", "module example.org/dep\n\ngo 1.21\n"),
        ("dep/dep.go", DEP),
    ]);
    build(dir.path(), &["plug"]).ok();
    assert_eq!(call(dir.path(), "twice", &["21"]), "42");
    assert_eq!(names(&dir.path().join("plug")), ["go.mod", "main.go"]);
    build(dir.path(), &["plug", "--", "-mod=mod"]).fails(1, &["-mod may only be set to readonly or vendor"]);
    run(command(dir.path()).env("GOWORK", "off").args(["build", "plug"])).fails(1, &["example.org/dep"]);
    // An SDK that nobody provides can't be added to it.
    let main = MAIN.replace("import", &format!("import undergo \"{SDK}\"\nimport")).replace("return", "undergo.Yield(); return");
    fs::write(dir.path().join("plug/main.go"), main).expect("written");
    build(dir.path(), &["plug"]).fails(1, &["go.work", "go get"]);
}

#[test]
fn an_sdk_that_is_imported_and_not_required_is_there() {
    let main = LOOPS
        .replace("package main", &format!("package main\n\nimport undergo \"{SDK}\""))
        .replace("return map", "undergo.Yield()\n\treturn map");
    let dir = folder(&[("go.mod", "module example.com/old\n\ngo 1.21\n"), ("main.go", &main)]);
    build(dir.path(), &[]).ok();
    assert_eq!(call(dir.path(), "loops", &[r#"{"name":"a","times":[]}"#]), "{\"a\":[3,3,3]}");
    fs::create_dir(dir.path().join("vendor")).expect("a directory");
    fs::write(dir.path().join("vendor/modules.txt"), "").expect("written");
    build(dir.path(), &[]).fails(1, &["vendor", "go mod vendor"]);
}

#[test]
fn programs_and_bare_plugins_get_no_sdk() {
    let program = "package main\n\nfunc main() {}\n";
    let bare = "package main\n\n//go:wasmexport one\nfunc one() int32 { return 1 }\n\nfunc main() {}\n";
    for (main, args) in [(program, &["build", "--command"][..]), (bare, &["build"])] {
        let dir = folder(&[("go.mod", "module example.com/bare\n\ngo 1.24\n"), ("main.go", main)]);
        run(command(dir.path()).env("UNDERGO_CACHE_DIR", dir.path().join("cache")).args(args)).ok();
        assert!(!dir.path().join("cache").exists());
    }
}

#[test]
fn a_file_of_the_glues_name_is_not_lost() {
    let dir = folder(&[
        ("go.mod", "module example.com/own\n\ngo 1.24\n"),
        ("main.go", LOOPS),
        ("undergo_gen.go", "package main\n\nvar mine = 1\n"),
    ]);
    build(dir.path(), &[]).fails(1, &["undergo_gen.go", "rename it"]);
}

#[test]
fn directives_without_effect_are_told() {
    let dir = folder(&[
        ("go.mod", "module example.com/s\n\ngo 1.24\n"),
        (
            "main.go",
            "package main\n\nimport _ \"example.com/s/mid\"\n\n//undergo:export\nfunc A() int { return 1 }\n\n// undergo:export\nfunc B() int { return 2 }\n\nfunc main() {}\n",
        ),
        ("main_linux.go", "package main\n\n//undergo:export\nfunc L() {}\n"),
        ("c.go", "package main\n\nimport \"C\"\n"),
        ("mid/mid.go", "package mid\n\nimport _ \"example.com/s/api\"\n"),
        ("api/api.go", "package api\n\n//undergo:export\nfunc C() int { return 3 }\n"),
    ]);
    let built = build(dir.path(), &[]);
    built.fails(0, &["main.go:8:1: warning: ", "main_linux.go:3:1: warning: ", "c.go:3:8: warning: ", "api/api.go:3:1: warning: "]);
    assert!(built.stdout.contains("1 export"), "{}", built.stdout);
    // Where there is nothing else, too.
    fs::write(dir.path().join("main.go"), "package main\n\n// undergo:export\nfunc B() int { return 2 }\n\nfunc main() {}\n")
        .expect("written");
    build(dir.path(), &[]).fails(0, &["main.go:3:1: warning: ", "exports no function"]);
    // One that is attached to nothing, to a method, or is misspelled, is an error.
    for (text, what) in [
        ("//undergo:export\n\nfunc B() {}\n", "without a blank line"),
        ("type T int\n\n//undergo:export\nfunc (T) B() {}\n", "method B"),
        ("//undergo:exprot\nfunc B() {}\n", "unknown directive //undergo:exprot"),
    ] {
        fs::write(dir.path().join("main.go"), format!("package main\n\n{text}\nfunc main() {{}}\n")).expect("written");
        build(dir.path(), &[]).fails(1, &["main.go:", what]);
    }
}
