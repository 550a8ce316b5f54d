

    fun put{{ class }}(_room: {{ room }}, _at: {{ long }}, _value: {{ class }}) {
        {%- for field in fields %}
        {%- for put in field.puts %}
        {{ put }}
        {%- endfor %}
        {%- endfor %}
    }

    fun get{{ class }}({% if reading.needs_client() %}_client: {{ names.lib("RawClient") }}, {% endif %}_at: {{ long }}): {{ class }} = {{ class }}(
        {%- for field in fields %}
        {{ field.name }} = {{ field.get }},
        {%- endfor %}
    )