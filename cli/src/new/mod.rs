//! `undergo new`: creates a plugin, with a program that calls it.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use anyhow::{Context, Result, bail};
use clap::ValueEnum;
use undergo::interface::names;

use crate::bindgen::{c, cpp};

/// Start a plugin, with a program that calls it
#[derive(clap::Args)]
#[command(after_help = HELP)]
pub(crate) struct Args {
    /// The name of the plugin, and of its new folder: my-plugin
    #[arg(value_parser = plugin_name)]
    name: String,
    /// The language of the program that calls it
    #[arg(long, value_enum, default_value = "python")]
    host: Host,
}

#[derive(Clone, Copy, ValueEnum)]
enum Host {
    C,
    Cpp,
    Go,
    Java,
    Kotlin,
    Python,
    Node,
    Ruby,
    Rust,
}

const HELP: &str = "\
The folder has go.mod, main.go with a record, an error and an import, a program that calls it, and a README.md. Nothing that \
exists is overwritten.

Examples:
  undergo new greeter && cd greeter
  undergo build && python main.py";

/// What the plugin itself consists of.
const PLUGIN: &[(&str, &str)] = &[("go.mod", include_str!("templates/go.mod.txt")), ("main.go", include_str!("templates/main.go.txt"))];

impl Host {
    /// The files of the program that calls it.
    fn files(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Host::C => &[
                ("main.c", include_str!("templates/c/main.c.txt")),
                ("Makefile", include_str!("templates/c/Makefile.txt")),
                ("README.md", include_str!("templates/c/README.md.txt")),
            ],
            Host::Cpp => &[
                ("main.cpp", include_str!("templates/cpp/main.cpp.txt")),
                ("Makefile", include_str!("templates/cpp/Makefile.txt")),
                ("README.md", include_str!("templates/cpp/README.md.txt")),
            ],
            Host::Go => &[
                ("host/main.go", include_str!("templates/go/main.go.txt")),
                ("host/go.mod", include_str!("templates/go/go.mod.txt")),
                ("README.md", include_str!("templates/go/README.md.txt")),
            ],
            Host::Java => {
                &[("Main.java", include_str!("templates/java/Main.java.txt")), ("README.md", include_str!("templates/java/README.md.txt"))]
            }
            Host::Kotlin => {
                &[("Main.kt", include_str!("templates/kotlin/Main.kt.txt")), ("README.md", include_str!("templates/kotlin/README.md.txt"))]
            }
            Host::Python => {
                &[("main.py", include_str!("templates/python/main.py.txt")), ("README.md", include_str!("templates/python/README.md.txt"))]
            }
            Host::Ruby => {
                &[("main.rb", include_str!("templates/ruby/main.rb.txt")), ("README.md", include_str!("templates/ruby/README.md.txt"))]
            }
            Host::Rust => &[
                ("main.rs", include_str!("templates/rust/main.rs.txt")),
                ("Cargo.toml", include_str!("templates/rust/Cargo.toml.txt")),
                ("README.md", include_str!("templates/rust/README.md.txt")),
            ],
            Host::Node => &[
                ("main.mjs", include_str!("templates/node/main.mjs.txt")),
                ("package.json", include_str!("templates/node/package.json.txt")),
                ("README.md", include_str!("templates/node/README.md.txt")),
            ],
        }
    }

    /// How the program is run, in the folder, once the plugin is built.
    fn command(self) -> &'static str {
        match self {
            Host::C | Host::Cpp => "make && ./main",
            Host::Go => "(cd host && go mod tidy && go build -o ../host-program .) && ./host-program",
            Host::Java => "java --enable-native-access=ALL-UNNAMED -cp \"$CLASSPATH\" Main.java",
            Host::Kotlin => "kotlinc Main.kt -cp \"$CLASSPATH\" -d main.jar && java -cp \"main.jar:$CLASSPATH\" MainKt",
            Host::Python => "python main.py",
            Host::Ruby => "ruby main.rb",
            Host::Rust => "cargo run",
            Host::Node => "npm install && node main.mjs",
        }
    }
}

pub(crate) fn run(args: &Args) -> Result<()> {
    let folder = Path::new(&args.name);
    match fs::create_dir(folder) {
        Ok(()) => {}
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            bail!("{} exists already: choose another name, or remove it", folder.display())
        }
        Err(error) => return Err(error).with_context(|| format!("{} can't be made", folder.display())),
    }
    for (file, text) in PLUGIN.iter().chain(args.host.files()) {
        let path = folder.join(file);
        let text = text.replace("NAME", &args.name).replace("IDENT", &names::snake(&args.name));
        let text = text.replace("SPACE", &cpp::namespace(&args.name)).replace("PASCAL", &names::pascal(&args.name));
        let text = text.replace("PREFIX", &c::prefix(&args.name));
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).with_context(|| format!("{} can't be made", folder.display()))?;
        }
        fs::write(&path, text).with_context(|| format!("{} can't be written", path.display()))?;
    }
    println!("{0}/ is ready. Next:\n  cd {0}\n  undergo build\n  {1}", args.name, args.host.command());
    Ok(())
}

fn plugin_name(name: &str) -> Result<String, String> {
    let is_word = |word: &str| {
        word.starts_with(|c: char| c.is_ascii_lowercase()) && word.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit())
    };
    let is_name = |name: &str| name.split('-').all(is_word);
    // The go command takes such a last part of a module's path for its version.
    let is_version = |name: &str| name.strip_prefix('v').is_some_and(|rest| rest.bytes().all(|byte| byte.is_ascii_digit()));
    if is_version(name) && name.len() > 1 {
        return Err("it looks like a version; give the plugin a name".to_owned());
    }
    if is_name(name) {
        return Ok(name.to_owned());
    }
    let near = names::kebab(name);
    let hint = if is_name(&near) { format!(", such as '{near}'") } else { ", such as 'my-plugin'".to_owned() };
    Err(format!("a plugin's name is words of lower-case letters and digits, joined by hyphens{hint}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_checked() {
        for good in ["greeter", "my-plugin", "sha256", "v"] {
            assert!(plugin_name(good).is_ok(), "{good}");
        }
        for bad in ["", ".", "../x", "/tmp/x", "a b", "Greeter", "2fast", "a--b", "v2", "a/b", "ü"] {
            assert!(plugin_name(bad).is_err(), "{bad}");
        }
        assert!(plugin_name("MyPlugin").is_err_and(|text| text.contains("'my-plugin'")));
    }
}
