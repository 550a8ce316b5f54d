//! Components that import and export one interface with resources: their own objects wrap those of
//! the host, and neither stands for the other.

use std::sync::Arc;

use crate::common::{component, expect, quiet};
use undergo::interface::{Interface, Side};
use undergo::{ErrorKind, Function, GuestType, HandleCounts, HostObject, Instance, InstanceOptions, Plugin, Result, Value};

const WIT: &str = "package test:both;
interface shop {
  record size { width: u32, height: u32 }
  enum color { red, blue }
  resource item { constructor(n: u32); value: func() -> u32; }
  record parcel { of: item, size: size }
  unpack: func(p: parcel) -> item;
  area: func(s: size, c: color) -> u32;
}
interface more { use shop.{item, size}; weigh: func(i: borrow<item>, s: size) -> u32; }
world w { import shop; export shop; export more; }
";

/// An object of the component is the handle of one of the host's, whose value it doubles.
const CORE: &str = r#"
    (import "test:both/shop" "[constructor]item" (func $construct (param i32) (result i32)))
    (import "test:both/shop" "[method]item.value" (func $value (param i32) (result i32)))
    (import "test:both/shop" "[resource-drop]item" (func $drop (param i32)))
    (import "test:both/shop" "area" (func $area (param i32 i32 i32) (result i32)))
    (import "test:both/shop" "unpack" (func $unpack (param i32 i32 i32) (result i32)))
    (import "[export]test:both/shop" "[resource-new]item" (func $new (param i32) (result i32)))
    (import "[export]test:both/shop" "[resource-rep]item" (func $rep (param i32) (result i32)))
    (func (export "test:both/shop#[constructor]item") (param i32) (result i32)
        (call $new (call $unpack (call $construct (local.get 0)) (i32.const 1) (i32.const 2))))
    (func (export "test:both/shop#[dtor]item") (param i32) (call $drop (local.get 0)))
    (func $double (export "test:both/shop#[method]item.value") (param i32) (result i32)
        (i32.mul (i32.const 2) (call $value (local.get 0))))
    (func (export "test:both/shop#unpack") (param i32 i32 i32) (result i32) (local.get 0))
    (func (export "test:both/shop#area") (param i32 i32 i32) (result i32)
        (i32.add (i32.const 1) (call $area (local.get 0) (local.get 1) (local.get 2))))
    (func (export "test:both/more#weigh") (param i32 i32 i32) (result i32)
        (i32.add (call $double (local.get 0)) (i32.add (local.get 1) (local.get 2))))
"#;

fn both() -> Plugin {
    component(WIT, CORE)
}

/// The host's side; `living` counts its objects.
fn hosted(living: &Arc<()>) -> InstanceOptions {
    let mut options = quiet();
    let of = living.clone();
    options.imports.func("test:both/shop", "host-item", move |args| {
        let (Value::Int(n), of) = (args[0].clone(), of.clone()) else { panic!("{args:?}") };
        Ok(Value::Object(HostObject::func(move |_| {
            let _ = &of;
            Ok(Value::Int(n))
        })))
    });
    options.imports.func("test:both/shop", "unpack", |args| match args {
        [Value::Record(fields)] => Ok(fields[0].1.clone()),
        other => panic!("{other:?}"),
    });
    options.imports.func("test:both/shop", "area", |args| match args {
        [Value::Record(size), color] => {
            assert_eq!(*color, Value::from("blue"));
            let [(_, Value::Int(width)), (_, Value::Int(height))] = &size[..] else { panic!("{size:?}") };
            Ok(Value::Int(width * height))
        }
        other => panic!("{other:?}"),
    });
    options
}

fn started(living: &Arc<()>) -> Instance {
    both().instantiate(hosted(living)).unwrap_or_else(|error| panic!("{error}"))
}

/// An item of the component's.
#[undergo::resource]
trait Item {
    fn value(&self) -> Result<u32>;
}

impl Item {
    fn new(instance: &Instance, n: u32) -> Result<Item> {
        Function::<(u32,), Item>::constructor(instance.clone(), "item")?.call((n,))
    }
}

#[derive(GuestType)]
struct Size {
    width: u32,
    height: u32,
}

#[derive(GuestType)]
enum Color {
    Red,
    Blue,
}

#[derive(GuestType)]
struct Parcel {
    of: Item,
    size: Size,
}

#[test]
fn each_side_has_types_of_its_own() {
    let plugin = both();
    let interface = plugin.interface().expect("it has one");
    let mut resources: Vec<_> = interface.resources.iter().map(|resource| (resource.ty.name.as_str(), resource.ty.side)).collect();
    resources.sort_by_key(|(name, _)| *name);
    assert_eq!(resources, [("host-item", Side::Host), ("item", Side::Guest)]);
    let mut types: Vec<_> = interface.types.iter().map(ToString::to_string).collect();
    types.sort_unstable();
    assert_eq!(types, ["color", "host-parcel", "parcel", "size"]);
    let signature = |function: &undergo::interface::Function| function.to_string();
    assert_eq!(signature(interface.export("weigh").expect("an export")), "weigh(i: borrow<item>, s: size) -> u32");
    let import = |name| interface.import("test:both/shop", name).expect("an import");
    assert_eq!(signature(import("unpack")), "unpack(p: host-parcel) -> host-item");
    assert_eq!(signature(import("area")), signature(interface.export("area").expect("an export")));
}

#[test]
fn objects_of_both_sides_are_told_apart() {
    let living = Arc::new(());
    let instance = started(&living);
    let item = Item::new(&instance, 21).expect("an item");
    assert_eq!(item.value().expect("a value"), 42);
    // The function that makes them has one, and the object that the component holds.
    assert_eq!((Arc::strong_count(&living), instance.handles().held, instance.handles().given), (3, 1, 1));
    let size = || Size { width: 4, height: 5 };
    let weigh = instance.function::<(&Item, &Size), u32>("weigh").expect("its types");
    assert_eq!(weigh.call((&item, &size())).expect("a call"), 51);
    let area = instance.function::<(&Size, Color), u32>("area").expect("its types");
    assert_eq!(area.call((&size(), Color::Blue)).expect("a call"), 21);
    let unpack = instance.function::<(&Parcel,), Item>("unpack").expect("its types");
    let again = unpack.call((&Parcel { of: item, size: size() },)).expect("an item");
    assert_eq!(again.value().expect("a value"), 42);
    again.0.close().expect("it is closed");
    // What a destructor has let go of is counted until the next call.
    assert_eq!(area.call((&size(), Color::Blue)).expect("a call"), 21);
    assert_eq!((Arc::strong_count(&living), instance.handles()), (2, HandleCounts::default()));
}

/// Each one's items wrap those of the next, and the last one's those of the program.
#[test]
fn they_are_linked_in_a_chain() {
    let living = Arc::new(());
    let mut instance = started(&living);
    for _ in 0..3 {
        let mut options = quiet();
        options.imports.link("test:both/shop", &instance);
        instance = both().instantiate(options).unwrap_or_else(|error| panic!("{error}"));
    }
    let item = Item::new(&instance, 1).expect("an item");
    assert_eq!((item.value().expect("a value"), Arc::strong_count(&living)), (16, 3));
    item.0.close().expect("it is closed");
    let item = Item::new(&instance, 2).expect("an item");
    assert_eq!((item.value().expect("a value"), Arc::strong_count(&living)), (32, 3));
}

#[test]
fn an_object_of_the_component_does_not_stand_for_one_of_the_host() {
    let mut options = hosted(&Arc::new(()));
    options.imports.function("test:both/shop", "unpack", |p: Parcel| p.of);
    let error = both().instantiate(options).expect_err("its types are others");
    expect(&error, ErrorKind::SignatureMismatch, &["test:both/shop.unpack", "host-item"]);
}

/// Types are read in a time in proportion to the text, and without a stack that grows with it.
#[test]
fn long_chains_of_types_are_refused_in_time() {
    let began = std::time::Instant::now();
    for backwards in [false, true] {
        let mut types: Vec<_> = (1..12_000).map(|n| format!("record r{n} {{ a: r{}, b: r{} }} ", n - 1, n - 1)).collect();
        types.push("record r0 { of: item } ".to_owned());
        if backwards {
            types.reverse();
        }
        let types = types.concat();
        let wit = format!("package test:both; interface shop {{ resource item {{ }} {types} }} world w {{ import shop; export shop; }}");
        expect(&Interface::parse_component(&wit).expect_err("too deep"), ErrorKind::InvalidPlugin, &["nested too deeply"]);
    }
    assert!(began.elapsed() < std::time::Duration::from_secs(20));
}
