"""List the measures of free-form variables, and the variable that each of them reads."""

from __future__ import annotations

from .custom_attributes import VARIABLE as ATTRIBUTES
from .custom_attributes import custom_attributes
from .static_headers import VARIABLE as HEADERS
from .static_headers import static_headers

MEASURES = (custom_attributes, static_headers)

#: By the name of the measure.
VARIABLES = {custom_attributes.__name__: ATTRIBUTES, static_headers.__name__: HEADERS}
