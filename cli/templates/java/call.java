
        RawCall call = this.client$.begin({{ export.number }}, {{ export.size }}, {{ export.result_size }});
        try {
            {%- if !export.puts.is_empty() %}
            long args = call.args();
            {%- endif %}
            {%- for put in export.puts %}
            {{ put }}
            {%- endfor %}
            call.run();
            {%- if let Some(get) = export.get %}
            return {{ get }};
            {%- endif %}
        } catch (RuntimeException error) {
            throw call.failed({{ export.wit }}, error);
        } finally {
            call.end();
        }
