"""What a template may say: texts, the kind's variables, conditions and a few filters.

It is Jinja without loops, calls, attributes, arithmetic and imports: what is left can neither reach
anything nor grow larger than what was written, whoever wrote it.
"""

from __future__ import annotations

from collections.abc import Collection
from functools import cache

from jinja2 import StrictUndefined, Template, TemplateSyntaxError, nodes
from jinja2.sandbox import ImmutableSandboxedEnvironment

_NODES = (
    nodes.Output,
    nodes.TemplateData,
    nodes.Name,
    nodes.Const,
    nodes.If,
    nodes.CondExpr,
    nodes.And,
    nodes.Or,
    nodes.Not,
    nodes.Compare,
    nodes.Operand,
    nodes.Filter,
    nodes.Test,
)
_FILTERS = ("capitalize", "default", "escape", "lower", "title", "trim", "truncate", "upper")
_TESTS = ("defined", "none")
_DEEPEST = 30


class Fault(Exception):
    """A template that cannot be used, in one sentence; ``line`` begins at 1."""

    def __init__(self, line: int, reason: str) -> None:
        super().__init__(f"line {line}: {reason}")
        self.line = line


def understood(source: str, variables: Collection[str], *, html: bool) -> Template:
    """``source`` ready to be filled in; values are escaped where it is ``html``. Raises ``Fault``."""
    environment = _environment(html)
    try:
        tree = environment.parse(source)
        _look_at(tree, frozenset(variables), 0)
        return environment.from_string(source)
    except TemplateSyntaxError as fault:
        raise Fault(fault.lineno, fault.message or "this is no template") from None
    except RecursionError:
        raise Fault(1, "this is nested too deeply") from None
    except (ValueError, SyntaxError, OverflowError):  # numbers and texts that Python cannot read
        raise Fault(1, "this holds a number or a text that cannot be read") from None


@cache
def _environment(html: bool) -> ImmutableSandboxedEnvironment:
    environment = ImmutableSandboxedEnvironment(
        autoescape=html,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.globals.clear()
    environment.filters = {name: environment.filters[name] for name in _FILTERS}
    environment.tests = {name: environment.tests[name] for name in _TESTS}
    return environment


def _look_at(node: nodes.Node, variables: frozenset[str], depth: int) -> None:
    if depth > _DEEPEST:
        raise Fault(node.lineno, "this is nested too deeply")
    for child in node.iter_child_nodes():
        if not isinstance(child, _NODES):
            what = type(child).__name__.lower()
            raise Fault(child.lineno, f"{what} is not allowed here: only variables, conditions and filters")
        if isinstance(child, nodes.Name) and child.name not in variables:
            known = ", ".join(sorted(variables))
            raise Fault(child.lineno, f"there is no variable {child.name!r}; there are {known}")
        _look_at(child, variables, depth + 1)
