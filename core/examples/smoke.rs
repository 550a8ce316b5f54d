use undergo::*;
use std::time::*;
fn main() {
    let t=Instant::now();
    let p = Plugin::from_file("/tmp/w/conf.wasm").unwrap();
    println!("compile {:?}", t.elapsed());
    let mut imports = Imports::default();
    for (m, f) in p.imports() { imports.func(m, f.name.clone(), |a| Ok(a.first().cloned().unwrap_or(Value::None))); }
    let t=Instant::now();
    let i = p.instantiate(InstanceOptions{imports, ..Default::default()}).unwrap();
    println!("instantiate {:?}", t.elapsed());
    let o = CallOptions::default();
    println!("{:?}", i.call("echo-string", &["héllo".into()], o));
    println!("{:?}", i.call("echo-int8", &[Value::Int(-128)], o));
    println!("{:?}", i.call("echo-int8", &[Value::Int(128)], o));
    println!("{:?}", i.call("echo-strings", &[Value::List(vec!["a".into(), "bc".into()])], o));
    println!("{:?}", i.call("fail", &["x".into()], o));
    let e = p.export("echo-string").unwrap();
    let a = p.export("echo-int32").unwrap();
    let v: Value = "hello world".into(); let n = Value::Int(7);
    for _ in 0..3 {
    let t=Instant::now();
    for _ in 0..1_000_000 { let mut c = i.arguments(a).unwrap(); c.lower(0, &&n).unwrap(); c.call(&i, o).unwrap().lift(&ToValue).unwrap(); }
    println!("int {:?}", t.elapsed()/1_000_000);
    let t=Instant::now();
    for _ in 0..1_000_000 { let mut c = i.arguments(e).unwrap(); c.lower(0, &&v).unwrap(); c.call(&i, o).unwrap().lift(&ToValue).unwrap(); }
    println!("string {:?}", t.elapsed()/1_000_000);
    }
    println!("{:?}", i.call("panic", &["boom".into()], o));
    println!("{:?}", i.call("echo-string", &["x".into()], o));
}
