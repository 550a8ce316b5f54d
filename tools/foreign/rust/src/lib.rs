//! The greeter in Rust, with wit-bindgen.

wit_bindgen::generate!({ path: "../wit", world: "greeter" });

use test::greeter::directory::lookup;

struct Greeter;

impl Guest for Greeter {
    fn greet(who: Person) -> Result<String, String> {
        if who.name.is_empty() {
            return Err("nobody to greet".into());
        }
        let friends = lookup(&who.name)?;
        let address = who.email.map(|email| format!(" <{email}>")).unwrap_or_default();
        Ok(format!("Hello {}{address}: {}", who.name, [who.tags, friends].concat().join(", ")))
    }

    fn turn(numbers: Vec<f64>) -> Vec<f64> {
        numbers.into_iter().rev().collect()
    }

    fn areas(shapes: Vec<Shape>) -> Vec<Option<f64>> {
        let area = |shape| if let Shape::Circle(radius) = shape { Some(3.0 * radius * radius) } else { None };
        shapes.into_iter().map(area).collect()
    }

    fn names(people: Vec<Person>) -> Vec<Result<String, u32>> {
        let name = |(place, person): (u32, Person)| if person.name.is_empty() { Err(place) } else { Ok(person.name) };
        (0..).zip(people).map(name).collect()
    }

    fn first(numbers: Vec<f64>) -> f64 {
        numbers[0]
    }

    fn press(rounds: u32, data: Vec<u8>) -> u64 {
        let mut kept = Vec::new();
        for i in 0..rounds {
            kept.truncate(10);
            kept.insert(0, (data.clone(), i.to_string().repeat(100)));
        }
        data.iter().map(|byte| u64::from(*byte)).sum()
    }
}

export!(Greeter);
