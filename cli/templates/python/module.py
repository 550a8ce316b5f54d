"""Typed access to the plugin {{ file }}.

Written by undergo bindgen; don't edit it, but write it anew.
"""

from __future__ import annotations
{% for (module, members) in used if members.is_empty() %}
import {{ module }}
{%- endfor %}
{%- for (module, members) in used if !members.is_empty() %}
from {{ module }} import {{ members|join(", ") }}
{%- endfor %}

import undergo
{%- if has_buffers %}


class Buffer(Protocol):
    """What lends its bytes: bytes, bytearray, memoryview, array.array, a NumPy array."""

    def __buffer__(self, flags: int, /) -> memoryview: ...
{%- endif %}
{%- for ty in types %}
{%- match ty %}
{%- when Declared::Record { class, docs, fields } %}


@dataclasses.dataclass(kw_only=True, slots=True)
class {{ class }}:
    {{ docs|indent(4) }}
{% for field in fields %}
    {{ field.name }}: {{ field.ty }}{{ field.default }}
    {{- field.docs|lines(4) }}
{%- endfor %}
{%- when Declared::Error { class, docs, fields, match_args, signature } %}


class {{ class }}(undergo.GuestError):
    {{ docs|indent(4) }}

    {{ match_args|indent(4) }}
{% for field in fields %}
    {{ field.name }}: {{ field.ty }}
    {{- field.docs|lines(4) }}
{%- endfor %}

    {{ signature|indent(4) }}
        """Make one, which the plugin gets from a host function that raises it."""
        super().__init__(message)
        {%- for field in fields %}
        self.{{ field.name }} = {{ field.name }}
        {%- endfor %}
{%- when Declared::Enum { class, docs, cases } %}


class {{ class }}(enum.Enum):
    {{ docs|indent(4) }}
{% for case in cases %}
    {{ case.name }} = {{ case.wit }}
    {{- case.docs|lines(4) }}
{%- endfor %}
{%- when Declared::Case { class, docs, ty } %}


@dataclasses.dataclass(slots=True)
class {{ class }}:
    {{ docs|indent(4) }}
    {%- if let Some(ty) = ty %}

    value: {{ ty }}
    {%- endif %}
{%- when Declared::Variant { alias, docs } %}


{{ alias }}
{{ docs }}
{%- endmatch %}
{%- endfor %}
{%- for object in objects %}


class {{ object.class }}(Protocol):
    {{ object.docs|indent(4) }}
    {%- for method in object.methods %}

    {{ method.signature|indent(4) }}
        {{ method.docs|indent(8) }}
    {%- endfor %}
    {%- if object.is_guests %}

    @property
    def closed(self) -> bool:
        """Whether it was closed, given away to the guest, or ended with its instance."""

    def close(self) -> None:
        """Close it: the guest releases its object."""

    def __enter__(self) -> {{ object.class }}:
        """Give the object itself."""

    def __exit__(self, *raised: object) -> None:
        """Close it."""
    {%- endif %}
{%- endfor %}
{%- for import in imports %}


class {{ import.class }}(Protocol):
    {{ import.docs|indent(4) }}
    {%- for method in import.methods %}

    {{ method.signature|indent(4) }}
        {{ method.docs|indent(8) }}
    {%- endfor %}
{%- endfor %}
{%- if imports.is_empty() %}
{%- else if imports_are_keys %}


class Imports(TypedDict):
    """What the host gives: for each interface an object with its methods, or a mapping of functions."""
{% for import in imports %}
    {{ import.key }}: {{ import.class }} | Mapping[str, Callable[..., object]]
{%- endfor %}
{%- else %}


Imports = TypedDict(
    "Imports",
    {
        {%- for import in imports %}
        {{ import.wit }}: "{{ import.class }} | Mapping[str, Callable[..., object]]",
        {%- endfor %}
    },
)
"""What the host gives: for each interface an object with its methods, or a mapping of functions."""
{%- endif %}


class {{ exports_class }}:
    """The functions of {{ file }}, for an instance or a pool to run."""

    def __init__(self, exports: undergo.Exports) -> None:
        """Wrap the exports of a plugin that was made with types=TYPES."""
        self._exports = exports
    {%- for method in exports %}

    {{ method.signature|indent(4) }}
        {{ method.docs|indent(8) }}
        {{ method.call|indent(8) }}
        {%- if let Some(result) = method.result %}
        return {{ result }}
        {%- endif %}
    {%- endfor %}


class {{ class }}({{ exports_class }}):
    """An instance of {{ file }}."""

    def __init__(self, instance: undergo.Instance) -> None:
        """Wrap an instance whose plugin was made with types=TYPES."""
        super().__init__(instance.exports)
        self._instance = instance

    @property
    def instance(self) -> undergo.Instance:
        """The instance that the methods call."""
        return self._instance

    @classmethod
    def load(
        cls,
        path: str | os.PathLike[str],
        *,
        {%- if !imports.is_empty() %}
        imports: Imports,
        {%- endif %}
        sandbox: undergo.Sandbox | None = None,
        limits: undergo.Limits | None = None,
    ) -> {{ class }}:
        """Compile the plugin and make an instance of it."""
        plugin = undergo.Plugin(path, types=TYPES)
        return cls(plugin.instantiate({% if !imports.is_empty() %}imports=imports, {% endif %}sandbox=sandbox, limits=limits))

    def using(
        self, *, timeout: float | None = None, cancel: undergo.CancelToken | None = None
    ) -> {{ class }}:
        """Give the same instance with other options for its calls: a timeout in seconds, a token to cancel them."""
        view = copy.copy(self)
        view._exports = self._instance.using(timeout=timeout, cancel=cancel).exports
        return view


class {{ pool }}({{ exports_class }}):
    """A pool of instances of {{ file }}."""

    def __init__(self, pool: undergo.Pool) -> None:
        """Wrap a pool whose plugin was made with types=TYPES."""
        super().__init__(pool.exports)
        self._pool = pool

    @property
    def pool(self) -> undergo.Pool:
        """The pool that the methods call."""
        return self._pool

    @classmethod
    def load(
        cls,
        path: str | os.PathLike[str],
        size: int,
        *,
        {%- if !imports.is_empty() %}
        imports: Imports,
        {%- endif %}
        sandbox: undergo.Sandbox | None = None,
        limits: undergo.Limits | None = None,
        max_calls: int | None = None,
        idle: float | None = None,
        warm: int = 0,
    ) -> {{ pool }}:
        """Compile the plugin and make a pool of at most that many instances."""
        plugin = undergo.Plugin(path, types=TYPES)
        pool = plugin.pool(
            size,
            {%- if !imports.is_empty() %}
            imports=imports,
            {%- endif %}
            sandbox=sandbox,
            limits=limits,
            max_calls=max_calls,
            idle=idle,
            warm=warm,
        )
        return cls(pool)

    def using(
        self, *, timeout: float | None = None, cancel: undergo.CancelToken | None = None
    ) -> {{ pool }}:
        """Give the same pool with other options for its calls: a timeout in seconds, a token to cancel them."""
        view = copy.copy(self)
        view._exports = self._pool.using(timeout=timeout, cancel=cancel).exports
        return view

    def __enter__(self) -> {{ pool }}:
        """Give the pool itself."""
        return self

    def __exit__(self, *raised: object) -> None:
        """Close the pool, and wait for the calls that run."""
        self._pool.close()


{% if table.is_empty() -%}
TYPES: dict[str, type] = {}
{%- else -%}
TYPES: dict[str, type] = {
    {%- for row in table %}
    {{ row.wit }}: {{ row.class }},
    {%- endfor %}
}
{%- endif %}
"""The classes of this module, by the names of their types in the plugin's interface."""

