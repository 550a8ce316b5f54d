//! The flags of the go command: those that the user has set for it, and those behind the `--` of
//! `undergo build`.
//!
//! A flag on the command line replaces the same flag in GOFLAGS, so our flags would drop the
//! user's. Both are collected here and joined.

use anyhow::{Context, Result, bail};

/// Flags of 'go build' that stand alone; the others have a value.
const ALONE: &[&str] =
    &["a", "asan", "buildvcs", "cover", "i", "json", "linkshared", "modcacherw", "msan", "n", "race", "trimpath", "v", "work", "x"];

/// Flags, each written as `-name` or `-name=value`.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Flags(Vec<String>);

impl Flags {
    /// Those of GOFLAGS, which is split as the go command does: at spaces, but for what stands in
    /// quotes as a whole.
    pub(super) fn of_environment(text: &str) -> Result<Flags> {
        let flags = split(text).with_context(|| format!("GOFLAGS is {text}"))?;
        if let Some(word) = flags.iter().find(|flag| !is_flag(flag)) {
            bail!("GOFLAGS is {text}, and {word} is no flag: one with spaces stands in quotes as a whole, '-ldflags=-X main.version=1 -s'");
        }
        Ok(Flags(flags.iter().map(|flag| plain(flag)).collect()))
    }

    /// Those of the command line, where a value may be an argument of its own.
    pub(super) fn of_arguments(args: &[String]) -> Result<Flags> {
        let mut flags = Vec::new();
        let mut args = args.iter();
        while let Some(arg) = args.next() {
            if !is_flag(arg) {
                bail!("{arg} is no flag of the go command: behind -- there are only those, and the plugin's folder stands before");
            }
            let flag = plain(arg);
            if parts(&flag).1.is_some() || ALONE.contains(&parts(&flag).0) {
                flags.push(flag);
            } else {
                let value = args.next().with_context(|| format!("the go command's flag {arg} needs a value: {arg}=VALUE"))?;
                flags.push(format!("{flag}={value}"));
            }
        }
        Ok(Flags(flags))
    }

    /// Refuses what a plugin can't be built with, or what `undergo build` decides itself. `place`
    /// says where the flags are from.
    pub(super) fn refuse(&self, place: &str, buildmode: &str) -> Result<()> {
        for flag in &self.0 {
            let (name, value) = parts(flag);
            let is_off = matches!(value, Some("false" | "0"));
            let why = match name {
                "o" => "the file to write is named by 'undergo build -o FILE'".to_owned(),
                "C" => "the plugin's folder is an argument of 'undergo build'".to_owned(),
                "buildmode" if value == Some(buildmode) => continue,
                "buildmode" => format!("this is built with -buildmode={buildmode}; 'undergo build --command' makes a program"),
                "overlay" => "the go command takes only one overlay, which undergo needs itself".to_owned(),
                "race" | "msan" | "asan" if !is_off => "there is no such check for WebAssembly".to_owned(),
                "n" | "json" | "linkshared" if !is_off => "there would be no module".to_owned(),
                _ => continue,
            };
            let how = if place == "GOFLAGS" { "unset it" } else { "leave it out" };
            bail!("{place} has {flag}, and {why}: {how}");
        }
        Ok(())
    }

    pub(super) fn push(&mut self, flag: impl Into<String>) {
        self.0.push(flag.into());
    }

    pub(super) fn append(&mut self, other: Flags) {
        self.0.extend(other.0);
    }

    /// The value that counts, which is the last one.
    pub(super) fn last(&self, name: &str) -> Option<&str> {
        self.0.iter().rev().map(|flag| parts(flag)).find(|(found, _)| *found == name).and_then(|(_, value)| value)
    }

    /// Removes all of that name, and gives their values.
    pub(super) fn take(&mut self, name: &str) -> Vec<String> {
        let (taken, kept) = std::mem::take(&mut self.0).into_iter().partition(|flag| parts(flag).0 == name);
        self.0 = kept;
        let taken: Vec<String> = taken;
        taken.iter().map(|flag| parts(flag).1.unwrap_or_default().to_owned()).collect()
    }

    /// Adds a build tag to the user's.
    pub(super) fn add_tag(&mut self, tag: &str) {
        let tags = self.last("tags").map(|tags| tags.split([',', ' ']).filter(|tag| !tag.is_empty()).collect::<Vec<_>>().join(","));
        let tags = tags.filter(|tags| !tags.is_empty()).map_or_else(|| tag.to_owned(), |tags| format!("{tags},{tag}"));
        self.take("tags");
        self.push(format!("-tags={tags}"));
    }

    /// As one text, for GOFLAGS.
    pub(super) fn environment(&self) -> Result<String> {
        let words = self.0.iter().map(|flag| match (flag.contains(char::is_whitespace), flag.contains('\''), flag.contains('"')) {
            (false, ..) => Ok(flag.clone()),
            (true, false, _) => Ok(format!("'{flag}'")),
            (true, true, false) => Ok(format!("\"{flag}\"")),
            (true, true, true) => bail!("the go command can't be given a flag with spaces and both kinds of quotes: {flag}"),
        });
        Ok(words.collect::<Result<Vec<_>>>()?.join(" "))
    }
}

impl<'a> IntoIterator for &'a Flags {
    type Item = &'a String;
    type IntoIter = std::slice::Iter<'a, String>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.iter()
    }
}

/// The arguments that give the linker our flags and each of the user's, of which the last one
/// counts whose pattern matches.
pub(super) fn linker(ours: &str, users: &[String]) -> Vec<String> {
    let joined = users.iter().map(|value| {
        let value = value.trim();
        // 'pattern=flags' is for the packages that match.
        let pattern = if value.starts_with('-') { None } else { value.split_once('=') };
        let (pattern, flags) = pattern.map_or((String::new(), value), |(pattern, flags)| (format!("{pattern}="), flags));
        // Where they say the same thing, the user's come last.
        format!("-ldflags={pattern}{}", format!("{ours} {flags}").trim())
    });
    let alone = (!ours.is_empty()).then(|| format!("-ldflags={ours}"));
    alone.into_iter().chain(joined).collect()
}

/// With two hyphens or one, a flag is the same.
fn plain(flag: &str) -> String {
    flag.strip_prefix("--").map_or_else(|| flag.to_owned(), |flag| format!("-{flag}"))
}

fn is_flag(word: &str) -> bool {
    word.strip_prefix("--").or_else(|| word.strip_prefix('-')).is_some_and(|name| !name.is_empty() && !name.starts_with(['-', '=']))
}

fn parts(flag: &str) -> (&str, Option<&str>) {
    let flag = flag.trim_start_matches('-');
    flag.split_once('=').map_or((flag, None), |(name, value)| (name, Some(value)))
}

fn split(text: &str) -> Result<Vec<String>> {
    let space = |c: char| matches!(c, ' ' | '\t' | '\n' | '\r');
    let mut words = Vec::new();
    let mut rest = text.trim_start_matches(space);
    while let Some(first) = rest.chars().next() {
        let end = if matches!(first, '\'' | '"') {
            let (word, behind) = rest[1..].split_once(first).with_context(|| format!("a quote {first} has no end"))?;
            words.push(word.to_owned());
            behind
        } else {
            let at = rest.find(space).unwrap_or(rest.len());
            words.push(rest[..at].to_owned());
            &rest[at..]
        };
        rest = end.trim_start_matches(space);
    }
    Ok(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment(text: &str) -> Flags {
        Flags::of_environment(text).expect(text)
    }

    fn arguments(args: &[&str]) -> Result<Flags> {
        Flags::of_arguments(&args.iter().map(|arg| (*arg).to_owned()).collect::<Vec<_>>())
    }

    #[test]
    fn flags_are_split_as_go_splits_them() {
        let mut flags = environment(" '-ldflags=-X main.version=1 -s'\t--mod=mod \"-tags=a b\" -x ");
        assert_eq!(flags.take("ldflags"), ["-X main.version=1 -s"]);
        assert_eq!((flags.last("mod"), flags.last("tags"), flags.last("x")), (Some("mod"), Some("a b"), None));
        assert_eq!(flags.environment().expect("text"), "-mod=mod '-tags=a b' -x");
        // A quote within a word is a part of it, as in the go command.
        assert_eq!(environment("-ldflags=-X=a='b'").take("ldflags"), ["-X=a='b'"]);
        for bad in ["'-ldflags=-s", "-ldflags=-X main.version=1", "word", "-", "--", "-=x", "---x"] {
            assert!(Flags::of_environment(bad).is_err(), "{bad}");
        }
        assert!(environment("").environment().is_ok_and(|text| text.is_empty()));
    }

    #[test]
    fn arguments_may_have_their_values_apart() {
        let flags = arguments(&["-ldflags", "-X main.version=it's", "-race=false", "--tags=a,b", "-v"]).expect("flags");
        assert_eq!(flags.environment().expect("text"), "\"-ldflags=-X main.version=it's\" -race=false -tags=a,b -v");
        assert!(arguments(&["-tags"]).is_err_and(|error| error.to_string().contains("-tags=VALUE")));
        assert!(arguments(&["./other"]).is_err_and(|error| error.to_string().contains("./other is no flag")));
        assert!(arguments(&["-ldflags", "' \""]).expect("flags").environment().is_err());
    }

    #[test]
    fn what_undergo_decides_is_refused() {
        for bad in ["-o=x.wasm", "-buildmode=pie", "-race", "-msan=true", "-asan", "-overlay=a.json", "-C=/", "-n", "-json"] {
            assert!(environment(bad).refuse("GOFLAGS", "c-shared").is_err_and(|error| error.to_string().contains(bad)), "{bad}");
        }
        for good in ["-buildmode=c-shared", "-race=false", "-tags=o", "-mod=mod", "-x"] {
            assert!(environment(good).refuse("GOFLAGS", "c-shared").is_ok(), "{good}");
        }
    }

    #[test]
    fn tags_are_added_to_those_that_count() {
        let mut flags = environment("-tags=a");
        flags.append(arguments(&["-tags", "b c"]).expect("flags"));
        flags.add_tag("timetzdata");
        assert_eq!(flags.last("tags"), Some("b,c,timetzdata"));
        let mut none = environment("-tags=");
        none.add_tag("timetzdata");
        assert_eq!(none.environment().expect("text"), "-tags=timetzdata");
    }

    #[test]
    fn the_linker_has_the_flags_of_both() {
        let users = ["-X main.a=1".to_owned(), "all=-X main.b=2".to_owned(), String::new()];
        assert_eq!(
            linker("-s -w", &users),
            ["-ldflags=-s -w", "-ldflags=-s -w -X main.a=1", "-ldflags=all=-s -w -X main.b=2", "-ldflags=-s -w"]
        );
        assert_eq!(linker("", &users[..1]), ["-ldflags=-X main.a=1"]);
        assert!(linker("", &[]).is_empty());
    }
}
