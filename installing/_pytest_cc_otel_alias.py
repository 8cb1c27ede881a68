"""Let ``harness`` mean the package ``pytest_cc_otel``, where nobody else has that name.

``pytest_cc_otel.pth`` imports this whenever Python starts, so it imports next to nothing itself.
Whatever is called ``harness`` on ``sys.path`` comes first, a folder without ``__init__.py``
included; so does one in the working folder, though it may not be on ``sys.path`` (yet).

pytest is not to warn that this was imported before it could rewrite it: PYTEST_DONT_REWRITE.
"""

import sys

NAME = "pytest_cc_otel"
ALIAS = "harness"

#: What the working folder has where the name is somebody else's, and what only our checkout has.
_OTHERS = (ALIAS, f"{ALIAS}.py")
_OURS = f"installing/{__name__}.py"


class _Alias(type(sys)):
    """The module ``harness``: what the package has, and nothing of its own.

    Its path leads nowhere, so that nobody finds our files there and loads them a second time.
    """

    def __init__(self, spec):
        super().__init__(ALIAS)
        self.__spec__ = spec
        self.__path__ = [f"{NAME}, called {ALIAS}"]

    def __getattr__(self, name):
        from importlib import import_module

        return getattr(import_module(NAME), name)


class _Loader:
    """Gives the module of the other name, instead of loading it a second time."""

    def __init__(self, real):
        self._real = real

    def create_module(self, spec):
        """Leave it to Python to make a module, of which nothing will be kept."""

    def exec_module(self, module):
        from importlib import import_module

        real = import_module(self._real)
        spec = module.__spec__
        sys.modules[spec.name] = _Alias(spec) if spec.name == ALIAS else real

    def get_code(self, name):
        """For ``python -m``."""
        from importlib.util import find_spec

        spec = find_spec(self._real)
        return None if spec is None else spec.loader.get_code(self._real)


def _spec(name, real):
    from importlib.util import find_spec, spec_from_loader

    found = find_spec(real)
    if found is None:
        return None
    package = found.submodule_search_locations is not None
    spec = spec_from_loader(name, _Loader(real), origin=found.origin, is_package=package)
    if package:
        spec.submodule_search_locations.extend(found.submodule_search_locations)
    return spec


class _Last:
    """Finds the alias itself, when all others have been asked."""

    @staticmethod
    def find_spec(name, path=None, target=None):
        if name != ALIAS or _is_anothers():
            return None
        return _spec(name, NAME)


class _First:
    """Finds what is below the alias, before its files are found and loaded as other modules."""

    @staticmethod
    def find_spec(name, path=None, target=None):
        if not name.startswith(f"{ALIAS}.") or not _is_ours():
            return None
        return _spec(name, NAME + name.removeprefix(ALIAS))


def _is_ours():
    return isinstance(sys.modules.get(ALIAS), _Alias)


def _is_anothers():
    import os

    return any(map(os.path.exists, _OTHERS)) and not os.path.exists(_OURS)


def stand_in(folder):
    """Let the package of this name stand for the one in ``folder``, which is being imported.

    That is the checkout, if it is on ``sys.path``: of its modules there are not to be two, one of
    each name.  Return whether it does: a checkout that is not what is installed is itself, unless
    the installed one is in use already.
    """
    import importlib
    import os

    in_use = NAME in sys.modules
    try:
        ours = importlib.import_module(NAME)
    except ImportError:
        return False
    if not in_use and not os.path.samefile(ours.__path__[0], folder):
        return False
    sys.modules[ALIAS] = _Alias(_spec(ALIAS, NAME))
    return True


sys.meta_path.insert(0, _First)
sys.meta_path.append(_Last)
