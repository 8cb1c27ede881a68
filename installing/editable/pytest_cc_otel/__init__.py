"""Be the package of the folder ``harness/`` under its installed name, in an editable install."""

import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

_folder = Path(__file__).resolve().parents[3] / "harness"
_spec = spec_from_file_location(
    __name__, _folder / "__init__.py", submodule_search_locations=[str(_folder)]
)
assert _spec is not None
assert _spec.loader is not None
# Importing gives what stands in sys.modules when this file has run.
sys.modules[__name__] = _module = module_from_spec(_spec)
_spec.loader.exec_module(_module)
