//! Objects: those of a guest, of which JavaScript has handles, and those of JavaScript's that a
//! guest gets.

use std::sync::Arc;

use napi::sys;
use undergo::host::{HostCall, HostFunction};
use undergo::interface::{ResourceType, Shape, names};
use undergo::{Handle, HostObject, Result};

use crate::errors;
use crate::home::EventLoop;
use crate::js::{Env, Js, Kind, Made, Tagged};
use crate::kept::Kept;
use crate::table::{Place, Table};

/// What an object of JavaScript has that stands for one of a guest. The collector drops it with the
/// object; a later call releases the guest's.
pub(crate) struct Held(pub(crate) Handle);

impl Tagged for Held {
    const TAG: sys::napi_type_tag = sys::napi_type_tag { lower: 0x6c1b_94e7_208d_f3a5, upper: 0x14fd_7a39_b6c8_5e02 };
}

/// The handle of such an object; `None` for any other value.
pub(crate) fn handle(js: Js) -> Option<Handle> {
    js.owned::<Held>().map(|held| held.0.clone())
}

/// How a value of JavaScript stands for an object of the host.
pub(crate) enum Lent {
    Object(HostObject),
    /// It does not, because of its type.
    OtherType,
    /// It does not, for this reason.
    Unfit(String),
}

/// Makes of a value what a guest gets as an object of that resource.
pub(crate) fn lend(table: &Arc<Table>, resource: &ResourceType, value: Js) -> Result<Lent> {
    let (home, env) = (table.home(), value.env);
    let unmade = || errors::unmade(home, env);
    if resource.shape == Shape::Callback {
        if !value.is(Kind::Function) {
            return Ok(Lent::OtherType);
        }
        let this = env.undefined().map_err(unmade())?;
        return Ok(Lent::Object(HostObject::new([table.callable(table.add(value, this)?)])));
    }
    let lend = home.helper(|helpers| &helpers.lend)?;
    let parts = method_names(home, env, resource)
        .and_then(|names| env.call(lend, env.undefined()?, &[value, env.string(shape_name(resource.shape))?, names]))
        .map_err(unmade())?;
    if parts.is(Kind::String) {
        return Ok(Lent::Unfit(parts.string().map_err(unmade())?));
    }
    if !parts.is_array() {
        return Ok(Lent::OtherType);
    }
    // Functions, the `this` of all of them behind, and what is to be called at the end.
    let count = resource.methods.len() as u32;
    let part = |number| parts.element(number).map_err(unmade());
    let (this, end) = (part(count)?, part(count + 1)?);
    let ending = if end.is(Kind::Function) { Some(Arc::new(Ending(Some(table.add(end, this)?)))) } else { None };
    let mut methods = Vec::with_capacity(resource.methods.len());
    for number in 0..count {
        let function = table.callable(table.add(part(number)?, this)?);
        methods.push(match &ending {
            Some(ending) => Arc::new(Ends { function, _ending: ending.clone() }) as Arc<dyn HostFunction>,
            None => function,
        });
    }
    let object = HostObject::new(methods);
    Ok(Lent::Object(if resource.shape == Shape::Object { object.standing_for(Own(table.add(value, this)?)) } else { object }))
}

/// The value that the program has given for an object, while its instance lives.
pub(crate) struct Own(Place);

impl Own {
    pub(crate) fn get(&self) -> Result<Js> {
        self.0.get().map(|(value, _)| value)
    }
}

/// What JavaScript calls a shape.
pub(crate) fn shape_name(shape: Shape) -> &'static str {
    match shape {
        Shape::Object => "object",
        Shape::Callback => "callback",
        Shape::Iterator => "iterator",
        Shape::Reader => "reader",
        Shape::Writer => "writer",
    }
}

/// What stands for an object of the resource, in words.
pub(crate) fn wanted(resource: &ResourceType) -> String {
    match resource.shape {
        Shape::Object => {
            let methods: Vec<String> = resource.methods.iter().map(|method| names::camel(method)).collect();
            format!("an object with the methods {}", methods.join(", "))
        }
        Shape::Callback => "a function".to_owned(),
        Shape::Iterator => "an iterable".to_owned(),
        Shape::Reader => "a stream to read from".to_owned(),
        Shape::Writer => "a stream to write to".to_owned(),
    }
}

/// The names of its methods in JavaScript, as an array that is kept.
fn method_names(home: &Arc<EventLoop>, env: Env, resource: &ResourceType) -> Made {
    if let Some(Ok(names)) = resource.extension.get::<Kept>().map(Kept::get) {
        return Ok(names);
    }
    let all: Vec<String> = resource.methods.iter().map(|method| names::camel(method)).collect();
    let made = env.strings(&all)?;
    let kept = Kept::new(home, made)?;
    resource.extension.get_or_init(|| kept);
    Ok(made)
}

/// A function of an object that is told when the guest has no handle of it any more.
struct Ends {
    function: Arc<dyn HostFunction>,
    _ending: Arc<Ending>,
}

impl HostFunction for Ends {
    fn call(&self, call: &mut HostCall<'_>) -> Result<()> {
        self.function.call(call)
    }
}

/// Calls a function when it is dropped.
struct Ending(Option<Place>);

impl Drop for Ending {
    fn drop(&mut self) {
        let Some(place) = self.0.take() else { return };
        let home = place.table.home().clone();
        // It promises not to throw; an exception that waits for whoever has called stays.
        let end = move |env: Env| {
            env.scope(|| {
                let (function, this) = place.get()?;
                env.call(function, this, &[]).map(drop).map_err(|_| crate::home::ended())
            })
        };
        match home.here() {
            Some(env) => drop(end(env)),
            None => home.run_soon(move |env| drop(end(env))),
        }
    }
}
