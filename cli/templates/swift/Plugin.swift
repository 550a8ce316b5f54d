// Typed access to the plugin {{ file }}.
//
// Written by undergo bindgen; don't edit it, but write it anew.

import Foundation
import Undergo
{%- include "swift/types.swift" %}
{%- include "swift/resources.swift" %}
{%- for family in families %}
{%- include "swift/imports.swift" %}
{%- endfor %}
{%- for family in families %}
{%- include "swift/exports.swift" %}
{%- endfor %}
