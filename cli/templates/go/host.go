			{%- if function.results.is_empty() %}
			return {{ function.called }}(ctx{{ function.lifted }})
			{%- else %}
			{% for result in function.results %}{{ result.name }}, {% endfor %}err := {{ function.called }}(ctx{{ function.lifted }})
			if err == nil {
				{%- for result in function.results %}
				{{ result.place }} = {{ result.lowered }}
				{%- endfor %}
			}
			return err
			{%- endif %}
