{%- for ty in types %}
{%- match ty %}
{%- when Declared::Struct { name, docs, error, fields, params, is_hashable } %}

{{ docs }}
public struct {{ name }}: {% if error.is_some() %}PluginError{% else %}PluginValue{% endif %}{% if *is_hashable %}, Hashable{% endif %}, Sendable {
    {%- if let Some(wit) = error %}
    /// Its name in WIT.
    public static let errorName = {{ wit }}
{% endif %}
    {%- for field in fields %}
    {{- field.docs|lines(4) }}
    public var {{ field.name }}: {{ field.ty }}
    {%- endfor %}

    public init({{ params }}) {
        {%- for field in fields %}
        self.{{ field.name }} = {{ field.name }}
        {%- endfor %}
    }

    /// Reads one that a plugin gave.
    public init(pluginValue: Value) throws {
        {% if fields.is_empty() %}_{% else %}let fields{% endif %} = try pluginValue.readFields({{ fields.len() }})
        {%- for field in fields %}
        self.{{ field.name }} = try {{ field.read }}
        {%- endfor %}
    }

    /// What a plugin is given for it.
    public var pluginValue: Value {
        .fields(fields: [
            {%- for field in fields %}
            NamedValue(name: {{ field.wit }}, value: {{ field.write }}),
            {%- endfor %}
        ])
    }
}
{%- when Declared::Enum { name, docs, cases } %}

{{ docs }}
public enum {{ name }}: String, PluginValue, CaseIterable, Hashable, Sendable {
    {%- for case in cases %}
    {{- case.docs|lines(4) }}
    case {{ case.name }}{% if let Some(wit) = case.renamed %} = {{ wit }}{% endif %}
    {%- endfor %}
}
{%- when Declared::Variant { name, docs, cases, is_hashable } %}

{{ docs }}
public enum {{ name }}: PluginValue{% if *is_hashable %}, Hashable{% endif %}, Sendable {
    {%- for case in cases %}
    {{- case.docs|lines(4) }}
    case {{ case.name }}{% if let Some((ty, _, _)) = case.value %}({{ ty }}){% endif %}
    {%- endfor %}

    /// Reads one that a plugin gave.
    public init(pluginValue: Value) throws {
        let given = try pluginValue.readCase()
        switch given.name {
        {%- for case in cases %}
        case {{ case.wit }}: self = .{{ case.name }}{% if let Some((_, read, _)) = case.value %}(try {{ read }}){% endif %}
        {%- endfor %}
        default: throw UnexpectedValue("a case of {{ name }}", pluginValue)
        }
    }

    /// What a plugin is given for it.
    public var pluginValue: Value {
        switch self {
        {%- for case in cases %}
        {%- if let Some((_, _, write)) = case.value %}
        case .{{ case.name }}(let value): return Value.`case`(name: {{ case.wit }}, value: {{ write }})
        {%- else %}
        case .{{ case.name }}: return Value.`case`(name: {{ case.wit }}, value: nil)
        {%- endif %}
        {%- endfor %}
        }
    }
}
{%- endmatch %}
{%- endfor %}
