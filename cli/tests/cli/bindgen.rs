use std::path::Path;
use std::process::Command;
use std::{env, fs};

use crate::support::{bare, fixture, kitchen, living, shapes, undergo};

/// Compares with the golden file; with `UNDERGO_UPDATE_GOLDEN=1` writes it.
#[track_caller]
fn golden(file: &str, plugin: &str, language: &str) {
    let text = undergo(Path::new("."), &["bindgen", plugin, "--lang", language]).ok();
    let path = fixture(file);
    if env::var_os("UNDERGO_UPDATE_GOLDEN").is_some() {
        fs::write(&path, &text).expect("written");
    }
    let wanted = fs::read_to_string(&path).unwrap_or_default();
    assert!(text == wanted, "{} differs; run the tests with UNDERGO_UPDATE_GOLDEN=1 and look at the change", path.display());
}

#[test]
fn the_python_modules_are_as_they_were() {
    golden("kitchen.py", kitchen(), "python");
    golden("bare.py", bare(), "python");
    golden("shapes.py", shapes(), "python");
    golden("living.py", living(), "python");
}

#[test]
fn the_java_files_are_as_they_were() {
    golden("kitchen.java", kitchen(), "java");
    golden("bare.java", bare(), "java");
    golden("shapes.java", shapes(), "java");
    golden("living.java", living(), "java");
}

#[test]
fn a_java_class_is_called_after_its_file() {
    let folder = crate::support::folder(&[]);
    let write = |file: &str, package: &str| {
        let output = format!("{}/{file}", folder.path().display());
        undergo(Path::new("."), &["bindgen", kitchen(), "--lang", "java", "--package", package, "-o", &output])
    };
    write("Kitchen.java", "com.example.app").ok();
    let text = fs::read_to_string(folder.path().join("Kitchen.java")).expect("written");
    assert!(text.starts_with("package com.example.app;\n") && text.contains("\npublic final class Kitchen {\n"));
    write("Kitchen.java", "com.int; class X").fails(1, &["no name of a package"]);
}

#[test]
fn the_kotlin_files_are_as_they_were() {
    golden("kitchen.kt", kitchen(), "kotlin");
    golden("bare.kt", bare(), "kotlin");
    golden("shapes.kt", shapes(), "kotlin");
    golden("living.kt", living(), "kotlin");
}

#[test]
fn the_go_packages_are_as_they_were() {
    golden("kitchen.go.txt", kitchen(), "go");
    golden("bare.go.txt", bare(), "go");
    golden("shapes.go.txt", shapes(), "go");
}

#[test]
fn a_go_package_is_called_after_its_folder() {
    let folder = crate::support::folder(&[("go-package/x.go", "")]);
    let write = |to: &str| {
        let output = format!("{}/{to}", folder.path().display());
        undergo(Path::new("."), &["bindgen", kitchen(), "--lang", "go", "-o", &output]).ok();
    };
    let read = |file: &str| fs::read_to_string(folder.path().join(file)).expect("written");
    write("Kitchen-Client/");
    assert!(read("Kitchen-Client/kitchenclient.go").contains("\npackage kitchenclient\n"));
    write("go-package/x.go");
    assert!(read("go-package/x.go").contains("\npackage gopackage\n"));
}

#[test]
fn the_typescript_modules_are_as_they_were() {
    golden("kitchen.ts", kitchen(), "ts");
    golden("bare.ts", bare(), "ts");
    golden("shapes.ts", shapes(), "ts");
    golden("living.ts", living(), "ts");
}

#[test]
fn the_ruby_modules_are_as_they_were() {
    golden("kitchen.rb", kitchen(), "ruby");
    golden("bare.rb", bare(), "ruby");
    golden("shapes.rb", shapes(), "ruby");
    golden("living.rb", living(), "ruby");
}

#[test]
fn the_rust_modules_are_as_they_were() {
    golden("kitchen.rs", kitchen(), "rust");
    golden("bare.rs", bare(), "rust");
    golden("shapes.rs", shapes(), "rust");
    golden("living.rs", living(), "rust");
}

#[test]
fn the_swift_files_are_as_they_were() {
    golden("kitchen.swift", kitchen(), "swift");
    golden("bare.swift", bare(), "swift");
    golden("shapes.swift", shapes(), "swift");
    golden("living.swift", living(), "swift");
}

#[test]
fn the_python_modules_compile() {
    for file in ["kitchen.py", "bare.py", "shapes.py", "living.py"] {
        let path = fixture(file);
        let check = "import ast, sys; ast.parse(open(sys.argv[1], encoding='utf-8').read(), feature_version=(3, 10))";
        match Command::new("python3").arg("-c").arg(check).arg(&path).output() {
            Ok(output) => assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr)),
            Err(error) => eprintln!("skipped: no python3: {error}"),
        }
    }
}

#[test]
fn the_c_headers_are_as_they_were() {
    golden("kitchen.h", kitchen(), "c");
    golden("bare.h", bare(), "c");
    golden("living.h", living(), "c");
}

#[test]
fn the_c_headers_compile() {
    let include = Path::new(env!("CARGO_MANIFEST_DIR")).join("../bindings-c/include");
    let strict = ["-Wall", "-Wextra", "-Werror", "-pedantic", "-fsyntax-only"];
    for file in ["kitchen.h", "bare.h", "living.h"] {
        for (compiler, language, standard) in
            [("gcc", "c", "-std=c99"), ("clang", "c", "-std=c11"), ("g++", "c++", "-std=c++17"), ("clang++", "c++", "-std=c++17")]
        {
            let dir = tempfile::tempdir().expect("a directory");
            let program = dir.path().join("program");
            let twice = format!("#include \"{0}\"\n#include \"{0}\"\nint main(void) {{ return 0; }}\n", fixture(file).display());
            fs::write(&program, twice).expect("written");
            let command =
                Command::new(compiler).args(["-x", language, standard]).args(strict).arg("-I").arg(&include).arg(&program).output();
            match command {
                Ok(output) => assert!(output.status.success(), "{compiler}: {}", String::from_utf8_lossy(&output.stderr)),
                Err(error) => eprintln!("skipped: no {compiler}: {error}"),
            }
        }
    }
}

#[test]
fn the_cpp_headers_are_as_they_were() {
    golden("kitchen.hpp", kitchen(), "cpp");
    golden("bare.hpp", bare(), "cpp");
}

#[test]
fn the_cpp_headers_compile() {
    let include = Path::new(env!("CARGO_MANIFEST_DIR")).join("../bindings-c/include");
    let strict = ["-Wall", "-Wextra", "-Werror", "-pedantic", "-Wshadow", "-fsyntax-only"];
    let dir = tempfile::tempdir().expect("a directory");
    let program = dir.path().join("program.cpp");
    // A plugin may have the name of a part of undergo.hpp.
    fs::copy(bare(), dir.path().join("plugin.wasm")).expect("copied");
    undergo(dir.path(), &["bindgen", "plugin.wasm", "--lang", "cpp", "-o", "plugin.hpp"]).ok();
    let lines = ["kitchen.hpp", "bare.hpp", "kitchen.hpp"].map(|file| format!("#include \"{}\"\n", fixture(file).display()));
    fs::write(&program, lines.concat() + "#include \"plugin.hpp\"\nint main() { return 0; }\n").expect("written");
    for (compiler, flags) in
        [("g++", ["-std=c++17", "-fno-exceptions"]), ("g++", ["-std=c++20", "-Wconversion"]), ("clang++", ["-std=c++17", "-Wconversion"])]
    {
        match Command::new(compiler).args(flags).args(strict).arg("-I").arg(&include).arg(&program).output() {
            Ok(output) => assert!(output.status.success(), "{compiler} {flags:?}: {}", String::from_utf8_lossy(&output.stderr)),
            Err(error) => eprintln!("skipped: no {compiler}: {error}"),
        }
    }
}

#[test]
fn a_file_is_written_where_asked() {
    let dir = tempfile::tempdir().expect("a directory");
    undergo(dir.path(), &["bindgen", kitchen(), "--lang", "python", "-o", "k.py"]).ok();
    assert_eq!(fs::read_to_string(dir.path().join("k.py")).ok(), fs::read_to_string(fixture("kitchen.py")).ok());
    undergo(dir.path(), &["bindgen", kitchen(), "--lang", "cobol"]).fails(2, &["python"]);
}
