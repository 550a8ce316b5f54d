{{ method.docs|indent(4) }}
    {%- if let Some(ty) = method.result %}
    {{ suspend }}fun {{ method.name }}({{ method.params }}): {{ ty }} =
        {{ method.body }}
    {%- else %}
    {{ suspend }}fun {{ method.name }}({{ method.params }}) {
        {{ method.body }}
    }
    {%- endif %}
