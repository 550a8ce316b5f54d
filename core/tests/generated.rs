//! What `undergo bindgen` writes for Rust, as a part of a program: cli/tests/fixtures has it.
#![allow(clippy::pedantic, unreachable_pub, unused_qualifications, reason = "what is written is not checked for style")]

#[path = "../../cli/tests/fixtures/bare.rs"]
mod bare;
#[path = "../../cli/tests/fixtures/kitchen.rs"]
mod kitchen;
#[path = "../../cli/tests/fixtures/living.rs"]
mod living;
#[path = "../../cli/tests/fixtures/shapes.rs"]
mod shapes;

use std::error::Error;

use shapes::{Circle, Index, Mark, NotFound, ParseError, Shape, imports};
use undergo::GuestError;

struct Nowhere;

impl Index for Nowhere {
    fn find(&self, s: Shape, key: String) -> Result<Mark, Box<dyn Error + Send + Sync>> {
        match s {
            Shape::Label(text) => Ok(Mark::Label(text)),
            Shape::Empty => Err(ParseError { line: 1, message: key }.into()),
            _ => Err(NotFound { key, path: vec![], marked: Mark::Size(1) }.into()),
        }
    }
}

#[test]
fn its_types_are_those_of_rust() {
    assert!(format!("{:?}", imports(Nowhere)).contains("index.find"));
    let find = |shape| Nowhere.find(shape, "x".into());
    assert!(find(Shape::Label("a".into())).is_ok_and(|mark| mark == Mark::Label("a".into())));
    let error = find(Shape::Circle(Circle { radius: 1.0 })).expect_err("not found");
    assert_eq!(error.to_string(), "NotFound { key: \"x\", path: [], marked: Size(1) }");
    assert!(find(Shape::Empty).is_err_and(|error| error.is::<ParseError>()));
    assert_eq!((NotFound::NAME, ParseError::NAME), ("NotFound", "ParseError"));
}

struct Echo;

impl living::Store for Echo {
    fn get(&self, key: String) -> Result<String, Box<dyn Error + Send + Sync>> {
        Ok(key)
    }

    fn child(&self, _: String) -> living::StoreObject {
        living::StoreObject::new(Echo)
    }
}

#[test]
fn its_resources_are_a_struct_and_a_trait() {
    let store = living::StoreObject::new(Echo);
    assert!(store == store.clone() && store != living::Store::child(&Echo, "x".into()));
    let _: fn(&living::Document) -> undergo::Result<String> = living::Document::title;
}
