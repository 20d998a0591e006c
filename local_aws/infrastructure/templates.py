"""CloudFormation templates: loaded, resolved and walked in the order of their references.

moto's parser resolves parameters, conditions, mappings and intrinsic functions; this module adds what it lacks here:
resources made by our own handlers, nested stacks read from local files, pseudo parameters of the China Regions.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import yaml
from moto.cloudformation.exceptions import MissingParameterError, ValidationError
from moto.cloudformation.parsing import ResourceMap, clean_json, parse_output
from moto.cloudformation.utils import yaml_tag_constructor

NESTED_STACK = "AWS::CloudFormation::Stack"


class TemplateError(Exception):
    """A template cannot be carried out; the message names the template, the resource and the reason."""


@dataclass(frozen=True)
class Resource:
    """What a resource became: what Ref gives, and what GetAtt gives by attribute."""

    physical_resource_id: str
    attributes: dict[str, Any] = field(default_factory=dict)

    def get_cfn_attribute(self, name: str) -> Any:
        if name not in self.attributes:
            known = ", ".join(sorted(self.attributes)) or "no attributes"
            raise TemplateError(f"{self.physical_resource_id} has no attribute {name}; local_aws gives it {known}")
        return self.attributes[name]


# (stack, logical id, resource type, resolved properties) -> what it became
Create = Callable[["Stack", str, str, dict[str, Any]], Resource]


class _Loader(yaml.SafeLoader):
    """YAML with the short forms of intrinsic functions; dates stay text, as CloudFormation reads them."""


def _condition(loader: yaml.SafeLoader, node: Any) -> dict[str, Any]:
    return {"Condition": loader.construct_scalar(node)}


_Loader.add_multi_constructor("", yaml_tag_constructor)
_Loader.add_constructor("!Condition", _condition)
_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def load(path: Path) -> dict[str, Any]:
    """The template as a dict. Raises TemplateError."""
    try:
        template = yaml.load(path.read_text(), Loader=_Loader)  # noqa: S506 (a SafeLoader with intrinsic functions)
    except FileNotFoundError:
        raise TemplateError(f"there is no template {path}") from None
    except yaml.YAMLError as error:
        raise TemplateError(f"{path} is no valid YAML: {error}") from None
    if not isinstance(template, dict) or not template.get("Resources"):
        raise TemplateError(f"{path} has no Resources")
    return template


class Stack(ResourceMap):
    """One template with its parameters. A resource is made when it is first asked for, after those it refers to."""

    def __init__(
        self, name: str, path: Path, parameters: dict[str, Any], region: str, account: str, create: Create
    ) -> None:
        template = load(path)
        self.name = name
        self.path = path
        self._create = create
        self._under_way: list[str] = []
        partition = "aws-cn" if region.startswith("cn-") else "aws"
        stack_id = f"arn:{partition}:cloudformation:{region}:{account}:stack/{name}/local"
        super().__init__(stack_id, name, {**_list_defaults(template), **parameters}, {}, region, account, template, {})
        self._parsed_resources["AWS::Partition"] = partition
        self._parsed_resources["AWS::URLSuffix"] = "amazonaws.com.cn" if partition == "aws-cn" else "amazonaws.com"
        unknown = set(parameters) - set(template.get("Parameters", {}))
        if unknown:
            raise TemplateError(f"{path.name} has no parameter {', '.join(sorted(unknown))}")
        try:
            self.load_mapping()
            self.load_parameters()
            self.load_conditions()
        except MissingParameterError as error:
            raise TemplateError(f"{path.name} needs a value: {error.message}") from None

    def __getitem__(self, key: str) -> Any:
        if key in self._parsed_resources:
            return self._parsed_resources[key]
        definition = self._resource_json_map.get(key)
        if definition is None:
            raise TemplateError(f"{self.path.name} refers to {key}, which it does not define")
        if "Condition" in definition and not self.lazy_condition_map[definition["Condition"]]:
            return None
        if key in self._under_way:
            raise TemplateError(f"{self.path.name}: circular reference {' -> '.join([*self._under_way, key])}")
        self._under_way.append(key)
        self._parsed_resources[key] = self._make(key, definition)
        self._under_way.remove(key)
        return self._parsed_resources[key]

    def get(self, key: str, default: Any = None) -> Any:
        """Unlike Mapping.get this hides no error of a resource that is being made."""
        return self[key] if key in self._parsed_resources or key in self._resource_json_map else default

    def make_all(self) -> None:
        """Make every resource of the template whose condition holds."""
        for key in self._resource_json_map:
            self[key]

    def outputs(self) -> dict[str, Any]:
        """The outputs whose condition holds, by name."""
        found = {}
        for name, definition in self._template.get("Outputs", {}).items():
            output = self._resolved(f"output {name}", partial(parse_output, name, definition, self))
            if output is not None:
                found[name] = output.value
        return found

    def _make(self, key: str, definition: dict[str, Any]) -> Resource:
        depends = definition.get("DependsOn", [])
        for other in [depends] if isinstance(depends, str) else depends:
            self[other]
        properties = self._resolved(key, lambda: _without_nothing(clean_json(definition.get("Properties", {}), self)))
        if definition["Type"] == NESTED_STACK:
            return self._nested(key, properties)
        return self._create(self, key, definition["Type"], properties)

    def _nested(self, key: str, properties: dict[str, Any]) -> Resource:
        """A nested stack's template lies beside this one, under the last part of its URL."""
        path = self.path.parent / properties["TemplateURL"].rpartition("/")[2]
        parameters = {name: _as_parameter(value) for name, value in properties.get("Parameters", {}).items()}
        child = Stack(f"{self.name}-{key}", path, parameters, self._region_name, self._account_id, self._create)
        child.make_all()
        return Resource(child.stack_id, {f"Outputs.{name}": value for name, value in child.outputs().items()})

    def _resolved(self, what: str, resolve: Callable[[], Any]) -> Any:
        try:
            return resolve()
        except ValidationError as error:
            raise TemplateError(f"{self.path.name}, {what}: {error.message}") from None
        except (KeyError, IndexError, TypeError, AttributeError) as error:
            reason = f"{type(error).__name__}: {error}"
            raise TemplateError(
                f"{self.path.name}, {what}: an intrinsic function cannot be resolved ({reason})"
            ) from error


def _list_defaults(template: dict[str, Any]) -> dict[str, str]:
    """The defaults of list parameters, which the parser splits at commas only when they are given from outside."""
    declared = template.get("Parameters", {}).items()
    return {
        name: str(parameter["Default"])
        for name, parameter in declared
        if "Default" in parameter and parameter["Type"].startswith(("List", "CommaDelimitedList"))
    }


def _without_nothing(value: Any) -> Any:
    """Drop what AWS::NoValue left behind."""
    if isinstance(value, dict):
        return {key: _without_nothing(item) for key, item in value.items() if item is not None}
    if isinstance(value, list):
        return [_without_nothing(item) for item in value if item is not None]
    return value


def _as_parameter(value: Any) -> str:
    return ",".join(str(item) for item in value) if isinstance(value, list) else str(value)
