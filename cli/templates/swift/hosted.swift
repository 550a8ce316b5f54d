
{% if function.takes == 0 %}_{% else %}let args{% endif %} = try given.expecting({{ function.takes }})
{%- if let Some(items) = function.items %}
let result = {{ waits }} {{ function.plain }}
return Value.items(items: [{{ items|join(", ") }}])
{%- else if function.result.is_some() %}
let result = {{ waits }} {{ function.plain }}
return {{ function.call }}
{%- else %}
{{ waits }} {{ function.plain }}
return Value.none
{%- endif %}
