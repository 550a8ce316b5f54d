//! Worlds that are read, and worlds that are refused.

use super::*;
use crate::interface::Choice;
use crate::interface::SlotKind::{Case8, I32, I64};

const GREETER: &str = r"
package undergo:greeter;

interface types {
  use undergo:go/types.{time as go-time};
  /// A Person has a name.
  record person { name: string, email: option<string>, tags: list<string>, born: go-time, %type: color }
  enum color { red, green }
}

world greeter {
  use types.{person};
  import directory: interface {
    use types.{person};
    /// Lookup asks the host.
    lookup: func(name: string) -> result<list<person>, string>;
  }
  import undergo:go/context;
  /// Greet says hello.
  export greet: func(p: person, shout: bool) -> result<string, string>;
  export scores: func(m: map<string, s64>) -> tuple<s8, s64>;
}

package undergo:go {
  interface types {
    type duration = s64;
    type json = string;
    record time { seconds: s64, nanoseconds: u32, offset: s32 }
  }
  interface context { deadline: func() -> s64; }
}
";

#[test]
fn a_world_is_read_with_its_docs_and_layout() {
    let interface = Interface::parse(GREETER).expect("valid");
    assert_eq!(interface.name, "greeter");
    let greet = interface.export("greet").expect("greet");
    assert_eq!(greet.docs, "Greet says hello.");
    assert_eq!(greet.to_string(), "greet(p: person, shout: bool) -> result<string, string>");
    let TypeKind::Record(person) = &greet.params[0].ty.kind else { panic!("not a record") };
    assert_eq!(person.fields[4].name, "type");
    assert_eq!(person.layout.offsets, [0, 8, 20, 32, 48]);
    // name 2, email 3, tags 2, born 3, type 1, shout 1
    assert_eq!(greet.abi.slots.len(), 12);
    assert!(!greet.abi.spilled);
    let names: Vec<_> = interface.imports.iter().map(|i| i.name.as_str()).collect();
    assert_eq!(names, ["directory", CONTEXT_INTERFACE]);
    assert_eq!(interface.export("scores").expect("scores").abi.result.size, 16);
}

#[test]
fn arrays_are_lists_with_a_length_in_their_names() {
    let of = |ty: &str| {
        let wit = format!(
            "package undergo:t; interface types {{ {ty} = list<s32>; }} world w {{ use types.{{{}}}; export f: func(v: {}); }}",
            ty.trim_start_matches("type "),
            ty.trim_start_matches("type ")
        );
        let interface = Interface::parse(&wit).unwrap_or_else(|error| panic!("{wit}: {error}"));
        let ty = &interface.exports[0].params[0].ty;
        (ty.length(), ty.to_string())
    };
    assert_eq!(of("type array3-s32"), (Some(3), "list<s32, 3>".into()));
    assert_eq!(of("type array4294967295-s32"), (Some(4_294_967_295), "list<s32, 4294967295>".into()));
    for other in ["type array3", "type array0-s32", "type array03-s32", "type array4294967296-s32", "type array-s32", "type arrays3-s32"] {
        assert_eq!(of(other), (None, "list<s32>".into()), "{other}");
    }
}

const DRAWING: &str = r"
package undergo:drawing;

interface types {
  /// A Circle is round.
  record circle { radius: f64 }
  /// A Shape is drawn.
  variant shape {
    /// round
    circle(circle),
    label(string),
    empty,
  }
}

world drawing {
  use types.{shape};
  export area: func(s: shape, more: list<shape>) -> f64;
}
";

#[test]
fn variants_are_read() {
    let interface = Interface::parse(DRAWING).expect("valid");
    let area = interface.export("area").expect("area");
    assert_eq!(area.to_string(), "area(s: shape, more: list<shape>) -> f64");
    let TypeKind::Variant(shape) = &area.params[0].ty.kind else { panic!("not a variant") };
    assert_eq!((shape.name.as_str(), shape.docs.as_str()), ("shape", "A Shape is drawn."));
    let cases: Vec<_> = shape.cases.iter().map(|case| (case.name.as_str(), case.ty.as_ref().map(Type::to_string))).collect();
    assert_eq!(cases, [("circle", Some("circle".into())), ("label", Some("string".into())), ("empty", None)]);
    assert_eq!((shape.cases[0].docs.as_str(), shape.case("empty"), shape.case("Empty")), ("round", Some(2), None));
    assert_eq!(shape.unknown_case("x"), "\"x\" is not a case of shape: circle, label, empty");
    assert_eq!((area.params[0].ty.size, area.params[0].ty.align, shape.tag, shape.payload), (16, 8, 1, 8));
    // The discriminant, what a float and a pointer share, a length; then the list.
    let kinds: Vec<_> = area.abi.slots.iter().map(|slot| slot.kind).collect();
    assert_eq!(kinds, [Case8, I64, I32, I32, I32]);
    assert!(area.abi.joined && !area.abi.spilled);
}

/// Each variant uses the previous one twice: a walk that follows both ways never ends.
#[test]
fn variants_within_variants_are_laid_out_once() {
    let variants = |last: &str| {
        let more: String = (1..30).map(|i| format!("variant v{i} {{ a(v{0}), b(v{0}), c(tuple<v{0}, u8>) }} ", i - 1)).collect();
        format!("package a:b; world w {{ variant v0 {{ x({last}), none }} {more} export f: func(v: v29) -> v29; }}")
    };
    let started = std::time::Instant::now();
    let interface = Interface::parse(&variants("f64")).expect("valid");
    let function = &interface.exports[0];
    assert!(function.abi.spilled, "it has more flat values than parameters may");
    assert_eq!(interface.types.len(), 30);
    assert_ne!(function.digest(), Interface::parse(&variants("u64")).expect("valid").exports[0].digest());
    assert!(started.elapsed().as_secs() < 20, "{:?}", started.elapsed());
}

#[test]
#[cfg_attr(miri, ignore = "takes long")]
fn a_variant_may_have_as_many_cases_as_its_text_has_room_for() {
    let cases = |value: &str| (0..100_000).map(|i| format!("c{i}{value},")).collect::<String>();
    let started = std::time::Instant::now();
    let wit = format!("package a:b; world w {{ variant v {{ {} d(u64) }} export f: func(v: v) -> v; }}", cases(""));
    let interface = Interface::parse(&wit).expect("valid");
    let TypeKind::Variant(variant) = &interface.exports[0].params[0].ty.kind else { panic!("no variant") };
    assert_eq!((variant.cases.len(), variant.tag, variant.payload, variant.size), (100_001, 4, 8, 16));
    assert_eq!(variant.case("d"), Some(100_000));
    assert!(variant.unknown_case("x").len() < 400);
    // As many that hold the same record, many times.
    let record: String = (0..20).map(|i| format!("f{i}: string,")).collect();
    let wit = format!(
        "package a:b; world w {{ record r {{ {record} }} variant v {{ {} }} record both {{ a: v, b: option<v>, c: list<v> }} \
         export f: func(v: both); export g: func(v: list<both>) -> both; }}",
        (0..50_000).map(|i| format!("c{i}(r),")).collect::<String>()
    );
    let interface = Interface::parse(&wit).expect("valid");
    assert!(interface.exports.iter().all(|function| function.digest() != 0));
    assert!(started.elapsed().as_secs() < 60, "{:?}", started.elapsed());
}

#[test]
fn docs_are_lines_of_plain_characters() {
    let wit = "package a:b; world w { /// one\r#two\u{2028}three\u{feff}\n export f: func(); }";
    assert_eq!(Interface::parse(wit).expect("valid").exports[0].docs, "one\n#two\nthree\u{fffd}");
}

#[test]
fn a_name_has_an_end() {
    for wit in [
        "export NAME: func();",
        "export f: func(NAME: s8);",
        "enum e { NAME } export f: func(x: e);",
        "variant v { NAME(s8) } export f: func(x: v);",
    ] {
        let wit = format!("package a:b; world w {{ {} }}", wit.replace("NAME", &"a".repeat(2000)));
        let error = Interface::parse(&wit).expect_err("too long");
        assert!(error.message().contains("has 2000 bytes") && error.message().len() < 300, "{error}");
    }
}

const RESOURCES: &str = r"
package undergo:docs;
interface callbacks { resource apply-f { call: func(p0: s64) -> result<s64, string>; } }
interface objects {
  use undergo:go/types.{batch};
  resource store { get: func(key: string) -> result<string, string>; child: func() -> store; next: func(most: u32) -> tuple<list<u8>, bool>; }
  resource sum-xs { next: func(most: batch) -> tuple<list<s64>, bool>; }
}
interface api {
  use undergo:go/guest-streams.{reader as guest-reader};
  use undergo:go/types.{batch};
  resource document { constructor(text: string) -> result<document, string>; title: func() -> string; }
  resource words-items { next: func(most: batch) -> tuple<list<tuple<string, s64>>, bool>; }
  record pair { first: document, second: document }
  merge: func(a: borrow<document>, b: list<borrow<document>>, p: pair) -> option<document>;
  words: func(d: borrow<document>) -> words-items;
  open: func() -> guest-reader;
}
world docs {
  use callbacks.{apply-f};
  use objects.{store, sum-xs};
  use undergo:go/host-streams.{reader, writer};
  export undergo:go/guest-streams;
  export api;
  export apply: func(xs: list<s64>, f: borrow<apply-f>, s: store) -> result<list<s64>, string>;
  export copy: func(w: borrow<writer>, r: borrow<reader>) -> s64;
  export sum: func(xs: borrow<sum-xs>) -> s64;
}
package undergo:go {
  interface types { type batch = u32; }
  interface host-streams {
    resource reader { read: func(most: u32) -> result<list<u8>, string>; close: func() -> result<_, string>; }
    resource writer { write: func(data: list<u8>) -> result<_, string>; close: func() -> result<_, string>; }
  }
  interface guest-streams {
    resource reader { read: func(most: u32) -> result<list<u8>, string>; close: func() -> result<_, string>; }
    resource writer { write: func(data: list<u8>) -> result<_, string>; close: func() -> result<_, string>; }
  }
}";

#[test]
fn resources_have_a_side_and_a_shape() {
    let interface = Interface::parse(RESOURCES).unwrap_or_else(|error| panic!("{error}"));
    let mut found: Vec<_> = interface.resources.iter().map(|one| (one.ty.name.as_str(), one.ty.side, one.ty.shape)).collect();
    found.sort_by_key(|(name, side, _)| (*name, *side == Side::Host));
    let wanted = [
        ("apply-f", Side::Host, Shape::Callback),
        ("document", Side::Guest, Shape::Object),
        ("reader", Side::Guest, Shape::Reader),
        ("reader", Side::Host, Shape::Reader),
        ("store", Side::Host, Shape::Object),
        ("sum-xs", Side::Host, Shape::Iterator),
        ("words-items", Side::Guest, Shape::Iterator),
        ("writer", Side::Guest, Shape::Writer),
        ("writer", Side::Host, Shape::Writer),
    ];
    assert_eq!(found, wanted);
    for (number, resource) in interface.resources.iter().enumerate() {
        assert_eq!(resource.ty.number, number);
        assert!(resource.methods.iter().all(|method| method.is_method && method.params[0].name == "self"));
        assert_eq!(resource.ty.function(0).map(|first| first.name.clone()), Some(resource.methods[0].name.clone()));
    }
    let document = interface.resources.iter().find(|one| one.ty.name == "document").expect("it is there");
    let constructor = document.constructor.as_ref().expect("it has one");
    assert_eq!((constructor.name.as_str(), constructor.fallible, constructor.gives_handles()), ("document", true, true));
    assert_eq!(document.method("title").expect("it has one").name, "document.title");
    let merge = interface.export("merge").expect("an export");
    assert_eq!(merge.core_name, "undergo:docs/api#merge");
    assert!(merge.gives_handles() && !interface.export("copy").expect("an export").gives_handles());
}

#[test]
fn resources_that_cannot_be_are_refused() {
    let go =
        "package undergo:go { interface types { type batch = u32; } interface host-streams { resource reader { read: func() -> u8; } } }";
    for (items, text) in [
        ("interface api { resource t { } } world w { import api; export api; }", "both imported and exported"),
        ("interface api { resource t { m: static func(); } } world w { export api; }", "static"),
        (
            "interface callbacks { resource f { get: func(); } } world w { use callbacks.{f}; export g: func(x: borrow<f>); }",
            "the resource f",
        ),
        ("interface callbacks { resource f { call: func(); more: func(); } } world w { import callbacks; }", "the resource f"),
        ("world w { use undergo:go/host-streams.{reader}; export g: func(x: borrow<reader>); }", "the resource reader"),
        (
            "interface api { use undergo:go/types.{batch}; resource i { next: func(most: batch) -> list<u8>; } } world w { export api; }",
            "the resource i",
        ),
        ("interface host { resource t { } } world w { use host.{t}; export f: func() -> t; }", "an object of the host"),
        ("interface api { resource t-1 { } resource t1 { } } world w { export api; }", "the same as another's"),
        ("interface api { resource t { } record T { x: u8 } f: func(x: T); } world w { export api; }", "the same as another's"),
        ("interface api { resource t { m1: func(); m-1: func(); } } world w { export api; }", "the same as another's"),
    ] {
        let wit = format!("package a:b; {items} {go}");
        let error = Interface::parse(&wit).expect_err(items);
        assert_eq!(error.kind(), ErrorKind::InvalidPlugin);
        assert!(error.message().contains(text), "{items}: {error}");
    }
}

#[test]
fn what_cannot_be_is_refused() {
    for (wit, text) in [
        ("nonsense", "not valid WIT"),
        ("package a:b;", "0 worlds"),
        ("package a:b; world w { export f: func(c: char); }", "function f: it uses a type"),
        ("package a:b; world w { export f: func() -> result<s8, s8>; }", "must be a string"),
        ("package a:b; world w { export f: func(x: list<result<s8, string>>); }", "does not know (result)"),
        ("package a:b; world w { record r { url: s8, URL: s8 } export f: func(x: r); }", "the name of a field, URL, is the same"),
        ("package a:b; world w { variant v { a-1(s8), a1 } export f: func(x: v); }", "the name of a case, a1, is the same"),
        ("package a:b; world w { variant v { url(s8), URL } export f: func(x: v); }", "the name of a case, URL, is the same"),
        (
            "package a:b; world w { record a1 { x: s8 } variant a-1 { x(a1) } export f: func(x: a-1); }",
            "the name of a type, a-1, is the same",
        ),
        ("package a:b; world w { variant v { x(result<s8, string>) } export f: func(x: v); }", "does not know (result)"),
        ("package a:b; world w { enum e { a-1, a1 } export f: func(x: e); }", "the name of a case, a1, is the same"),
        ("package a:b; world w { export f: func(a1: s8, a-1: s8); }", "the name of a parameter, a-1, is the same"),
    ] {
        let error = Interface::parse(wit).expect_err(wit);
        assert_eq!(error.kind(), ErrorKind::InvalidPlugin);
        assert!(error.message().contains(text), "{wit}: {error}");
    }
    let deep = |n| format!("package a:b; world w {{ export f: func(x: {}s8{}); }}", "list<".repeat(n), ">".repeat(n));
    let small = std::thread::Builder::new().stack_size(if cfg!(miri) { 8 << 20 } else { 64 << 10 });
    let refused = small.spawn(move || [100, 200, 100_000].map(|n| Interface::parse(&deep(n)).is_err()));
    assert_eq!(refused.expect("a thread").join().expect("no panic"), [true; 3]);
}

const FOREIGN: &str = "package a:b;
interface host {
  resource item { constructor(name: string); open: static func() -> item; name: func() -> string; }
  same: func(a: borrow<item>, b: item) -> item;
}
interface api {
  use host.{item};
  flags rights { read, write }
  enum problem { lost }
  record fault { code: u8 }
  type outcome = result<u8, problem>;
  resource doc { constructor(text: string); parse: static func(text: string) -> result<doc, problem>; }
  f: func(c: char, r: rights, o: outcome, all: list<result<u8, string>>, again: option<result<u8, string>>) -> result<outcome, fault>;
  g: func() -> result<_, list<rights>>;
  h: func() -> result<option<option<item>>>;
}
world w { import host; import print: func(text: string); export api; }
";

#[test]
fn components_have_types_that_modules_refuse() {
    expect_refused(FOREIGN);
    let interface = Interface::parse_component(FOREIGN).unwrap_or_else(|error| panic!("{error}"));
    let shown: Vec<_> = interface.exports.iter().map(ToString::to_string).collect();
    let wanted = [
        "f(c: char, r: rights, o: outcome, all: list<result-u8-string>, again: option<result-u8-string>) -> result<outcome, fault>",
        "g() -> result<_, list<rights>>",
        "h() -> result<option-option-item>",
        "doc-parse(text: string) -> result<doc, problem>",
    ];
    let mut sorted = shown.clone();
    sorted.sort();
    let mut expected = wanted.to_vec();
    expected.sort_unstable();
    assert_eq!(sorted, expected);
    let host = interface.imports.iter().find(|import| import.name == "a:b/host").expect("it is imported");
    let names: Vec<_> = host.functions.iter().map(|function| (function.name.as_str(), function.core_name.as_str())).collect();
    assert_eq!(names.len(), 3);
    for name in [("item", "[constructor]item"), ("item-open", "[static]item.open"), ("same", "same")] {
        assert!(names.contains(&name), "{names:?}");
    }
    assert!(interface.import(WORLD, "print").is_some());
    let mut types: Vec<_> = interface.types.iter().filter_map(Type::name).collect();
    types.sort_unstable();
    assert_eq!(
        types,
        ["fault", "list-rights-failure", "option-option-item", "outcome", "problem", "problem-failure", "result-u8-string", "rights"]
    );
    let f = interface.export("f").expect("f");
    assert!(!f.is_alike() && f.errors.as_ref().is_some_and(|errors| errors.cases[1].name == "fault"));
    assert!(matches!(&f.params[1].ty.kind, TypeKind::Record(rights) if rights.is_flags && rights.fields.len() == 2));
}

/// Such an interface has no name of its own: the world's for it is in core names.
#[test]
fn interfaces_that_a_world_writes_out_are_called_as_it_says() {
    let wit = "package root:component; world root { export setup: interface { resource log { } init: func(name: string); } }";
    let interface = Interface::parse_component(wit).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(interface.export("init").expect("it is there").core_name, "setup#init");
    assert_eq!(interface.resources[0].ty.interface, "setup");
}

#[test]
fn functions_of_the_same_name_are_told_by_their_interfaces() {
    let wit = "package root:component; world root { export a:b/store; export a:b/cache; export get: func(); } \
               package a:b { interface store { get: func(key: string); set: func(); } interface cache { get: func(); } }";
    let interface = Interface::parse_component(wit).unwrap_or_else(|error| panic!("{error}"));
    let mut found: Vec<_> = interface.exports.iter().map(|export| (export.name.as_str(), export.core_name.as_str())).collect();
    found.sort_unstable();
    assert_eq!(found, [("cache-get", "a:b/cache#get"), ("get", "get"), ("set", "a:b/store#set"), ("store-get", "a:b/store#get")]);
}

fn expect_refused(wit: &str) {
    assert_eq!(Interface::parse(wit).expect_err(wit).kind(), ErrorKind::InvalidPlugin);
}

/// What an import uses is imported, by the rules of WIT, and so is no type of the export.
#[test]
fn what_imports_use_of_an_exported_interface_is_of_the_host() {
    let wit = "package a:b; interface api { resource t { } } interface host { use api.{t}; f: func(x: borrow<t>); } \
               world w { export api; import host; }";
    let interface = Interface::parse_component(wit).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(interface.import("a:b/host", "f").expect("an import").to_string(), "f(x: borrow<host-t>)");
    let sides: Vec<_> = interface.resources.iter().map(|resource| (resource.ty.name.as_str(), resource.ty.side)).collect();
    assert_eq!(sides, [("host-t", Side::Host), ("t", Side::Guest)]);
}

/// The world of a component is in another package than the interfaces of its plugin.
#[test]
fn the_callbacks_of_a_plugin_are_known_in_its_component() {
    let wit = "package root:component; world root { import undergo:lists/callbacks; } \
               package undergo:lists { interface callbacks { resource op { call: func(n: s64) -> s64; } } }";
    let interface = Interface::parse_component(wit).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(interface.resources[0].ty.shape, Shape::Callback);
}
