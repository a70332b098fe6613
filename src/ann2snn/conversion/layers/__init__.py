"""Which torch operation becomes which node: one file per family, each registers its operations.

To add a kind of layer, write its function under `@module(...)`, `@function(...)` or `@method(...)`
in one of these files, or in a new one: all files here are loaded together.
"""

import importlib
import pkgutil

for _family in pkgutil.iter_modules(__path__):
    importlib.import_module(f"{__name__}.{_family.name}")
