{{ method.docs|indent(4) }}
    {{ suspend }}fun {{ name }}({{ method.params }}){% if let Some(ty) = method.result %}: {{ ty }}{% endif %} =
        this.client.{{ before }}call({{ method.number }}, {{ method.wit }}, {{ method.size }}, {{ method.result_size }}, { _call, _args ->
            {%- for put in method.puts %}
            {{ put }}
            {%- endfor %}
        }) { {% if method.result.is_some() %}_at -> {{ method.get }} {% endif %}}{{ after }}