"""What the schemas of a theme ask for, to be held to the constants of its experiments."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from harness.contract.catalogue import Contract


@pytest.fixture(scope="session")
def schema_of(contract: Contract) -> Callable[[str], Mapping[str, Any]]:
    """Read the schema that a requirement judges by, given the requirement's name."""

    def read(name: str) -> Mapping[str, Any]:
        requirement = contract.requirement(name)
        schema: Any = requirement.params.get("schema", requirement.schema)
        while "$ref" in schema:
            schema = contract.registry.resolver().lookup(schema["$ref"]).contents
        assert isinstance(schema, Mapping)
        return schema

    return read
