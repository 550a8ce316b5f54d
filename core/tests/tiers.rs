//! The two compilers: which code instances get, and that both are right.

use std::fs;
use std::path::Path;
use std::thread;

use crate::common::{self, PLAIN, conformance_path, quiet};
use undergo::{CodeCache, Compile, Plugin, PluginOptions, Tier, Value};

fn guest(compile: Compile, cache: CodeCache) -> Plugin {
    let path = conformance_path().unwrap_or_else(|text| panic!("{text}"));
    Plugin::from_file_with(path, &PluginOptions { compile, cache, ..PluginOptions::default() }).expect("the conformance guest is a plugin")
}

fn counts(instance: &undergo::Instance) -> Value {
    instance.call("counter", &[], &PLAIN).expect("a call")
}

fn kept(folder: &Path) -> usize {
    let is_code = |entry: &fs::DirEntry| entry.path().extension().is_some_and(|extension| extension == "code");
    fs::read_dir(folder).expect("the folder").flatten().filter(is_code).count()
}

/// The conformance guest imports much; `common::host` gives it.
fn instance(plugin: &Plugin) -> common::host::Hosted {
    common::host::Hosted::new(plugin, quiet()).expect("an instance")
}

#[test]
fn the_better_code_comes_in_the_background() {
    let folder = tempfile::tempdir().expect("a folder");
    let plugin = guest(Compile::Tiered, CodeCache::Folder(folder.path().to_owned()));
    let early = instance(&plugin);
    assert_eq!(counts(&early.instance), Value::Int(1));
    plugin.wait_compiled().expect("it compiles");
    assert_eq!(plugin.tier().expect("a tier"), Tier::Best);
    let late = instance(&plugin);
    assert_eq!(late.instance.tier(), Tier::Best);
    assert_eq!((counts(&early.instance), counts(&late.instance)), (Value::Int(2), Value::Int(1)));
    // Both were made and kept.
    assert_eq!(kept(folder.path()), 2);
    // A later load needs no tier but the best.
    drop((plugin, early, late));
    let again = guest(Compile::Tiered, CodeCache::Folder(folder.path().to_owned()));
    assert_eq!(again.tier().expect("a tier"), Tier::Best);
    // A reset takes what has become better, too: see `store.rs`.
    let hosted = instance(&again);
    hosted.instance.reset(&PLAIN).expect("a reset");
    assert_eq!(hosted.instance.tier(), Tier::Best);
}

#[test]
fn what_runs_once_has_the_best_code_there_is() {
    let folder = tempfile::tempdir().expect("a folder");
    let load = |compile| guest(compile, CodeCache::Folder(folder.path().to_owned()));
    let first = load(Compile::Once);
    assert_eq!((first.tier().expect("a tier"), first.was_cached()), (Tier::Fast, false));
    assert_eq!(counts(&instance(&first).instance), Value::Int(1));
    first.wait_compiled().expect("there is nothing to wait for");
    assert_eq!((first.tier().expect("a tier"), kept(folder.path())), (Tier::Fast, 1));
    drop(first);
    let second = load(Compile::Once);
    assert_eq!((second.tier().expect("a tier"), second.was_cached()), (Tier::Fast, true));
    drop(second);
    drop(load(Compile::Best));
    let third = load(Compile::Once);
    assert_eq!((third.tier().expect("a tier"), third.was_cached()), (Tier::Best, true));
    assert_eq!(counts(&instance(&third).instance), Value::Int(1));
}

#[test]
fn each_compiler_can_be_had_alone() {
    let fast = guest(Compile::Fast, CodeCache::User);
    assert_eq!(fast.tier().expect("a tier"), Tier::Fast);
    fast.wait_compiled().expect("there is nothing to wait for");
    assert_eq!(instance(&fast).instance.tier(), Tier::Fast);
    let best = guest(Compile::Best, CodeCache::User);
    assert_eq!(best.tier().expect("a tier"), Tier::Best);
    assert_eq!(counts(&instance(&best).instance), Value::Int(1));
    // The bytes are the same, and so is the code behind both; each keeps to what it was told.
    assert_eq!(fast.tier().expect("a tier"), Tier::Fast);
}

#[test]
fn threads_that_load_the_same_share_its_code() {
    let folder = tempfile::tempdir().expect("a folder");
    let plugins: Vec<Plugin> = thread::scope(|scope| {
        let loading: Vec<_> = (0..4).map(|_| scope.spawn(|| guest(Compile::Fast, CodeCache::Folder(folder.path().to_owned())))).collect();
        loading.into_iter().map(|thread| thread.join().expect("a thread")).collect()
    });
    for plugin in &plugins {
        assert_eq!(counts(&instance(plugin).instance), Value::Int(1));
    }
    assert_eq!(kept(folder.path()), 1);
}
