//! Matching the arguments of a call with the parameters of a function.

use std::sync::Arc;

use crate::error::{Error, ErrorKind, Result};
use crate::interface::names;
use crate::interface::types::{Field, Function, TypeKind};

impl Function {
    /// How many arguments a call must have: options at the end may be left out.
    #[must_use]
    pub fn required(&self) -> usize {
        let is_option = |param: &Field| matches!(param.ty.kind, TypeKind::Option(_));
        self.params.len() - self.params.iter().rev().take_while(|param| is_option(param)).count()
    }
}

/// The parameters of a function, as a host writes them.
pub struct Parameters {
    function: Arc<Function>,
    required: usize,
    spell: fn(&str) -> String,
    signature: fn(&Function) -> String,
}

impl Parameters {
    /// Those of a function. `spell` writes a name as the host does, and `signature` the whole
    /// function, for errors.
    #[must_use]
    pub fn new(function: Arc<Function>, spell: fn(&str) -> String, signature: fn(&Function) -> String) -> Parameters {
        Parameters { required: function.required(), function, spell, signature }
    }

    /// The function.
    #[must_use]
    pub fn function(&self) -> &Arc<Function> {
        &self.function
    }

    /// Checks the number of arguments of a call without keywords.
    ///
    /// # Errors
    ///
    /// `type-mismatch` that says how many there may be, or which are missing.
    #[inline]
    pub fn check(&self, given: usize) -> Result<()> {
        if given < self.required || given > self.function.params.len() { Err(self.wrong_count(given)) } else { Ok(()) }
    }

    /// Begins to place keywords, behind arguments that were given by position.
    ///
    /// # Errors
    ///
    /// `type-mismatch` when these are too many.
    pub fn keywords(&self, given: usize) -> Result<Keywords<'_>> {
        if given > self.function.params.len() {
            return Err(self.wrong_count(given));
        }
        let mut filled = vec![false; self.function.params.len()];
        filled[..given].fill(true);
        Ok(Keywords { parameters: self, filled })
    }

    #[cold]
    fn wrong_count(&self, given: usize) -> Error {
        // Nobody counts the object of a method.
        let object = usize::from(self.function.is_method);
        let wanted = self.function.params.len() - object;
        if given > wanted + object {
            let given = given - object;
            return self.wrong(&format!("takes {wanted} argument{}, got {given}", if wanted == 1 { "" } else { "s" }));
        }
        self.missing(given..self.required)
    }

    #[cold]
    fn missing(&self, numbers: impl Iterator<Item = usize>) -> Error {
        let names: Vec<String> = numbers.map(|number| format!("'{}'", (self.spell)(&self.function.params[number].name))).collect();
        self.wrong(&format!("needs a value for {}", names.join(", ")))
    }

    /// An error of a call: the text goes on behind the function's name.
    #[cold]
    #[must_use]
    pub fn wrong(&self, text: &str) -> Error {
        let (name, signature) = ((self.spell)(&self.function.name), (self.signature)(&self.function));
        Error::new(ErrorKind::TypeMismatch, format!("{name}() {text}: {signature}"))
    }
}

/// Arguments that are given by name.
pub struct Keywords<'p> {
    parameters: &'p Parameters,
    /// Which parameters have their argument.
    filled: Vec<bool>,
}

impl Keywords<'_> {
    /// Places an argument. Gives the number of its parameter.
    ///
    /// # Errors
    ///
    /// `type-mismatch` for a name that no parameter has, with near ones, and for a parameter that
    /// has an argument.
    pub fn place(&mut self, name: &str) -> Result<usize> {
        let Parameters { function, spell, .. } = self.parameters;
        let known = || function.params.iter().map(|param| spell(&param.name));
        let Some(number) = known().position(|known| known == name) else {
            let known: Vec<String> = known().collect();
            let hint = names::did_you_mean(name, known.iter().map(String::as_str));
            return Err(self.parameters.wrong(&format!("has no parameter '{name}'{hint}")));
        };
        self.place_at(number)
    }

    /// The same by the number of the parameter, where the caller knows it.
    ///
    /// # Errors
    ///
    /// `type-mismatch` for a parameter that has an argument, or does not exist.
    pub fn place_at(&mut self, number: usize) -> Result<usize> {
        match self.filled.get_mut(number) {
            Some(filled) if !*filled => {
                *filled = true;
                Ok(number)
            }
            Some(_) => {
                let name = (self.parameters.spell)(&self.parameters.function.params[number].name);
                Err(self.parameters.wrong(&format!("got two values for '{name}'")))
            }
            None => Err(self.parameters.wrong(&format!("has no parameter number {number}"))),
        }
    }

    /// Checks that nothing is missing.
    ///
    /// # Errors
    ///
    /// `type-mismatch` that names all that is.
    pub fn finish(self) -> Result<()> {
        let missing = |number: &usize| !self.filled[*number];
        if (0..self.parameters.required).any(|number| missing(&number)) {
            return Err(self.parameters.missing((0..self.parameters.required).filter(missing)));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::interface::Interface;

    fn parameters(text: &str) -> Parameters {
        let interface = Interface::parse(&format!("package go:t;\n\nworld t {{\n  export f-g: func({text});\n}}\n")).expect("it is WIT");
        Parameters::new(interface.exports[0].clone(), names::snake, |function| format!("<{}>", function.name))
    }

    fn keywords(parameters: &Parameters, given: usize, names: &[&str]) -> Result<Vec<usize>> {
        let mut keywords = parameters.keywords(given)?;
        let places = names.iter().map(|name| keywords.place(name)).collect::<Result<_>>()?;
        keywords.finish().map(|()| places)
    }

    #[test]
    fn arguments_find_their_parameters() {
        let some = parameters("user-id: u8, b: option<u8>, c: string, d: option<u8>, e: option<u8>");
        let none = parameters("");
        assert_eq!((some.required, none.required), (3, 0));
        for (of, given, ok) in
            [(&some, 3, true), (&some, 5, true), (&some, 2, false), (&some, 6, false), (&none, 0, true), (&none, 1, false)]
        {
            assert_eq!(of.check(given).is_ok(), ok, "{given}");
        }
        assert_eq!(keywords(&some, 0, &["c", "e", "user_id", "b"]).ok(), Some(vec![2, 4, 0, 1]));
        assert_eq!(keywords(&some, 3, &["e"]).ok(), Some(vec![4]));
        assert_eq!(keywords(&none, 0, &[]).ok(), Some(vec![]));
    }

    #[test]
    fn what_does_not_fit_is_named() {
        let some = parameters("user-id: u8, b: option<u8>, c: string, d: option<u8>");
        let one = parameters("a: option<u8>");
        for (error, text) in [
            (some.check(5).err(), "f_g() takes 4 arguments, got 5: <f-g>"),
            (one.check(2).err(), "f_g() takes 1 argument, got 2: <f-g>"),
            (some.check(1).err(), "f_g() needs a value for 'b', 'c': <f-g>"),
            (keywords(&some, 5, &[]).err(), "f_g() takes 4 arguments, got 5: <f-g>"),
            (keywords(&some, 0, &["b"]).err(), "f_g() needs a value for 'user_id', 'c': <f-g>"),
            (keywords(&some, 1, &["user_id"]).err(), "f_g() got two values for 'user_id': <f-g>"),
            (keywords(&some, 1, &["c", "c"]).err(), "f_g() got two values for 'c': <f-g>"),
            (keywords(&some, 1, &["user-id"]).err(), "f_g() has no parameter 'user-id'; did you mean 'user_id'?: <f-g>"),
            (keywords(&some, 1, &["zzzzzz"]).err(), "f_g() has no parameter 'zzzzzz': <f-g>"),
        ] {
            let error = error.unwrap_or_else(|| panic!("no error: {text}"));
            assert_eq!((error.kind(), error.message()), (ErrorKind::TypeMismatch, text));
        }
    }
}
