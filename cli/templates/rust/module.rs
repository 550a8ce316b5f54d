{{ file }}
//!
//! Written by undergo bindgen; don't edit it, but write it anew.
#![allow(clippy::all, non_camel_case_types, non_snake_case, dead_code, reason = "the names are the plugin's")]
#![cfg_attr(rustfmt, rustfmt_skip)]
{%- for line in left_out %}
{{ line }}
{%- endfor %}
{%- for ty in types %}
{%- match ty %}
{%- when Declared::Struct { name, docs, fields, error } %}

{{ docs }}
#[derive(Clone, Debug, PartialEq, undergo::GuestType)]
{%- if let Some(said) = error %}
#[guest({{ said }})]
{%- endif %}
pub struct {{ name }} {
    {%- for field in fields %}
    {{- field.docs|lines(4) }}
    {%- if let Some(wit) = field.renamed %}
    #[guest(name = {{ wit }})]
    {%- endif %}
    pub {{ field.name }}: {{ field.ty }},
    {%- endfor %}
}
{%- if error.is_some() %}

/// The fields. What the plugin says of an error is its text in the chain.
impl std::fmt::Display for {{ name }} {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        std::fmt::Debug::fmt(self, f)
    }
}

impl std::error::Error for {{ name }} {}
{%- endif %}
{%- when Declared::Enum { name, docs, cases, has_values } %}

{{ docs }}
{%- if *has_values %}
#[derive(Clone, Debug, PartialEq, undergo::GuestType)]
{%- else %}
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, undergo::GuestType)]
{%- endif %}
pub enum {{ name }} {
    {%- for case in cases %}
    {{- case.docs|lines(4) }}
    {%- if let Some(wit) = case.renamed %}
    #[guest(name = {{ wit }})]
    {%- endif %}
    {{ case.name }}{% if !case.ty.is_empty() %}({{ case.ty }}){% endif %},
    {%- endfor %}
}
{%- endmatch %}
{%- endfor %}
{%- for resource in resources %}

{{ resource.docs }}
#[undergo::resource(name = {{ resource.wit }})]
pub trait {{ resource.class }} {
    {%- for method in resource.methods %}
    {{- method.docs|lines(4) }}
    {%- if let Some(said) = method.said %}
    #[guest({{ said }})]
    {%- endif %}
    fn {{ method.name }}(&self{{ method.params }}) -> undergo::Result<{{ method.result }}>;
    {%- endfor %}
}
{%- endfor %}
{%- for object in objects %}

{{ object.docs }}
#[undergo::object(name = {{ object.wit }}, class = {{ object.class }}, awaited = {{ object.awaited }}{% if !object.is_whole %}, partial{% endif %})]
pub trait {{ object.name }}: Send + Sync + 'static {
    {%- for method in object.methods %}
    {{- method.docs|lines(4) }}
    {%- if let Some(said) = method.said %}
    #[guest({{ said }})]
    {%- endif %}
    fn {{ method.name }}(&self{% if !method.params.is_empty() %}, {% endif %}{{ method.params }}) -> {{ method.result }};
    {%- endfor %}
}
{%- endfor %}

/// The functions of the plugin: of an instance, or of a pool.
#[derive(Clone, Debug)]
pub struct {{ class }}<On: undergo::Target = undergo::Instance> {
    options: undergo::CallOptions,
    on: On,
    {%- for export in exports %}
    {{ export.name }}: undergo::Function<{{ export.types }}, {{ export.result }}, On>,
    {%- endfor %}
}

impl<On: undergo::Target> {{ class }}<On> {
    /// The functions of that instance or pool, if it has these types.
    pub fn new(on: On) -> undergo::Result<Self> {
        Ok({{ class }} {
            options: undergo::CallOptions::default(),
            {%- for export in exports %}
            {{ export.name }}: undergo::Function::{{ export.found }}(on.clone(), {{ export.wit }})?,
            {%- endfor %}
            on,
        })
    }

    /// The same with these options for its calls.
    #[must_use]
    pub fn with(&self, options: undergo::CallOptions) -> Self {
        {{ class }} { options, ..self.clone() }
    }

    /// What these are the functions of.
    pub fn on(&self) -> &On {
        &self.on
    }
}

impl {{ class }} {
    /// Compiles the plugin, and makes an instance of it.
    pub fn load(path: impl AsRef<std::path::Path>, options: undergo::InstanceOptions) -> undergo::Result<Self> {
        {{ class }}::new(undergo::Plugin::from_file(path)?.instantiate(options)?)
    }
}

impl<On: undergo::Blocking> {{ class }}<On> {
    {%- for export in exports %}
    {{- export.docs|lines(4) }}
    pub fn {{ export.name }}(&self{{ export.params }}) -> undergo::Result<{{ export.result }}> {
        self.{{ export.name }}.call_with({{ export.args }}, &self.options)
    }
    {%- if !loop.last %}
{% endif %}
    {%- endfor %}
}

impl<On: undergo::Suspending> {{ class }}<On> {
    {%- for export in exports %}
    {{- export.docs|lines(4) }}
    pub async fn {{ export.awaited }}(&self{{ export.params }}) -> undergo::Result<{{ export.result }}> {
        self.{{ export.name }}.call_async_with({{ export.args }}, &self.options).await
    }
    {%- if !loop.last %}
{% endif %}
    {%- endfor %}
}
{%- for import in imports %}

{{ import.docs }}
pub trait {{ import.class }}: Send + Sync + 'static {
    {%- for function in import.functions %}
    {{- function.docs|lines(4) }}
    fn {{ function.name }}(&self{% if !function.params.is_empty() %}, {% endif %}{{ function.params }}) -> {{ function.result }};
    {%- endfor %}
}

/// The same with futures, for asynchronous instances and pools; with the options of the call, its
/// functions can call back.
pub trait {{ import.awaited }}: Send + Sync + 'static {
    {%- for function in import.functions %}
    {{- function.docs|lines(4) }}
    fn {{ function.name }}(&self, call: undergo::Call{% if !function.params.is_empty() %}, {% endif %}{{ function.params }}) -> impl std::future::Future<Output = {{ function.result }}> + Send;
    {%- endfor %}
}
{%- endfor %}
{%- if !imports.is_empty() %}

/// The functions that the plugin imports.
pub fn imports({% for import in imports %}{{ import.param }}: impl {{ import.class }}{% if !loop.last %}, {% endif %}{% endfor %}) -> undergo::Imports {
    let mut imports = undergo::Imports::default();
    {%- for error in errors %}
    imports.error::<{{ error }}>();
    {%- endfor %}
    {%- for import in imports %}
    let {{ import.param }} = std::sync::Arc::new({{ import.param }});
    {%- for function in import.functions %}
    imports.function({{ import.wit }}, {{ function.wit }}, {
        let this = {{ import.param }}.clone();
        move |{{ function.params }}| {{ import.class }}::{{ function.name }}(&*this{% if !function.args.is_empty() %}, {% endif %}{{ function.args }})
    });
    {%- endfor %}
    {%- endfor %}
    imports
}

/// The same with futures.
pub fn async_imports({% for import in imports %}{{ import.param }}: impl {{ import.awaited }}{% if !loop.last %}, {% endif %}{% endfor %}) -> undergo::Imports {
    let mut imports = undergo::Imports::default();
    {%- for error in errors %}
    imports.error::<{{ error }}>();
    {%- endfor %}
    {%- for import in imports %}
    let {{ import.param }} = std::sync::Arc::new({{ import.param }});
    {%- for function in import.functions %}
    imports.async_function({{ import.wit }}, {{ function.wit }}, {
        let this = {{ import.param }}.clone();
        move |call: undergo::Call{% if !function.params.is_empty() %}, {% endif %}{{ function.params }}| {
            let this = this.clone();
            async move { {{ import.awaited }}::{{ function.name }}(&*this, call{% if !function.args.is_empty() %}, {% endif %}{{ function.args }}).await }
        }
    });
    {%- endfor %}
    {%- endfor %}
    imports
}
{%- endif %}
