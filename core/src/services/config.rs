//! `wasi:config`: the configuration of a plugin.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::guest::host::Imports;

/// One name of the interface in early versions.
const INTERFACES: [&str; 2] = ["wasi:config/store", "wasi:config/runtime"];

impl Imports {
    /// Gives plugins `wasi:config`, in any of its versions 0.2.0, with these values.
    ///
    /// ```
    /// use undergo::Imports;
    ///
    /// let mut imports = Imports::default();
    /// imports.config([("greeting", "Hello")]);
    /// ```
    pub fn config<K: Into<String>, V: Into<String>>(&mut self, values: impl IntoIterator<Item = (K, V)>) {
        let values: BTreeMap<String, String> = values.into_iter().map(|(key, value)| (key.into(), value.into())).collect();
        let values = Arc::new(values);
        for interface in INTERFACES {
            let (one, all) = (values.clone(), values.clone());
            self.function(interface, "get", move |key: String| one.get(&key).cloned());
            self.function(interface, "get-all", move || all.iter().map(|(key, value)| (key.clone(), value.clone())).collect::<Vec<_>>());
        }
    }
}
