//! The `undergo` command.

fn main() {
    println!("undergo {}", undergo::VERSION);
}
