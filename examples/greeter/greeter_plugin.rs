//! Typed access to the plugin greeter.wasm.
//!
//! Written by undergo bindgen; don't edit it, but write it anew.
#![allow(clippy::all, non_camel_case_types, non_snake_case, dead_code, reason = "the names are the plugin's")]
#![cfg_attr(rustfmt, rustfmt_skip)]

/// Person is somebody to be greeted.
#[derive(Clone, Debug, PartialEq, undergo::GuestType)]
pub struct Person {
    pub name: String,
    /// optional
    pub email: Option<String>,
    pub tags: Vec<String>,
}

/// The functions of the plugin: of an instance, or of a pool.
#[derive(Clone, Debug)]
pub struct Greeter<On: undergo::Target = undergo::Instance> {
    options: undergo::CallOptions,
    on: On,
    greet: undergo::Function<(&'static Person, bool), String, On>,
    initial: undergo::Function<(&'static Person,), String, On>,
}

impl<On: undergo::Target> Greeter<On> {
    /// The functions of that instance or pool, if it has these types.
    pub fn new(on: On) -> undergo::Result<Self> {
        Ok(Greeter {
            options: undergo::CallOptions::default(),
            greet: undergo::Function::new(on.clone(), "greet")?,
            initial: undergo::Function::new(on.clone(), "initial")?,
            on,
        })
    }

    /// The same with these options for its calls.
    #[must_use]
    pub fn with(&self, options: undergo::CallOptions) -> Self {
        Greeter { options, ..self.clone() }
    }

    /// What these are the functions of.
    pub fn on(&self) -> &On {
        &self.on
    }
}

impl Greeter {
    /// Compiles the plugin, and makes an instance of it.
    pub fn load(path: impl AsRef<std::path::Path>, options: undergo::InstanceOptions) -> undergo::Result<Self> {
        Greeter::new(undergo::Plugin::from_file(path)?.instantiate(options)?)
    }
}

impl<On: undergo::Blocking> Greeter<On> {
    /// Greet says hello to p, and names what p likes: the tags of p, and those that
    /// the host's directory has.
    pub fn greet(&self, p: &Person, shout: bool) -> undergo::Result<String> {
        self.greet.call_with((p, shout), &self.options)
    }

    /// Initial is the first letter of the name of p. It panics when there is none.
    pub fn initial(&self, p: &Person) -> undergo::Result<String> {
        self.initial.call_with((p,), &self.options)
    }
}

impl<On: undergo::Suspending> Greeter<On> {
    /// Greet says hello to p, and names what p likes: the tags of p, and those that
    /// the host's directory has.
    pub async fn greet_async(&self, p: &Person, shout: bool) -> undergo::Result<String> {
        self.greet.call_async_with((p, shout), &self.options).await
    }

    /// Initial is the first letter of the name of p. It panics when there is none.
    pub async fn initial_async(&self, p: &Person) -> undergo::Result<String> {
        self.initial.call_async_with((p,), &self.options).await
    }
}

/// What the plugin wants of directory.
pub trait Directory: Send + Sync + 'static {
    /// Lookup asks the host for a person's tags.
    fn lookup(&self, name: String) -> Result<Vec<String>, Box<dyn std::error::Error + Send + Sync>>;
}

/// The same with futures, for asynchronous instances and pools; with the options of the call, its
/// functions can call back.
pub trait AsyncDirectory: Send + Sync + 'static {
    /// Lookup asks the host for a person's tags.
    fn lookup(&self, call: undergo::Call, name: String) -> impl std::future::Future<Output = Result<Vec<String>, Box<dyn std::error::Error + Send + Sync>>> + Send;
}

/// The functions that the plugin imports.
pub fn imports(directory: impl Directory) -> undergo::Imports {
    let mut imports = undergo::Imports::default();
    let directory = std::sync::Arc::new(directory);
    imports.function("directory", "lookup", {
        let this = directory.clone();
        move |name: String| Directory::lookup(&*this, name)
    });
    imports
}

/// The same with futures.
pub fn async_imports(directory: impl AsyncDirectory) -> undergo::Imports {
    let mut imports = undergo::Imports::default();
    let directory = std::sync::Arc::new(directory);
    imports.async_function("directory", "lookup", {
        let this = directory.clone();
        move |call: undergo::Call, name: String| {
            let this = this.clone();
            async move { AsyncDirectory::lookup(&*this, call, name).await }
        }
    });
    imports
}